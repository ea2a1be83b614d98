"""
A code file's text, read into facts.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterable, Iterator

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser, Query

from ..finding import Step
from ..location import Location
from ..values import Value
from .clients import callee_text, clients
from .evaluate import Values
from .facts import Assignment, Call, CodeFacts, EntryPoint, Option
from .functions import Function, Functions
from .language import Language
from .once import around, guarded
from .reach import Reach, from_handlers, from_init
from .tree import Source, ancestors, assigned, target, text

# A connection string, wherever it stands.
_CONNECTION_STRING = re.compile(r"mongodb(\+srv)?://")

# tree-sitter makes a tree of anything; one that is mostly errors says nothing.
_MOST_ERRORS = 0.2


def read_source(
    path: str,
    data: bytes,
    language: Language,
    *,
    handlers: Iterable[str] = (),
    called: str | None = None,
    on_lambda: bool = False,
) -> CodeFacts:
    """
    Read one file.

    :param path: as findings show it.
    :param data: the file, UTF-8.
    :param handlers: the names of its functions that templates name as handlers.
    :param called: what another file calls for every invocation: a function or a class (``connect``), a class's method
        (``Database.connect``), or a method of an object that the file exports (``*.connect``).
    :param on_lambda: whether the project is seen to hand a web application to Lambda.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte {error.start} can't be read; save it as UTF-8"
        return CodeFacts(path=path, language=language.name, problem=problem)
    parser, query = _tools(language)
    root = parser.parse(data).root_node
    source = Source(path, data, root, language, on_lambda)
    functions = Functions(source, query, handlers)
    if called is not None:
        functions.call_from_outside(called)
    values = Values(source)
    imported = tuple(language.imports(source))
    by_name = {found.name: found for found in imported}
    reach = from_handlers(functions)
    return CodeFacts(
        path=path,
        language=language.name,
        clients=tuple(clients(functions, values, by_name, reach, from_init(functions))),
        calls=tuple(_calls(functions, values, reach)),
        entry_points=tuple(
            _entry_point(function, function.handler, source) for function in functions if function.handler is not None
        ),
        imports=imported,
        assignments=tuple(_assignments(functions, values)),
        strings=tuple(_strings(source, values)),
        functions=tuple(function.name for function in functions),
        classes=tuple(functions.classes),
        problem=_problem(source),
    )


def parses(data: bytes, language: Language) -> bool:
    """
    Tell whether all of a file can be parsed.
    """
    parser, _ = _tools(language)
    return not parser.parse(data).root_node.has_error


def comments(data: bytes, language: Language) -> Iterator[tuple[int, str, str]]:
    """
    Yield a file's comments: the line that each begins in, from 1, what stands before it there, and its text.
    """
    parser, _ = _tools(language)
    stack = [parser.parse(data).root_node]
    while stack:
        node = stack.pop()
        if "comment" in node.type:
            line, column = node.start_point
            before = data[node.start_byte - column : node.start_byte].decode("utf-8", "replace")
            yield line + 1, before, text(node)
        else:
            stack.extend(reversed(node.children))


@functools.cache
def _tools(language: Language) -> tuple[Parser, Query]:
    module, function = language.grammar
    grammar = Grammar(getattr(importlib.import_module(module), function)())
    return Parser(grammar), Query(grammar, language.query)


def _calls(functions: Functions, values: Values, reach: Reach) -> Iterable[Call]:
    source = functions.source
    for call in functions.calls:
        owner = functions.owner(call.node)
        arguments = source.language.arguments(call.node)
        written = callee_text(call)
        receiver = written.removesuffix(call.name).rstrip("?.:!") or None
        yield Call(
            name=call.name,
            text=written,
            receiver=receiver,
            location=source.at(call.node),
            function=owner.name if owner is not None else None,
            path=_way(call.node, call.name, owner, functions, reach),
            arguments=tuple(values.of(node) for node in arguments.positional),
            keywords=tuple(Option(name, values.of(node)) for name, node in arguments.named),
        )
    for name in source.language.scoped(source):
        owner = functions.owner(name)
        yield Call(
            name="with",
            text=f"with {text(name)}",
            receiver=text(name),
            location=source.at(name),
            function=owner.name if owner is not None else None,
            path=_way(name, "with", owner, functions, reach),
        )


def _way(node: Node, name: str, owner: Function | None, functions: Functions, reach: Reach) -> tuple[Step, ...]:
    if owner is None or owner.node.id not in reach.ways or functions.is_init(owner):
        return ()
    if around(node, functions.source.language) is not None or guarded(node, owner, functions) is not None:
        return ()
    return (*reach.ways[owner.node.id], Step(name, functions.source.at(node)))


def _entry_point(function: Function, why: str, source: Source) -> EntryPoint:
    body = function.node.child_by_field_name("body")
    # An arrow function's body may be an expression.
    is_block = body is not None and body.type.endswith("block")
    statements = [node for node in body.named_children if "comment" not in node.type] if body and is_block else []
    return EntryPoint(
        name=function.name,
        location=source.at(function.node),
        why=why,
        parameters=tuple(text(parameter) for parameter in function.parameters),
        asynchronous=function.asynchronous,
        body=_before(source.at(statements[0])) if statements else None,
    )


def _before(location: Location) -> Location:
    line, column, start = location.line, location.column, location.start
    return Location(location.path, line, column, line, column, start, start)


def _assignments(functions: Functions, values: Values) -> Iterable[Assignment]:
    source = functions.source
    language = source.language
    for node in source.find(language.assignments | language.declarations):
        given = target(node)
        value = assigned(node)
        if given is not None and value is not None:
            owner = functions.owner(node)
            yield Assignment(text(given), values.of(value), owner.name if owner is not None else None)


def _strings(source: Source, values: Values) -> Iterable[Value]:
    seen: set[int] = set()
    stack = [source.root]
    while stack:
        node = stack.pop()
        if any(isinstance(part, str) for part in source.language.literal(node) or ()):
            outer = _concatenation(node, source.language)
            if outer.id not in seen and _CONNECTION_STRING.search(text(outer)):
                seen.add(outer.id)
                yield values.of(outer)
        else:
            stack.extend(reversed(node.named_children))


def _concatenation(node: Node, language: Language) -> Node:
    outermost = node
    for outer in ancestors(node):
        if outer.type not in language.concatenations and outer.type != "parenthesized_expression":
            break
        outermost = outer
    return outermost


def _problem(source: Source) -> str | None:
    if not source.root.has_error or not source.data:
        return None
    wrong = sum(node.end_byte - node.start_byte for node in source.find(frozenset({"ERROR"})))
    if wrong < _MOST_ERRORS * len(source.data):
        return None
    return f"most of it is no {source.language.title} that can be parsed"
