"""
A practice: what a Lambda function that talks to MongoDB should do, why, and where warmline takes care of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .places import Place


@dataclass(frozen=True, slots=True)
class Source:
    """
    A public page or document that a fact was read in.
    """

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """
    One row of the catalog.

    :param id: kebab-case, never reused.
    :param runtime: what does it by default. Names are ``option:maxIdleTimeMS`` for an option of the runtime's table of
        defaults, or a public name such as ``warmline.connect``.
    :param rules: what finds it broken. Names are rule ids (``WL101``).
    :param experiment: what measures the cost of breaking it. Names are experiments of the lab.
    :param page: what explains it. The name is a path in the repository, ``docs/practices/<id>.md``.
    """

    id: str
    title: str
    why: str
    sources: tuple[Source, ...]
    runtime: Place
    rules: Place
    experiment: Place
    page: Place
