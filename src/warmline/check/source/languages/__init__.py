"""
The languages that are read: one module each, listed here.
"""

from __future__ import annotations

import posixpath

from ..language import Language
from . import csharp, go, java, javascript, python, ruby, rust, typescript

LANGUAGES: tuple[Language, ...] = (
    python.LANGUAGE,
    javascript.LANGUAGE,
    typescript.LANGUAGE,
    typescript.TSX,
    go.LANGUAGE,
    java.LANGUAGE,
    csharp.LANGUAGE,
    ruby.LANGUAGE,
    rust.LANGUAGE,
)

_BY_EXTENSION = {extension: language for language in LANGUAGES for extension in language.extensions}


def language_of(path: str) -> Language | None:
    """
    Return the language that a file is written in, by its name; ``None``: none of ours.
    """
    return _BY_EXTENSION.get(posixpath.splitext(path)[1])


__all__ = ["LANGUAGES", "language_of"]
