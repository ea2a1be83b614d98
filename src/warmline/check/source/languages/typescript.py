"""
TypeScript, without and with JSX.
"""

from __future__ import annotations

from dataclasses import replace

import tree_sitter_typescript

from . import javascript

LANGUAGE = replace(
    javascript.LANGUAGE,
    name="typescript",
    title="TypeScript",
    extensions=(".ts", ".mts", ".cts"),
    grammar=tree_sitter_typescript.language_typescript,
)

TSX = replace(LANGUAGE, extensions=(".tsx",), grammar=tree_sitter_typescript.language_tsx)
