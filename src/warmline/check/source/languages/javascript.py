"""
JavaScript.
"""

from __future__ import annotations

from ..language import Language
from . import ecmascript, exported, modules

LANGUAGE = Language(
    name="javascript",
    title="JavaScript",
    extensions=(".js", ".mjs", ".cjs", ".jsx"),
    comment="//",
    grammar=("tree_sitter_javascript", "language"),
    mentions=ecmascript.MENTIONS,
    query=ecmascript.query(field="field_definition", name="property"),
    constructors=ecmascript.CONSTRUCTORS,
    functions=ecmascript.FUNCTIONS,
    assignments=frozenset({"assignment_expression"}),
    run_once=frozenset({"class_static_block"}),
    memoizing=frozenset({"augmented_assignment_expression"}),
    declarations=frozenset({"variable_declarator"}),
    identifiers=ecmascript.IDENTIFIERS,
    conditions=frozenset({"if_statement", "ternary_expression"}),
    once_calls=frozenset({"once", "memoize", "memoizeOne", "lazy"}),
    constructor_names=frozenset({"constructor"}),
    classes=frozenset({"class_declaration", "class"}),
    closers=frozenset({"close", "disconnect"}),
    imports=modules.imports,
    handler=exported.handler,
    outliving=ecmascript.outliving,
    means=ecmascript.means,
    arguments=ecmascript.arguments,
    construction=ecmascript.construction,
    literal=ecmascript.literal,
    environment=ecmascript.environment,
    unpacked=ecmascript.unpacked,
    handed=ecmascript.handed,
    entries=exported.entries,
)
