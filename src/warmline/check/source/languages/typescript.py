"""
TypeScript, without and with JSX.
"""

from __future__ import annotations

from dataclasses import replace

from . import ecmascript, javascript

LANGUAGE = replace(
    javascript.LANGUAGE,
    name="typescript",
    title="TypeScript",
    extensions=(".ts", ".mts", ".cts"),
    grammar=("tree_sitter_typescript", "language_typescript"),
    query=ecmascript.query(field="public_field_definition", name="name"),
    classes=javascript.LANGUAGE.classes | {"abstract_class_declaration"},
)

TSX = replace(LANGUAGE, extensions=(".tsx",), grammar=("tree_sitter_typescript", "language_tsx"))
