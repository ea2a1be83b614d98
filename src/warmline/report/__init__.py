"""
Results as text, JSON and HTML.
"""

from __future__ import annotations

from .document import to_json
from .page import to_page
from .text import print_result

__all__ = ["print_result", "to_json", "to_page"]
