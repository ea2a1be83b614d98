"""
What MongoDB's page shows: the client at module level, with what the URI says.
"""

from __future__ import annotations

import os
from typing import Any

from numbered import insert
from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    insert(client["shop"][event["collection"]], event["numbers"], context)
