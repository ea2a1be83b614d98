"""
Which of the things that a JavaScript or TypeScript module exports are handlers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from ..functions import Function
from ..tree import Source, find, last_name, text
from .modules import exports, imports

_NAMES = frozenset({"handler", "lambdaHandler", "lambda_handler"})

_EVENT = re.compile(r"\s*_*(event|evt|e|req|request)\b|.*:\s*\w*Event\b", re.DOTALL)

_CONTEXT = re.compile(r"\s*_*(context|ctx)\b|.*:\s*Context\b", re.DOTALL)

_TYPE = re.compile(r"\bHandler\b|\b(APIGateway|SQS|SNS|S3|Scheduled|DynamoDB|EventBridge|Kinesis|ALB)\w*Handler\b")

# What makes a handler of the function that it is given.
_WRAPPER = re.compile(r"middy|lambda\w*|\w*[hH]andler")

# The same, if that function takes an event: others are wrapped too.
_MAYBE_WRAPPER = re.compile(r"with[A-Z]\w*|\w*[wW]rap\w*")

# What makes a handler of a web application.
_ADAPTERS = frozenset(
    {
        "serverless-http",
        "aws-serverless-express",
        "aws-serverless-fastify",
        "aws-lambda-fastify",
        "serverless-express",
        "@vendia/serverless-express",
        "@codegenie/serverless-express",
        "@fastify/aws-lambda",
        "hono/aws-lambda",
        "lambda-api",
    }
)

_FUNCTIONS = frozenset({"function_declaration", "function_expression", "arrow_function", "method_definition"})

_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "all"})


@dataclass(frozen=True, slots=True)
class _Exported:
    """
    What a module exports: by the ids of nodes, and by the names that it uses for it itself.
    """

    nodes: Mapping[int, str]
    names: Mapping[str, str]


@functools.lru_cache(maxsize=1)
def _exported(source: Source) -> _Exported:
    nodes: dict[int, str] = {}
    names: dict[str, str] = {}
    for export in exports(source):
        nodes[export.value.id] = export.name
        if export.value.type in ("identifier", "shorthand_property_identifier"):
            names[text(export.value)] = export.name
    return _Exported(nodes, names)


def handler(function: Function, source: Source) -> str | None:
    """
    An exported function that is called handler, or takes an event.
    """
    exported = _exported(source)
    name = exported.nodes.get(function.node.id) or exported.names.get(function.name)
    if name is None:
        return None
    if name in _NAMES or function.short in _NAMES:
        return "its name"
    parameters = [text(parameter).lstrip("{( ") for parameter in function.parameters]
    if parameters and _EVENT.match(parameters[0]):
        return "its parameters"
    if len(parameters) > 1 and _CONTEXT.match(parameters[1]):
        return "its parameters"
    declarator = function.node.parent
    kind = declarator.child_by_field_name("type") if declarator is not None else None
    return "its type" if kind is not None and _TYPE.search(text(kind)) else None


def entries(source: Source) -> Iterator[Node]:
    """
    Yield what is exported as a handler and is made by a call, and the routes of an application that such a call wraps.
    """
    found = False
    for export in exports(source):
        node = _bare(export.value)
        if export.name in _NAMES or (node.type == "call_expression" and _wraps_handler(node, source)):
            found = True
            if node.type not in _FUNCTIONS:
                yield node
    if found and any(imported.module in _ADAPTERS for imported in imports(source)):
        yield from _routes(source)


def _wraps_handler(call: Node, source: Source) -> bool:
    called = _called(call)
    if _WRAPPER.fullmatch(called):
        return True
    if not _MAYBE_WRAPPER.fullmatch(called):
        return False
    given = set()
    for arguments in find(call, frozenset({"arguments"})):
        given |= {text(node) for node in arguments.named_children if node.type == "identifier"}
    functions = [*find(call, _FUNCTIONS)]
    for node in source.find(frozenset({"function_declaration", "variable_declarator"})) if given else ():
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value") or node
        if name is not None and text(name) in given and value.type in _FUNCTIONS:
            functions.append(value)
    return any(_takes_event(function) for function in functions)


def _takes_event(function: Node) -> bool:
    parameters = function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
    return parameters is not None and _EVENT.match(text(parameters).lstrip("{( ")) is not None


def _bare(node: Node) -> Node:
    while node.type in ("as_expression", "satisfies_expression", "parenthesized_expression", "await_expression"):
        node = node.named_children[0]
    return node


def _called(call: Node) -> str:
    """
    What a chain of calls begins with: ``middy`` of ``middy(base).use(…)``.
    """
    callee: Node | None = call
    while callee is not None and (
        inner := callee.child_by_field_name("function") or callee.child_by_field_name("object")
    ):
        if callee.type == "member_expression" and inner.type not in ("call_expression", "member_expression"):
            break
        callee = inner
    return last_name(text(callee)) if callee is not None else ""


def _routes(source: Source) -> Iterator[Node]:
    for call in source.find(frozenset({"call_expression"})):
        callee, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if callee is None or given is None or callee.type != "member_expression":
            continue
        method, arguments = callee.child_by_field_name("property"), given.named_children
        if method is None or len(arguments) < 2 or text(method) not in _ROUTES:
            continue
        if arguments[0].type in ("string", "template_string", "regex"):
            yield from (node for node in arguments[1:] if node.type in ("arrow_function", "function_expression"))


__all__ = ["entries", "handler"]
