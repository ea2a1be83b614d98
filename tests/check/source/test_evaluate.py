from __future__ import annotations

import pytest

from warmline.check.read import read_project
from warmline.check.source.facts import Client


def client(source: str, path: str = "handler.js") -> Client:
    (facts,) = read_project({path: source.encode()}).code
    (found,) = facts.clients
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("60 * 1000", "60000"),
        ("60 * 60 * 1000", "3600000"),
        ("500 + 500", "1000"),
        ("MINUTE", "60000"),
        ("LONG - 1", None),
        ("pick(1)", None),
    ],
)
def test_a_number_that_is_calculated_is_known_where_its_parts_are(expression: str, expected: str | None) -> None:
    found = client(f"const MINUTE = 60_000;\nnew MongoClient(uri, {{ maxIdleTimeMS: {expression} }});")
    assert [option.value.text for option in found.options] == [expected]


@pytest.mark.parametrize(
    ("expression", "text", "environment", "parts"),
    [
        ("process.env.MONGODB_URI", None, ("MONGODB_URI",), ("MONGODB_URI",)),
        ("URI", None, ("MONGODB_URI",), ("URI", "MONGODB_URI")),
        ("check(URI)", None, ("MONGODB_URI",), ()),
        ("config.uri", None, (), ("config.uri",)),
        ("'mongodb://' + host", "mongodb://{}", (), ("host",)),
        ("`mongodb://${host}:27017`", "mongodb://{}:27017", (), ("host",)),
        ("unknown || 'mongodb://localhost'", "mongodb://localhost", (), ("unknown",)),
        ("process.env.A ?? 'mongodb://localhost'", "mongodb://localhost", ("A",), ("A",)),
        ("PASSWORD", None, ("DB_PASSWORD",), ("PASSWORD", "DB_PASSWORD")),
    ],
)
def test_a_connection_string_tells_what_stands_in_it(
    expression: str, text: str | None, environment: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    found = client(
        "const URI = process.env.MONGODB_URI;\n"
        "const { DB_PASSWORD: PASSWORD } = process.env;\n"
        f"new MongoClient({expression});"
    )
    assert found.uri is not None
    assert (found.uri.text, found.uri.environment, found.uri.parts) == (text, environment, parts)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("function other() { const uri = 'a'; } function f() { new MongoClient(uri); }", "a.js", None),
        ("const uri = 'a'; function f(uri) { new MongoClient(uri); }", "a.js", None),
        ("let uri; function set() { uri = 'a'; } function f() { new MongoClient(uri); }", "a.js", "a"),
        ("function f() { const uri = 'a'; return () => new MongoClient(uri); }", "a.js", "a"),
        ("const uri = 'a'; function f(size) { new MongoClient(uri); }", "a.js", "a"),
        ("function other() { const uri = 'b'; } function f() { const uri = 'a'; new MongoClient(uri); }", "a.js", "a"),
        ("let uri = 'a'; function f() { if (x) uri = 'b'; new MongoClient(uri); }", "a.js", None),
        ("function f() { let uri = 'a'; pick(() => { uri = 'b'; }); new MongoClient(uri); }", "a.js", None),
        (
            "from pymongo import MongoClient\ndef other():\n    uri = 'a'\ndef f(uri):\n    MongoClient(uri)\n",
            "a.py",
            None,
        ),
    ],
)
def test_a_name_means_what_it_is_given_where_it_is_used(text: str, path: str, expected: str | None) -> None:
    found = client(text, path)
    assert found.uri is not None
    assert found.uri.text == expected
