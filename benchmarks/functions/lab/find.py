"""
A handler that reads one document.
"""

from __future__ import annotations

from typing import Any

from warmline import connect

orders = connect()["shop"]["orders"]


def lambda_handler(event: Any, context: Any) -> Any:
    return orders.find_one({"_id": 1})
