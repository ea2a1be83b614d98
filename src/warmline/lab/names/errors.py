"""
What can go wrong with the lab's names.

    LabError
    └── NoFreeAddress
"""

# ruff: noqa: N818 - a leaf's name says the cause; that it is an error is seen where it is raised

from __future__ import annotations

from ..errors import LabError


class NoFreeAddress(LabError):
    """
    No loopback address had both its UDP and its TCP port free for the DNS server.
    """
