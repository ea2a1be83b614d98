from __future__ import annotations

import pytest

from warmline.check.credentials import with_password


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb+srv://shop:kT5vQ2@c.ab1cd.mongodb.net/?w=1", "mongodb+srv://shop:kT5vQ2@c.ab1cd.mongodb.net/"),
        ('{"uri": "mongodb://shop:kT5vQ2@a.ab1cd.mongodb.net:27017,b.ab1cd.mongodb.net/db"}', None),
        ("mongodb://shop:k/T5@vQ2@c.ab1cd.mongodb.net", "mongodb://shop:k/T5@vQ2@c.ab1cd.mongodb.net"),
        ("mongodb://shop:kT5vQ2@{}/db", "mongodb://shop:kT5vQ2@{}/db"),
        ("mongodb://{}:kT5vQ2@c.ab1cd.mongodb.net", "mongodb://{}:kT5vQ2@c.ab1cd.mongodb.net"),
        ("or mongodb://localhost, mongodb://shop:kT5vQ2@10.0.0.1:27017", "mongodb://shop:kT5vQ2@10.0.0.1:27017"),
    ],
)
def test_a_connection_string_with_a_password_is_found(text: str, expected: str | None) -> None:
    found = with_password(text)
    assert found is not None
    assert expected is None or found == expected


@pytest.mark.parametrize(
    "text",
    [
        "mongodb+srv://c.ab1cd.mongodb.net",
        "mongodb+srv://shop@c.ab1cd.mongodb.net",
        "mongodb+srv://shop:@c.ab1cd.mongodb.net",
        "mongodb+srv://shop:{}@c.ab1cd.mongodb.net",
        "mongodb+srv://<USERNAME>:<PASSWORD>@c.ab1cd.mongodb.net",
        "mongodb+srv://shop:%3Cpassword%3E@c.ab1cd.mongodb.net",
        "mongodb+srv://shop:password@c.ab1cd.mongodb.net",
        "mongodb://root:kT5vQ2@localhost:27017",
        "mongodb://root:kT5vQ2@127.0.0.1/db",
        "mongodb://root:kT5vQ2@mongo:27017",
        "mongodb+srv://c.ab1cd.mongodb.net/?appName=a:b@c",
        "postgres://shop:kT5vQ2@c.ab1cd.mongodb.net",
    ],
)
def test_a_placeholder_and_a_server_nearby_have_no_password_to_keep(text: str) -> None:
    assert with_password(text) is None
