"""
Python: which functions are handlers, which ones a call means, and what outlives a call.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from tree_sitter import Node

from ..functions import CallSite, Function, Functions
from ..tree import Source, find, names, text

IDENTIFIERS = frozenset({"identifier"})

# Decorators of handlers: Powertools' and others'.
_HANDLER = re.compile(
    r"@[\w.]+\.(inject_lambda_context|lambda_handler|capture_lambda_handler|log_metrics)\b"
    r"|@(event_source|lambda_handler_decorator|idempotent|warmline\.handler)\b"
)

# Decorators of what a web application calls for every request, and Chalice for every event.
_ROUTE = re.compile(
    r"@[\w.]+\.(get|post|put|patch|delete|head|options|route|api_route|websocket|resolver|not_found|middleware"
    r"|exception_handler|errorhandler|before_request|after_request|teardown_request"
    r"|lambda_function|schedule|on_(s3|sns|sqs|ws|cw|kinesis|dynamodb)_\w+)\b"
)

# What hands a web application to Lambda.
ON_LAMBDA = re.compile(
    rb"^\s*(?:from|import)\s+(?:aws_lambda_powertools|chalice|mangum|aws_wsgi|awsgi|serverless_wsgi|apig_wsgi|zappa)\b",
    re.MULTILINE,
)

_CACHE = re.compile(r"@[\w.]*\b(lru_cache|alru_cache|cache|cached_property|cached|singleton|once|cache_resource)\b")

_EVENTS = frozenset({"event", "events", "evt", "raw_event", "lambda_event"})
_CONTEXTS = frozenset({"context", "ctx", "c", "lambda_context", ""})

# Methods that objects of other modules have too: a call of one says little about whose it is.
_COMMON = frozenset(
    {
        *("get", "pop", "update", "items", "keys", "values", "append", "add", "remove", "clear", "copy", "index"),
        *(
            "count",
            "insert",
            "find",
            "find_one",
            "insert_one",
            "insert_many",
            "update_one",
            "update_many",
            "delete_one",
        ),
        *("delete_many", "aggregate", "command", "close", "connect", "execute", "commit", "send", "put", "post"),
        *("delete", "patch", "run", "read", "write", "open", "start", "join", "format", "encode", "decode", "save"),
    }
)

_MUTATORS = frozenset({"setdefault", "update", "append", "add", "put", "set"})


def handler(function: Function, source: Source) -> str | None:
    """
    A function with an event and a context, or with a decorator of Lambda, or of a web application that is on Lambda.
    """
    above = _decorators(function.node)
    if _HANDLER.search(above):
        return "its decorator"
    if _ROUTE.search(above) and (source.on_lambda or ON_LAMBDA.search(source.data)):
        return "its decorator"
    if function.short.startswith("test_"):
        return None
    written = [text(node) for node in function.parameters if node.type not in ("keyword_separator", "dictionary_splat")]
    parameters = [re.split(r"[:=]", parameter)[0].strip() for parameter in written]
    if parameters[:1] in (["self"], ["cls"]):
        # Named so in full: gRPC's and others' methods take a context too.
        return "its parameters" if parameters[1:] == ["event", "context"] else None
    if len(parameters) != 2:
        return None
    if re.search(r":\s*[\w.]*LambdaContext\b", written[1]):
        return "its parameters"
    if parameters[0].strip("_") in _EVENTS and parameters[1].strip("_") in _CONTEXTS:
        return "its parameters"
    return None


def _decorators(function: Node) -> str:
    decorated = function.parent
    if decorated is None or decorated.type != "decorated_definition":
        return ""
    return (decorated.text or b"")[: function.start_byte - decorated.start_byte].decode("utf-8", "replace")


def cached(function: Node) -> bool:
    """
    A decorator keeps its result.
    """
    return _CACHE.search(_decorators(function)) is not None


def asked(node: Node) -> Node | None:
    """
    What a condition or the body of a ``try`` looks at.
    """
    if node.type == "conditional_expression":
        return node.named_children[1] if len(node.named_children) > 1 else None
    # A ``try`` looks at what it tries: the name, before ``except NameError`` gives it a value.
    field = {"match_statement": "subject", "try_statement": "body"}.get(node.type)
    return node.child_by_field_name(field or "condition")


def outliving(function: Node) -> set[str]:
    """
    Globals that the function gives a value, and what it gives an attribute or a key.
    """
    filled = {name for base, name in _filled(function) if base != "g" and not _is_made_here(base, function)}
    return {"globals", *_declared(function), *filled} - {"self", "cls"}


def _declared(node: Node) -> set[str]:
    found: set[str] = set()
    for statement in find(node, frozenset({"global_statement", "nonlocal_statement"})):
        found |= names(statement, IDENTIFIERS)
    return found


def _assigned(node: Node) -> list[tuple[Node, Node | None]]:
    found = []
    for assignment in find(node, frozenset({"assignment", "named_expression"})):
        left = assignment.child_by_field_name("left") or assignment.child_by_field_name("name")
        if left is not None:
            value = assignment.child_by_field_name("right") or assignment.child_by_field_name("value")
            found.append((left, value))
    return found


def _filled(node: Node) -> list[tuple[str, str]]:
    """
    What is given an attribute, a key or an element: the first name, and each name on the way.
    """
    holders = [left for left, _ in _assigned(node) if left.type in ("attribute", "subscript")]
    for call in find(node, frozenset({"call"})):
        function = call.child_by_field_name("function")
        method = function.child_by_field_name("attribute") if function is not None else None
        if function is not None and method is not None and text(method) in _MUTATORS:
            holder = function.child_by_field_name("object")
            if holder is not None and holder.type in ("identifier", "attribute"):
                holders.append(holder)
    ways = [[text(name) for name in find(_without_keys(holder), IDENTIFIERS)] for holder in holders]
    return [(way[0], name) for way in ways for name in way]


def _without_keys(holder: Node) -> Node:
    # A key does not outlive anything.
    value = holder.child_by_field_name("value") if holder.type == "subscript" else None
    return holder if value is None else _without_keys(value)


def _is_made_here(name: str, function: Node) -> bool:
    """
    Whether a local name is given an empty container, so that what is put into it ends with the call.
    """
    return any(
        text(left) == name
        and value is not None
        and (value.type in ("dictionary", "list", "set") or text(value) == "dict()")
        for left, value in _assigned(function)
    )


def bases(node: Node) -> tuple[str, ...]:
    """
    The classes that a class inherits from.
    """
    given = node.child_by_field_name("superclasses")
    return tuple(text(base) for base in given.named_children if base.type == "identifier") if given is not None else ()


def scoped(source: Source) -> Iterator[Node]:
    """
    ``with client:``.
    """
    for item in source.find(frozenset({"with_item"})):
        value = item.child_by_field_name("value")
        if value is not None and value.type in ("identifier", "attribute"):
            yield value


def means(call: CallSite, function: Function, functions: Functions) -> bool:
    """
    Whether a call may mean a function: a plain one a function or a class, a method's by what it is called on.
    """
    owner = _class_of(function.node)
    receiver = _receiver(call)
    if receiver is None:
        return owner is None or call.name != function.short
    if owner is None or call.name != function.short:
        return False
    enclosing = _class_of(functions.owner(call.node).node) if functions.owner(call.node) else None  # type: ignore[union-attr]
    if receiver in ("self", "cls"):
        same = [found for found in functions.named(call.name) if _class_of(found.node) == enclosing]
        return owner == enclosing or not same
    if receiver == "super()":
        return owner in functions.classes.get(enclosing or "", ())
    if receiver in functions.classes:
        return owner == receiver or owner in functions.classes[receiver]
    if receiver.partition(".")[0] in functions.imported:
        return False
    made = _made(functions).get(receiver.rpartition(".")[2])
    if made:
        return owner in made or any(owner in functions.classes[name] for name in made)
    return call.name not in _COMMON


def _receiver(call: CallSite) -> str | None:
    attribute = call.callee.parent
    if attribute is None or attribute.type != "attribute" or attribute.child_by_field_name("attribute") != call.callee:
        return None
    held = attribute.child_by_field_name("object")
    return text(held) if held is not None else None


def _class_of(function: Node) -> str | None:
    """
    The class that a function is a method of; a function within a method is none.
    """
    outer = function.parent
    if outer is not None and outer.type == "decorated_definition":
        outer = outer.parent
    owner = outer.parent if outer is not None and outer.type == "block" else None
    if owner is None or owner.type != "class_definition":
        return None
    name = owner.child_by_field_name("name")
    return text(name) if name is not None else None


@functools.lru_cache(maxsize=4)
def _made(functions: Functions) -> dict[str, set[str]]:
    """
    The names that are given an object of one of the file's classes, and of which.
    """
    made: dict[str, set[str]] = {}
    for left, value in _assigned(functions.source.root):
        callee = value.child_by_field_name("function") if value is not None and value.type == "call" else None
        if callee is not None and text(callee) in functions.classes:
            made.setdefault(text(left).rpartition(".")[2], set()).add(text(callee))
    return made
