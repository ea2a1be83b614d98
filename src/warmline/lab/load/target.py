"""
Whom load is given to.
"""

from __future__ import annotations

from typing import Protocol

from ..aws import InvokeResult


class Target(Protocol):
    """
    Invokes functions by their names: the lab's service, or Lambda itself.
    """

    async def invoke(self, name: str, payload: bytes) -> InvokeResult:
        """
        Wait for the function's answer; an error of the function is one too.

        :raises Throttled: the function has no concurrency left.
        """
        ...
