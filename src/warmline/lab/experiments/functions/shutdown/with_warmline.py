"""
warmline: it does all by itself.
"""

from __future__ import annotations

from typing import Any

from work import work

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> None:
    work(client["shop"]["orders"], event)
