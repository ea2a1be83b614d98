"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from finding import find  # type: ignore[import-not-found]  # beside this module, as in a deployed function

from warmline import connect, handler

client = connect()


@handler
def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return find(client, event)
