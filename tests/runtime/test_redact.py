from __future__ import annotations

import pytest

from warmline.runtime.redact import redact, redact_uri


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mongodb://h/?a=1", "mongodb://h/?a=1"),
        ("mongodb://app:pw@h/", "mongodb://<credentials>@h/"),
        ("mongodb+srv://app:p@w/x:y@h/?a=1", "mongodb+srv://<credentials>@h/?a=1"),
        ("mongodb://app:p\nw@h/", "mongodb://<credentials>@h/"),
        ("can't reach mongodb://app:pw@h/db now", "can't reach mongodb://<credentials>@h/db now"),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:abc&a=1",
            "mongodb://h/?authMechanismProperties=<hidden>&a=1",
        ),
        ("mongodb://h/?tlsCertificateKeyFilePassword=abc", "mongodb://h/?tlsCertificateKeyFilePassword=<hidden>"),
    ],
)
def test_credentials_are_hidden_wherever_a_connection_string_stands(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_credentials_without_a_scheme_are_hidden_too() -> None:
    assert redact_uri("app:pw@h/db") == "<credentials>@h/db"
