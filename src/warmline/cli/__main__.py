"""
``python -m warmline.cli``, where the console script is not on PATH.
"""

from __future__ import annotations

from . import main

main()
