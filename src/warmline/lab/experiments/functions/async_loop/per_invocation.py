"""
What people do when they have met the error of the other way: a client for each invocation.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from pymongo import AsyncMongoClient


async def work(event: dict[str, Any]) -> dict[str, Any] | None:
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGODB_URI"]) as client:
        return await client["shop"]["orders"].find_one({"_id": event["id"]})


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return asyncio.run(work(event))
