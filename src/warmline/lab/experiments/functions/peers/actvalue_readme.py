"""
The handler of actvalue.mongo-client's README, with another collection.
"""

from __future__ import annotations

import os
from typing import Any

# It takes the database from the string.
os.environ["MONGO_URL"] = os.environ["MONGODB_URI"].replace("/?", "/shop?")

from mongo_client import MongoDbConnection  # type: ignore[import-not-found]


async def lambda_handler(event: dict[str, Any], context: object) -> Any:
    mongo = MongoDbConnection()
    db = await mongo.get_db()
    collection = db["orders"]
    return await collection.find_one({"_id": event["id"]})
