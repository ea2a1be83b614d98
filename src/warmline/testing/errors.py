"""
What goes wrong in tests that use the lab.
"""

# ruff: noqa: N818 - as in the lab's: a leaf's name says the cause

from __future__ import annotations

from ..lab.errors import LabError


class InvocationFailed(LabError):
    """
    The value of an invocation was asked for, and it has none.
    """


class UnknownClients(LabError):
    """
    A function's connections can't be counted, since its client has another name than the lab knows.
    """
