"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return client["shop"]["orders"].find_one({"_id": event["id"]})
