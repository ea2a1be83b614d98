"""
What all functions do, wherever their client is made: they find one order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError


def find(client: Callable[[], MongoClient[dict[str, Any]]], event: dict[str, Any]) -> dict[str, Any]:
    """
    Find one order; tell when the handler was entered, and the name of the error if there was one.
    """
    entered = time.time()
    try:
        client()["shop"]["orders"].find_one({"_id": event["id"]})
    except PyMongoError as error:
        return {"entered": entered, "error": type(error).__name__}
    return {"entered": entered, "error": None}
