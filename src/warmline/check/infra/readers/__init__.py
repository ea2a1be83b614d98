"""
The kinds of templates that are read: one module each, listed here. The first that takes a file reads it.
"""

from __future__ import annotations

from ..reader import Reader
from . import cloudformation, serverless, terraform, terraform_json

READERS: tuple[Reader, ...] = (terraform.READER, terraform_json.READER, cloudformation.READER, serverless.READER)

__all__ = ["READERS"]
