"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from warmline import connect, handler

orders = connect()["shop"]["orders"]


@handler
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    return orders.find_one({"_id": event["id"]})
