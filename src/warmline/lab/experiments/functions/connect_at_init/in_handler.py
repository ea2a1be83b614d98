"""
What people do: the client is made when it is first needed, and kept.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from lookup import find  # type: ignore[import-not-found]  # beside this module, as in a deployed function
from pymongo import MongoClient


@functools.cache
def client() -> MongoClient[dict[str, Any]]:
    return MongoClient(os.environ["MONGODB_URI"])


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return find(client, event)
