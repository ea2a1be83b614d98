"""
What all three functions do.
"""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection


def work(orders: Collection[dict[str, Any]], event: dict[str, Any]) -> None:
    """
    One quick operation, one that takes three seconds in the server, or quick ones until the end comes.
    """
    if event["do"] == "wait":
        orders.find_one({"_id": 1, "$where": "sleep(3000) || true"})
    orders.find_one({"_id": 1})
    while event["do"] == "loop":
        orders.find_one({"_id": 1})
