"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from numbered import insert

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: Any) -> None:
    insert(client["shop"][event["collection"]], event["numbers"], context)
