"""
actvalue.mongo-client as its README shows it for Lambda: one in each invocation, since a client belongs to its loop.

Python's runtime client calls no coroutine functions, so `asyncio.run` is around it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from actvalue_readme import lambda_handler as coroutine_function  # type: ignore[import-not-found]  # beside this module


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return asyncio.run(coroutine_function(event, context))
