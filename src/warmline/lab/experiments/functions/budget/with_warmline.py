"""
The same function with warmline.
"""

from __future__ import annotations

import time
from typing import Any

from warmline import connect, handler

orders = connect()["shop"]["orders"]


@handler
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any] | None:
    found = orders.find_one({"_id": event["id"]})
    time.sleep(event["seconds"])
    return found
