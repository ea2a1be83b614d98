"""
What is known of one code file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..finding import Step
from ..location import Location
from ..values import Value


class Lifetime(StrEnum):
    """
    How often a client is constructed.
    """

    ONCE = "once"
    PER_INVOCATION = "per-invocation"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Option:
    """
    One option of a client, with the name that MongoDB's connection strings give it (``maxIdleTimeMS``) and its unit.
    """

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Move:
    """
    How a statement can be moved from a handler to the module.

    :param lines: the statement's whole lines.
    :param before: an empty stretch before the statement of the module that has the handler.
    :param statement: its text, without indent, and the empty lines after it.
    """

    lines: Location
    before: Location
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """
    One place that constructs a client, or connects what holds one.

    :param driver: ``pymongo``, ``motor``, ``mongodb`` (Node), ``mongoose`` and so on, as the package is called.
    :param call: the construction as it is written, without its arguments (``new MongoClient``).
    :param location: the whole construction.
    :param function: the function that it stands in, ``None`` at module level.
    :param why: what the lifetime rests on, in a few words.
    :param path: from the handler to the construction, where it is per invocation.
    :param name: the variable, field or attribute that keeps it, ``None`` where none does.
    :param outlives: whether that name lives longer than the call.
    :param uri: the connection string; ``None`` where the construction has none.
    :param options: those that stand in the code; those within the connection string are not repeated here.
    :param options_known: whether those are all: no ``**options``, no object made elsewhere.
    :param across_files: whether the lifetime rests on a call in another file.
    :param reconnects: constructing it again reuses the connections of the first one, as ``mongoose.connect`` does.
    :param move: how to move it to module level, where that is safe.
    """

    driver: str
    call: str
    location: Location
    function: str | None
    lifetime: Lifetime
    why: str
    path: tuple[Step, ...] = ()
    name: str | None = None
    outlives: bool = False
    asynchronous: bool = False
    uri: Value | None = None
    options: tuple[Option, ...] = ()
    options_known: bool = False
    reconnects: bool = False
    across_files: bool = False
    move: Move | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    A call of anything.

    :param name: what is called, without what it belongs to (``close``).
    :param text: all of it, as it is written (``client.close``).
    :param receiver: what it belongs to, as it is written (``client``), ``None`` for a plain function.
    :param function: the function that it stands in, ``None`` at module level.
    :param path: from a handler to it, the call itself last; empty where no handler is known to reach it, or where a
        guard lets it happen once.
    :param arguments: those without a name, in their order.
    :param keywords: those with one: keyword arguments, and the pairs of an object that is an argument.
    """

    name: str
    text: str
    receiver: str | None
    location: Location
    function: str | None
    path: tuple[Step, ...] = ()
    arguments: tuple[Value, ...] = ()
    keywords: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """
    A function that Lambda's runtime or a framework on it calls for every invocation.

    :param why: by what it is known as one (``its name``, ``the template``).
    :param body: where the first statement of its body begins, for a fix that adds one.
    """

    name: str
    location: Location
    why: str
    parameters: tuple[str, ...] = ()
    asynchronous: bool = False
    body: Location | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """
    A name that comes from another module.

    :param module: as it is written (``./db``, ``app.core``); empty where a language names none.
    :param imported: the name there; ``None`` for the whole module.
    """

    name: str
    module: str
    imported: str | None
    location: Location


@dataclass(frozen=True, slots=True)
class Assignment:
    """
    A value given to a name, an attribute or a field.

    :param target: as it is written (``context.callbackWaitsForEmptyEventLoop``).
    """

    target: str
    value: Value
    function: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """
    One code file.

    :param language: as :class:`~warmline.check.source.language.Language` names it.
    :param strings: literal texts that a rule may want to see: connection strings, also within longer expressions.
    :param functions: the names of all functions.
    :param classes: the names of all classes.
    :param problem: why it could not be read, or only in part; one line.
    """

    path: str
    language: str
    clients: tuple[Client, ...] = ()
    calls: tuple[Call, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    imports: tuple[Import, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    strings: tuple[Value, ...] = ()
    functions: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    problem: str | None = None
