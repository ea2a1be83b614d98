"""
A handler that does nothing.
"""

from __future__ import annotations

from typing import Any


def lambda_handler(event: Any, context: Any) -> Any:
    return event
