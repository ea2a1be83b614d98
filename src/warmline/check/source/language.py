"""
What the engine must know of a language: node kinds, a query, and a few functions for what differs in shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tree_sitter import Node

from .facts import Import, Lifetime
from .tree import Source

if TYPE_CHECKING:
    from .functions import CallSite, Function, Functions

Part = str | Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Constructor:
    """
    A call that constructs a client, or connects what holds one.

    :param call: a regular expression for all of the callee's text, with imported names resolved
        (``new MongoClient``, ``mongo.Connect``).
    :param uri: which argument is the connection string, from 0; ``None`` where none is.
    :param uri_names: the keyword arguments that may be it.
    :param shown: how to write it, where the code does not say what it constructs.
    :param shared: constructing it again returns the same client, as ``warmline.connect`` does.
    """

    driver: str
    call: str
    uri: int | None = 0
    uri_names: tuple[str, ...] = ()
    asynchronous: bool = False
    reconnects: bool = False
    shared: bool = False
    shown: str | None = None


def _condition(node: Node) -> Node | None:
    return node.child_by_field_name("condition")


@dataclass(frozen=True, slots=True)
class Arguments:
    """
    A call's arguments as nodes.

    :param complete: whether those are all: nothing is unpacked into them.
    """

    positional: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """
    An option that a client is constructed with.

    :param name: as connection strings call it (``maxIdleTimeMS``), whatever the language calls it.
    :param factor: a number in the code times this is the option's value in its own unit: 1000 for the seconds of
        ``max_idle_time: 60``.
    :param text: the option's value where the node shows it in another way (``AuthMechanism::MongoDbAws``).
    """

    name: str
    node: Node
    factor: int = 1
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Construction:
    """
    What a client is constructed with.

    :param settings: the options that stand in the code beside the connection string.
    :param complete: whether those are all.
    """

    uri: Node | None = None
    settings: tuple[Setting, ...] = ()
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Language:
    """
    One language.

    Captures of ``query``: ``@function`` with ``@function.name`` (without one it is the module's default export);
    ``@callee`` within ``@call``; ``@entry``, an argument that is handed to Lambda's runtime.

    :param comment: what begins a comment to the end of the line.
    :param grammar: the module of the tree-sitter grammar and the function there that returns it; imported when a file
        of the language is read, since all of them together take longer than most runs.
    :param mentions: a file in which none of these stands has no client.
    :param qualified: constructors are written with the module that they come from (``pymongo.MongoClient``), so that
        another module's ``MongoClient`` is none.
    :param functions: kinds whose body runs later than where it stands.
    :param early: kinds within such a function that are evaluated where it is defined (default values).
    :param run_once: kinds that run once in an environment (static initialisers).
    :param assignments: kinds that give a value to a name that is there already, or make one (Python, Ruby).
    :param memoizing: kinds of ``||=`` and ``??=``.
    :param declarations: kinds that make a name local to the block they stand in.
    :param identifiers: kinds of names.
    :param conditions: kinds of ``if``.
    :param returns: kinds of ``return``.
    :param concatenations: kinds of ``a + b``.
    :param once_calls: callees that run the function they are given once.
    :param runs: callees that run the function they are given more often than once, and how often.
    :param once_macros: macros whose content runs once.
    :param handler_names: functions that are handlers by their name.
    :param init_names: functions that the runtime calls once, before any invocation.
    :param properties: whether a name alone may run a function of the file, which the query captures as ``@callee``.
    :param constructor_names: methods that construct an object of the class they stand in.
    :param classes: kinds of class definitions.
    :param on_lambda: what in a file shows that the web application of its folder, and of those in it, is on Lambda.
    :param closers: methods that close a client.

    :param imports: the names that come from other modules.
    :param handler: by what a function's own text shows that it is an entry point (``None``: by nothing).
    :param outliving: the names that are given a value in a function and live longer than its call.
    :param cached: whether a function's result is kept, by a decorator say.
    :param asked: what a node of ``conditions`` looks at before it runs what is in it.
    :param means: whether a call may mean a function of its name.
    :param bases: the classes that a class inherits from.
    :param scoped: names of what is closed when a block ends (``with client:``).
    :param arguments: the arguments of a call.
    :param construction: what a client is constructed with; ``None``: it is no construction, with these arguments.
    :param literal: the parts of a literal, text and embedded expressions; ``None``: the node is no literal.
    :param environment: the environment variable that an expression reads, and its default if it has one.
    :param unpacked: the names that are given environment variables by taking an object apart, and those variables.
    :param handed: what is given the client by a function that a construction hands it to.
    :param entries: what a file exports as a handler, where that is no function with a name.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    comment: str
    grammar: tuple[str, str]
    mentions: tuple[bytes, ...]
    query: str
    constructors: tuple[Constructor, ...]
    qualified: bool = False
    functions: frozenset[str]
    early: frozenset[str] = frozenset()
    run_once: frozenset[str] = frozenset()
    assignments: frozenset[str] = frozenset()
    memoizing: frozenset[str] = frozenset()
    declarations: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset({"identifier"})
    conditions: frozenset[str] = frozenset({"if_statement"})
    returns: frozenset[str] = frozenset({"return_statement"})
    concatenations: frozenset[str] = frozenset({"binary_expression"})
    once_calls: frozenset[str] = frozenset()
    runs: Mapping[str, Lifetime] = field(default_factory=dict)
    once_macros: frozenset[str] = frozenset()
    handler_names: frozenset[str] = frozenset()
    init_names: frozenset[str] = frozenset()
    properties: bool = False
    constructor_names: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    on_lambda: re.Pattern[bytes] | None = None
    closers: frozenset[str] = frozenset({"close"})

    imports: Callable[[Source], Iterator[Import]]
    handler: Callable[[Function, Source], str | None]
    outliving: Callable[[Node], set[str]]
    cached: Callable[[Node], bool] = lambda _: False
    asked: Callable[[Node], Node | None] = _condition
    means: Callable[[CallSite, Function, Functions], bool] = lambda *_: True
    bases: Callable[[Node], tuple[str, ...]] = lambda _: ()
    scoped: Callable[[Source], Iterator[Node]] = lambda _: iter(())
    arguments: Callable[[Node], Arguments]
    construction: Callable[[Node, Constructor, Source], Construction | None]
    literal: Callable[[Node], tuple[Part, ...] | None]
    environment: Callable[[Node], tuple[str, Node | None] | None]
    unpacked: Callable[[Source], Iterator[tuple[str, str]]] = lambda _: iter(())
    handed: Callable[[Node], Node | None] = lambda _: None
    entries: Callable[[Source], Iterator[Node]] = lambda _: iter(())
