"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

from recorder import LISTENERS, write  # type: ignore[import-not-found]  # beside this module, as in a deployed function

from warmline import connect, handler

client = connect(event_listeners=LISTENERS)


@handler
def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return write(client)
