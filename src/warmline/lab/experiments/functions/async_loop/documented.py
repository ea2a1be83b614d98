"""
The client at module level as MongoDB's page wants it, and a loop for each invocation as asyncio's documentation does.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from pymongo import AsyncMongoClient

client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["MONGODB_URI"])


async def work(event: dict[str, Any]) -> dict[str, Any] | None:
    return await client["shop"]["orders"].find_one({"_id": event["id"]})


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return asyncio.run(work(event))
