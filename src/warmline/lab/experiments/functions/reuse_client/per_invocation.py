"""
What people do wrong: a client in the handler.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URI"])
    return client["shop"]["orders"].find_one({"_id": event["id"]})
