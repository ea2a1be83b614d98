"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> int:
    for number in range(event["operations"]):
        client["shop"]["orders"].find_one({"_id": number % 100})
    return len(client.topology_description.server_descriptions())
