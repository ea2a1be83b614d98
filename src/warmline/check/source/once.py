"""
What makes a construction happen once, though it stands in a function: a guard, a cache, a closure that runs once.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from tree_sitter import Node

from .facts import Lifetime
from .functions import Function, Functions
from .language import Language
from .tree import ancestors, last_name, names, target, text, within

_CALLS = frozenset(
    {
        "call_expression",
        "call",
        "method_invocation",
        "object_creation_expression",
        "implicit_object_creation_expression",
        "invocation_expression",
        "new_expression",
    }
)

# A closure is an argument of the call that runs it: argument, arguments, call.
_CLOSURE_DEPTH = 4

_SHORT_CIRCUITS = frozenset({"||", "&&", "??", "or", "and"})

_TYPE_ARGUMENTS = re.compile(r"<.*>", re.DOTALL)


def around(node: Node, language: Language) -> str | None:
    """
    Say why what stands here runs once wherever it is called from; ``None``: nothing around it says so.
    """
    for outer in ancestors(node):
        if outer.type in language.run_once:
            return "it stands in a static initialiser"
        if outer.type in language.functions and (call := _given_to(outer)) in language.once_calls:
            return f"{call} runs its function once"
        if outer.type == "macro_invocation":
            macro = outer.child_by_field_name("macro")
            return "a lazy static" if macro is not None and text(macro) in language.once_macros else None
    return None


def anew(node: Node, language: Language) -> tuple[Lifetime, str] | None:
    """
    Say how often what stands here runs if a call that it is given to runs it again and again.
    """
    for outer in ancestors(node):
        if outer.type in language.functions and (call := _given_to(outer)) in language.runs:
            return language.runs[call], f"{call} runs its function anew"
    return None


def _given_to(function: Node) -> str:
    """
    The call that a function is an argument of; empty: of none.
    """
    for depth, outer in enumerate(ancestors(function)):
        if depth == _CLOSURE_DEPTH:
            return ""
        if outer.type in _CALLS:
            for field in ("function", "name", "method", "type", "constructor"):
                if (callee := outer.child_by_field_name(field)) is not None:
                    return last_name(_TYPE_ARGUMENTS.sub("", text(callee)))
            # In Lazy<T> kept = new(() => …) the declaration names it.
            declared = outer.parent.parent.child_by_field_name("type") if outer.parent and outer.parent.parent else None
            return last_name(_TYPE_ARGUMENTS.sub("", text(declared))) if declared is not None else ""
    return ""


def guarded(node: Node, function: Function, functions: Functions) -> str | None:
    """
    Say by what it is kept from one call of its function to the next; ``None``: by nothing.

    A guard counts only if the name it looks at outlives the call: in ``client = None; if client is None:`` it does
    not.
    """
    language = functions.source.language
    if function.short in functions.once_references:
        return f"{function.short}() is given to a call that runs it once"
    if language.cached(function.node):
        return f"the result of {function.short}() is cached"
    shared = functions.shared(function)
    if not shared:
        return None
    early = functions.early_return(function)
    if early is not None and early <= node.start_byte:
        return "what is kept is returned before it"
    return _memoized(node, function, language, shared)


def _memoized(node: Node, function: Function, language: Language, shared: AbstractSet[str]) -> str | None:
    for outer in ancestors(node):
        if outer == function.node:
            return None
        if outer.type in language.memoizing and (operator := _memoizing_operator(outer)) is not None:
            given = target(outer)
            if given is not None and names(given, language.identifiers) & shared:
                return f"memoized with {operator}"
        if _short_circuit(outer, node, language, shared):
            return "it stands behind a condition on what is kept"
        if outer.type in language.conditions:
            asked = language.asked(outer)
            if asked is not None and not within(asked, node) and names(asked, language.identifiers) & shared:
                return "a condition on what is kept guards it"
    return None


def _short_circuit(outer: Node, node: Node, language: Language, shared: AbstractSet[str]) -> bool:
    """
    Whether it is the right side of ``kept || …`` or ``missing && …``.
    """
    operator, left = outer.child_by_field_name("operator"), outer.child_by_field_name("left")
    return (
        operator is not None
        and left is not None
        and text(operator) in _SHORT_CIRCUITS
        and not within(left, node)
        and bool(names(left, language.identifiers) & shared)
    )


def _memoizing_operator(node: Node) -> str | None:
    operator = node.child_by_field_name("operator")
    found = text(operator) if operator is not None else next((text(c) for c in node.children if not c.is_named), "")
    return found if found in ("||=", "??=") else None
