"""
What reads one kind of template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .facts import InfraFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """
    A kind of template.

    :param kinds: the kinds of facts that it makes.
    :param suffixes: how its files' names end.
    :param mentions: a file in which none of these stands is none of its kind; a cheap test before it is parsed.
    :param comment: what begins a comment to the end of the line; empty where the format has none.
    :param read: path and content to facts; ``None``: it is not of this kind after all.
    :param together: for a kind whose files refer to each other: all of them at once, content by path. ``read`` then
        takes a file as if it were the only one.
    """

    name: str
    kinds: tuple[str, ...]
    suffixes: tuple[str, ...]
    mentions: tuple[bytes, ...]
    comment: str
    read: Callable[[str, bytes], InfraFacts | None]
    together: Callable[[Mapping[str, bytes]], tuple[InfraFacts, ...]] | None = None
