"""
The client at module level, and its pool filled in Init, as in the drivers' own functions.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient
from recorder import LISTENERS, write  # type: ignore[import-not-found]  # beside this module, as in a deployed function

client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URI"], event_listeners=LISTENERS)
client["lambdaTest"].list_collection_names()


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return write(client)
