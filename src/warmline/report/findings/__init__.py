"""
A check's findings as text, JSON, SARIF and GitHub's annotations.
"""

from __future__ import annotations
