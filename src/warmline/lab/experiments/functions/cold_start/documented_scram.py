"""
MongoDB's first example for Lambda: credentials in the URI.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(host=os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return client.db.command("ping")
