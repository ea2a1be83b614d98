"""
The clients that a file constructs, and how often each of them is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tree_sitter import Node

from ..finding import Step
from ..values import Value, decimal
from .evaluate import Values
from .facts import Client, Import, Lifetime, Option
from .functions import CONSTRUCTORS, CallSite, Function, Functions
from .language import Constructor, Setting
from .movable import move
from .once import anew, around, guarded
from .reach import Reach
from .tree import REFERENCES, Source, ancestors, names, target, text, within

_SPACE = re.compile(r"\s+")


def clients(
    functions: Functions, values: Values, imports: Mapping[str, Import], reach: Reach, init: frozenset[int]
) -> Iterator[Client]:
    """
    Yield every construction of a client, in the order of the text.
    """
    source = functions.source
    found: dict[int, tuple[CallSite, Constructor]] = {}
    for call in functions.calls:
        constructor = _constructor(call, functions, imports, values)
        if constructor is not None:
            found[call.node.start_byte] = (call, constructor)
    for call, constructor in (found[start] for start in sorted(found)):
        construction = source.language.construction(call.node, constructor, source)
        if construction is None:
            continue
        owner = functions.owner(call.node)
        lifetime, why, path = (
            (Lifetime.ONCE, f"{callee_text(call)} returns the same client each time", ())
            if constructor.shared
            else _lifetime(call, owner, functions, reach, init)
        )
        kept = _kept_in(call.node, source) or source.language.handed(call.node)
        yield Client(
            driver=constructor.driver,
            call=constructor.shown or callee_text(call),
            location=source.at(call.node),
            function=owner.name if owner is not None else None,
            lifetime=lifetime,
            why=why,
            path=path,
            name=text(kept) if kept is not None else None,
            outlives=kept is not None and _outlives(kept, owner, source),
            asynchronous=constructor.asynchronous,
            uri=values.of(construction.uri) if construction.uri is not None else None,
            options=tuple(Option(setting.name, _value(setting, values)) for setting in construction.settings),
            options_known=construction.complete,
            reconnects=constructor.reconnects,
            move=(
                move(call, text(kept) if kept is not None else None, owner, functions)
                if owner is not None and lifetime is Lifetime.PER_INVOCATION
                else None
            ),
        )


def _value(setting: Setting, values: Values) -> Value:
    if setting.text is not None:
        return Value(setting.text, values.of(setting.node).location)
    return _scaled(values.of(setting.node), setting.factor)


def _scaled(value: Value, factor: int) -> Value:
    if factor == 1 or value.number is None:
        return value
    return replace(value, text=decimal(value.number * factor))


def callee_text(call: CallSite) -> str:
    """
    Return what is called as it is written, with ``new`` before a constructor, in one line and without arguments.
    """
    node = call.node
    if (macro := node.child_by_field_name("macro")) is not None:
        return f"{text(macro)}!"
    if node.type.endswith("parameter"):
        # Its default or annotation names what is called with the function: Depends(connect).
        return call.name
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        # That of new(…) has no name of its own.
        arguments = next((child for child in node.named_children if child.type == "argument_list"), None)
    stop = arguments.start_byte if arguments is not None else node.end_byte
    whole = (node.text or b"")[: stop - node.start_byte].decode("utf-8", "replace")
    return _SPACE.sub(" ", whole).strip().replace(" .", ".")


def _constructor(
    call: CallSite, functions: Functions, imports: Mapping[str, Import], values: Values
) -> Constructor | None:
    language = functions.source.language
    written = re.sub(r"<.*>", "", callee_text(call))
    new, bare = ("new ", written[4:]) if written.startswith("new ") else ("", written)
    if bare in functions.classes:
        # The file has a class of its own by this name.
        return None
    candidates = [new + name for name in _resolved(bare, imports, values)]
    # With its module first.
    imported = re.split(r"\W", bare, maxsplit=1)[0] in imports
    candidates = candidates[:1] if language.qualified and imported else [written, *candidates]
    for constructor in language.constructors:
        if any(re.fullmatch(constructor.call, candidate) for candidate in candidates):
            return constructor
    return None


def _resolved(callee: str, imports: Mapping[str, Import], values: Values) -> Iterator[str]:
    """
    Yield the callee with its first name replaced by what that name was imported as, or is another name for.
    """
    head, rest = re.match(r"([\w$]*)(.*)", callee, re.DOTALL).groups()  # type: ignore[union-attr]
    imported = imports.get(head)
    if imported is not None:
        yield f"{imported.module}{rest if imported.imported is None else f'.{imported.imported}{rest}'}"
        yield f"{imported.imported or head}{rest}"
    elif (constant := values.constant(head)) is not None and constant.type in REFERENCES:
        yield f"{text(constant).rpartition('.')[2]}{rest}"


def _lifetime(
    call: CallSite, owner: Function | None, functions: Functions, reach: Reach, init: frozenset[int]
) -> tuple[Lifetime, str, tuple[Step, ...]]:
    source, node = functions.source, call.node
    if (why := around(node, source.language)) is not None:
        return Lifetime.ONCE, why, ()
    if (again := anew(node, source.language)) is not None:
        return *again, ()
    if owner is None:
        if functions.closure(node) is not None:
            return Lifetime.UNKNOWN, "it stands in a function without a name", ()
        return Lifetime.ONCE, "it stands at module level", ()
    if (why := guarded(node, owner, functions)) is not None:
        return Lifetime.ONCE, why, ()
    if functions.is_init(owner):
        return Lifetime.ONCE, f"{owner.short}() runs once", ()
    if owner.node.id in reach.ways:
        why = owner.handler or f"{owner.short}() is called for every invocation"
        return Lifetime.PER_INVOCATION, why, (*reach.ways[owner.node.id], Step(callee_text(call), source.at(node)))
    if owner.node.id in init:
        return Lifetime.ONCE, f"{owner.short}() is called by code that runs once", ()
    if owner.node.id in reach.kept:
        return Lifetime.ONCE, f"a guard lets {owner.short}() be called once", ()
    if owner.node.type in CONSTRUCTORS:
        return Lifetime.ONCE, "its object is not constructed by a handler", ()
    return Lifetime.UNKNOWN, f"no handler in this file is seen to call {owner.short}()", ()


def _kept_in(node: Node, source: Source) -> Node | None:
    """
    What the construction is assigned to, if it is, in the same function.
    """
    language = source.language
    for outer in ancestors(node):
        if outer.type in language.functions:
            return None
        if outer.type in language.assignments | language.declarations | language.memoizing:
            given = target(outer)
            return given if given is not None and not within(given, node) else None
    return None


def _outlives(kept: Node, owner: Function | None, source: Source) -> bool:
    if owner is None:
        return True
    language = source.language
    return bool(names(kept, language.identifiers) & language.outliving(owner.node))
