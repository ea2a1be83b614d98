"""
mdb-singleton's usage with asyncio: the singleton of the current task.

Python's runtime client calls no coroutine functions, so `asyncio.run` is around it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from typing import Any

os.environ["MONGO_URI"] = os.environ["MONGODB_URI"]

from mdb_singleton import MongoDBSingleton, MongoDBSingletonAsync  # type: ignore[import-not-found]

# As its README advises.
atexit.register(MongoDBSingleton.close_all_connections)


async def look_up(event: dict[str, Any]) -> Any:
    mongo_conn = MongoDBSingletonAsync()
    client = mongo_conn.client
    return await client["shop"]["orders"].find_one({"_id": event["id"]})


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return asyncio.run(look_up(event))
