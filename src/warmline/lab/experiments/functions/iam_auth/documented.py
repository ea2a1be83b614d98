"""
What MongoDB's page shows: the client at module level, which logs in as the URI says.
"""

from __future__ import annotations

import os
from typing import Any

from finding import find  # type: ignore[import-not-found]  # beside this module, as in a deployed function
from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return find(client, event)
