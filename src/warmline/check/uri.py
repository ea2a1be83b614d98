"""
The options of a client: those within its connection string, and those beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import unquote

from warmline.facts.uri_options import URI_OPTIONS

from .finding import Edit
from .location import Location
from .source.facts import Client, Option
from .values import HOLE, Value

_CANONICAL = {name.lower(): name for name in URI_OPTIONS}


def canonical(name: str) -> str:
    """
    Return an option's name as the specification spells it: connection strings and PyMongo take it in any case.
    """
    return _CANONICAL.get(name.lower(), name)


def client_options(client: Client) -> Mapping[str, Value]:
    """
    Return what a client's options are set to, by their names in canonical case.

    What stands in the code wins over what stands in the connection string.
    """
    given = (*(uri_options(client.uri) if client.uri is not None else ()), *client.options)
    return {canonical(option.name): option.value for option in given}


def options_known(client: Client) -> bool:
    """
    Tell whether :func:`client_options` are all that the client has.
    """
    return client.options_known and (client.uri is None or uri_options_known(client.uri))


def uri_options(uri: Value) -> tuple[Option, ...]:
    """
    Return the options within a connection string, as far as its text is known.

    :return: all have the location of the whole string.
    """
    return tuple(
        Option(canonical(name), _value(unquote(value), uri)) for name, value in _pairs(_query(uri)) if HOLE not in name
    )


def uri_options_known(uri: Value) -> bool:
    """
    Tell whether :func:`uri_options` are all: nothing that is unknown stands where options may stand.
    """
    if uri.text is None or defaulted(uri):
        return False
    if "?" not in uri.text:
        # What follows the slash, or the host if there is none, may go on with options.
        return HOLE not in uri.text.rpartition("/")[2].rpartition("@")[2]
    # "…&ssl=false" + more: what is glued to a value may go on with options.
    return not any(HOLE in name or (value.endswith(HOLE) and value != HOLE) for name, value in _pairs(_query(uri)))


def defaulted(value: Value) -> bool:
    """
    Tell whether the text is only what stands in for an environment variable that is not set.
    """
    read = set(value.environment) & set(value.parts)
    return value.text is not None and value.text.count(HOLE) < len(read)


def _query(uri: Value) -> str:
    return (uri.text or "").partition("?")[2]


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    # The older separator is still taken by drivers.
    for pair in query.replace(";", "&").split("&"):
        name, _, value = pair.partition("=")
        if name:
            yield name.strip(), value.strip()


def _value(text: str, uri: Value) -> Value:
    if HOLE in text or defaulted(uri):
        return replace(uri, text=text if text != HOLE else None)
    return Value(text, uri.location)


def with_option(uri: Value, name: str, value: str) -> Edit | None:
    """
    Return the edit that adds an option to a connection string; ``None``: it is no plain literal where it is used.
    """
    at = uri.location
    # A quote on each side, and nothing else: no prefix, no escape, no name of a constant.
    if uri.text is None or HOLE in uri.text or at.end - at.start != len(uri.text.encode()) + 2:
        return None
    before = "&" if "?" in uri.text else "?" if "/" in uri.text.partition("://")[2] else "/?"
    end, column = at.end - 1, at.end_column - 1
    return Edit(Location(at.path, at.end_line, column, at.end_line, column, end, end), f"{before}{name}={value}")
