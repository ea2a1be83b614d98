"""
Options within connection strings.
"""

from __future__ import annotations

import pytest

from warmline.check.location import Location
from warmline.check.source.facts import Client, Lifetime, Option
from warmline.check.uri import client_options, defaulted, options_known, uri_options, uri_options_known
from warmline.check.values import Value

HERE = Location("app.py")


def uri(text: str | None) -> Value:
    return Value(text, HERE, names=("password",), environment=("PASSWORD",))


def client(text: str | None, *options: Option, known: bool = True) -> Client:
    return Client(
        driver="pymongo",
        call="MongoClient",
        location=HERE,
        function=None,
        lifetime=Lifetime.ONCE,
        why="",
        uri=None if text is None else uri(text),
        options=options,
        options_known=known,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb+srv://h/?retryWrites=true&w=majority", {"retryWrites": "true", "w": "majority"}),
        ("mongodb://u:{}@h,i/shop?MAXIDLETIMEMS=60000", {"maxIdleTimeMS": "60000"}),
        ("mongodb://h/?replicaSet=rs0;minpoolsize=5", {"replicaSet": "rs0", "minPoolSize": "5"}),
        ("mongodb://h/?authMechanismProperties=A%3Ab%2Bc", {"authMechanismProperties": "A:b+c"}),
        ("mongodb://h/?appName={}&appname=b", {"appName": "b"}),
        ("mongodb://h/?{}", {}),
        ("mongodb://h/?{}&w=1", {"w": "1"}),
        ("mongodb://h/?ofNobody=1", {"ofNobody": "1"}),
        ("localhost:27017", {}),
    ],
)
def test_options_are_named_in_canonical_case(text: str, expected: dict[str, str]) -> None:
    assert {option.name: option.value.text for option in uri_options(uri(text))} == expected


def test_an_unknown_value_says_what_it_is_read_from_and_a_known_one_does_not() -> None:
    unknown, partly, known = uri_options(uri("mongodb://h/?minPoolSize={}&appName=shop-{}&w=1"))
    assert (unknown.value.text, unknown.value.environment) == (None, ("PASSWORD",))
    assert (partly.value.text, partly.value.environment) == ("shop-{}", ("PASSWORD",))
    assert (known.value.text, known.value.environment) == ("1", ())


def test_the_default_of_a_variable_is_not_all_that_a_connection_string_may_be() -> None:
    fixed = Value("mongodb://h/?w=1", HERE, ("password",), ("URI",), ("URI",))
    assert (defaulted(fixed), uri_options_known(fixed)) == (True, False)
    assert [defaulted(option.value) for option in uri_options(fixed)] == [True]
    partly = Value("mongodb://{}@h/?w=1", HERE, ("password",), ("PASSWORD",), ("password", "PASSWORD"))
    assert (defaulted(partly), uri_options_known(partly)) == (False, True)
    assert [defaulted(option.value) for option in uri_options(partly)] == [False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb+srv://{}:{}@{}/?retryWrites=true", True),
        ("mongodb+srv://{}:{}@{}/shop", True),
        ("mongodb+srv://{}:{}@cluster.example.net", True),
        ("mongodb://{}@h/{}?w={}", True),
        ("{}/shop?w=1", True),
        ("localhost", True),
        ("mongodb+srv://{}:{}@{}", False),
        ("mongodb+srv://u:p@h/{}", False),
        ("mongodb://{}", False),
        ("mongodb://h/?w=1&{}", False),
        ("mongodb://h/?{}=1", False),
        ("mongodb://h/?ssl=false{}", False),
        ("mongodb://h/?appName={}-x", True),
        (None, False),
    ],
)
def test_options_are_known_if_nothing_unknown_stands_where_they_may_stand(text: str | None, expected: bool) -> None:
    assert uri_options_known(uri(text)) is expected


def test_what_stands_in_the_code_wins_over_the_connection_string() -> None:
    found = client_options(client("mongodb://h/?minPoolSize=5&w=1", Option("minpoolsize", Value("0", HERE))))
    assert {name: value.text for name, value in found.items()} == {"minPoolSize": "0", "w": "1"}


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [("mongodb://h/", True, True), ("mongodb://h/", False, False), ("mongodb://{}", True, False), (None, True, True)],
)
def test_a_client_s_options_are_known_if_those_in_both_places_are(
    text: str | None, known: bool, expected: bool
) -> None:
    assert options_known(client(text, known=known)) is expected
