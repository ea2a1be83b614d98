"""
What both functions do, with the time that it takes them.
"""

from __future__ import annotations

import json
import time
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import PyMongoError


def operations(orders: Collection[dict[str, Any]], event: dict[str, Any]) -> None:
    """
    Find so many documents; print a line for each attempt, which is in the log even if the next one never ends.

    The first one's time counts from the moment that the invocation was sent: what a thaw takes before the handler is
    entered is part of it. By the wall clock, since the other may have stood still.
    """
    started = event["sent"]
    for number in range(event["operations"]):
        error = None
        try:
            orders.find_one({"_id": number})
        except PyMongoError as failure:
            error = type(failure).__name__
        ended = time.time()
        print(json.dumps({"ms": (ended - started) * 1000, "error": error, "monotonic": time.monotonic()}))
        started = time.time()
