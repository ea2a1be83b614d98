"""
MongoDB's second example for Lambda: the function's IAM role.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient

client: MongoClient[dict[str, Any]] = MongoClient(
    host=os.environ["MONGODB_URI"],
    authSource="$external",
    authMechanism="MONGODB-AWS",
)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return client.db.command("ping")
