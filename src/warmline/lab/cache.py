"""
What outlives a run of the lab: files that took long to come by.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """
    Return the user's folder for them, which may not be there yet.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warmline"
