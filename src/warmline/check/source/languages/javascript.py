"""
JavaScript.
"""

from __future__ import annotations

import tree_sitter_javascript

from ..language import Language
from . import ecmascript

LANGUAGE = Language(
    name="javascript",
    title="JavaScript",
    extensions=(".js", ".mjs", ".cjs", ".jsx"),
    comment="//",
    grammar=tree_sitter_javascript.language,
    mentions=ecmascript.MENTIONS,
    query=ecmascript.QUERY,
    constructors=ecmascript.CONSTRUCTORS,
    functions=ecmascript.FUNCTIONS,
    assignments=frozenset({"assignment_expression"}),
    memoizing=frozenset({"augmented_assignment_expression"}),
    declarations=frozenset({"variable_declarator"}),
    identifiers=ecmascript.IDENTIFIERS,
    once_calls=frozenset({"once", "memoize", "memoizeOne", "lazy"}),
    constructor_names=frozenset({"constructor"}),
    classes=frozenset({"class_declaration", "class"}),
    closers=frozenset({"close", "disconnect"}),
    imports=ecmascript.imports,
    handler=ecmascript.handler,
    outliving=ecmascript.outliving,
    arguments=ecmascript.arguments,
    construction=ecmascript.construction,
    literal=ecmascript.literal,
    environment=ecmascript.environment,
    unpacked=ecmascript.unpacked,
)
