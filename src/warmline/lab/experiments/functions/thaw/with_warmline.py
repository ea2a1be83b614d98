"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from measured import operations

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> None:
    operations(client["shop"]["orders"], event)
