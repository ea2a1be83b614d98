"""
What the benchmark calls raw: a client in the handler, closed at its end.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    client: MongoClient[dict[str, Any]]
    with MongoClient(os.environ["MONGODB_URI"]) as client:
        return client["shop"]["orders"].find_one({"_id": event["id"]})
