"""
mdb-singleton's basic usage: the singleton of the current thread.
"""

from __future__ import annotations

import atexit
import os
from typing import Any

os.environ["MONGO_URI"] = os.environ["MONGODB_URI"]

from mdb_singleton import MongoDBSingleton  # type: ignore[import-not-found]

# As its README advises.
atexit.register(MongoDBSingleton.close_all_connections)


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    mongo_conn = MongoDBSingleton()
    client = mongo_conn.client
    return client["shop"]["orders"].find_one({"_id": event["id"]})
