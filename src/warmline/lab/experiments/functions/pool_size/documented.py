"""
What MongoDB's page shows: the client at module level, with what the URI says.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient
from several import work  # type: ignore[import-not-found]  # beside this module, as in a deployed function

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return work(client, event)
