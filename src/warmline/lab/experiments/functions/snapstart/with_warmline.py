"""
The same function with warmline.
"""

from __future__ import annotations

from typing import Any

import copies  # type: ignore[import-not-found]  # beside this module, as in a deployed function
from order import place  # type: ignore[import-not-found]

from warmline import connect, handler

copies.draw_alike()
client = connect()
copies.remember_alike(client)


@handler
def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return place(event, client)
