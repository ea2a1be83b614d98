"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from warmline import connect_async, handler

orders = connect_async()["shop"]["orders"]


@handler
async def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return await orders.find_one({"_id": event["id"]})
