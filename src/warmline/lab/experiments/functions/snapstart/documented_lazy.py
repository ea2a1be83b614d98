"""
What MongoDB's page shows: the client at module level, which connects with the first operation.
"""

from __future__ import annotations

import os
from typing import Any

import copies  # type: ignore[import-not-found]  # beside this module, as in a deployed function
from order import place  # type: ignore[import-not-found]
from pymongo import MongoClient

copies.draw_alike()
client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])
copies.remember_alike(client)


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return place(event, client)
