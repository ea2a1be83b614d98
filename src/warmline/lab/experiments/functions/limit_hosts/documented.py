"""
A client at module level, with what the URI says.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> int:
    for number in range(event["operations"]):
        client["shop"]["orders"].find_one({"_id": number % 100})
    return len(client.topology_description.server_descriptions())
