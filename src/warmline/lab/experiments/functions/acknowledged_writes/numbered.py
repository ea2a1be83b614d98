"""
What both functions do: insert numbers, one by one, and keep books.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import PyMongoError


def insert(collection: Collection[dict[str, Any]], numbers: Iterable[int], context: Any) -> None:
    """
    Insert each number once, and print a line as soon as it is known what became of it: the log is the book.

    The driver makes the ``_id``, so nothing but the driver prevents that a number is there twice.
    """
    for number in numbers:
        error = None
        try:
            collection.insert_one({"number": number})
        except PyMongoError as failure:
            error = type(failure).__name__
        left = context.get_remaining_time_in_millis()
        print(json.dumps({"number": number, "error": error, "left_ms": left}))
