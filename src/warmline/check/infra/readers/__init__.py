"""
The kinds of templates that are read: one module each, listed here. The first that takes a file reads it.
"""

from __future__ import annotations

from ..reader import Reader
from . import cloudformation, serverless, terraform

READERS: tuple[Reader, ...] = (cloudformation.READER, serverless.READER, terraform.READER)

__all__ = ["READERS"]
