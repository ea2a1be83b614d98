"""
What both functions do, however they log in: they find orders, each over a new connection.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

# Longer than a connection may be idle, by what the URI says.
_PAUSE_SECONDS = 0.02


def find(client: MongoClient[dict[str, Any]], event: dict[str, Any]) -> dict[str, Any]:
    """
    Find so many orders with a pause before each; tell what each took, the error that ended it, and whether AWS's SDK
    is loaded.
    """
    milliseconds, error = [], None
    for number in range(event["operations"]):
        time.sleep(_PAUSE_SECONDS)
        began = time.perf_counter()
        try:
            client["shop"]["orders"].find_one({"_id": number})
        except PyMongoError as failure:
            error = str(failure)
            break
        milliseconds.append((time.perf_counter() - began) * 1000)
    return {"milliseconds": milliseconds, "error": error, "sdk": "boto3" in sys.modules}
