"""
The same function with warmline; which way it logs in is in the URI.
"""

from __future__ import annotations

from typing import Any

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return client.db.command("ping")
