"""
What most functions do about their end: nothing.
"""

from __future__ import annotations

import os
from typing import Any

from pymongo import MongoClient
from work import work

client: MongoClient[dict[str, Any]] = MongoClient(os.environ["MONGODB_URI"])
client.admin.command("ping")


def lambda_handler(event: dict[str, Any], context: object) -> None:
    work(client["shop"]["orders"], event)
