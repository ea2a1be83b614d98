"""
What both functions do, whatever their client: so many operations at once.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo import MongoClient

# One operation takes so long in the server that all threads are in theirs at the same time.
SLOW = {"_id": 1, "$where": "sleep(300) || true"}


def work(client: MongoClient[dict[str, Any]], event: dict[str, Any]) -> float:
    """
    Run one slow operation in each of so many threads, or quick ones one after the other, then be busy with something
    else; return how long the operations took, in milliseconds.
    """
    orders = client["shop"]["orders"]
    began = time.perf_counter()
    if event["threads"] > 1:
        with ThreadPoolExecutor(event["threads"]) as threads:
            list(threads.map(orders.find_one, [SLOW] * event["threads"]))
    else:
        for number in range(event["operations"]):
            orders.find_one({"_id": number})
    milliseconds = (time.perf_counter() - began) * 1000
    # PyMongo fills a pool up once in a second, while the environment runs.
    time.sleep(event["busy_seconds"])
    return milliseconds
