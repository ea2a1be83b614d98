from __future__ import annotations

import botocore.session
import pytest
from pymongo.errors import ConfigurationError

from warmline.runtime.aws.credentials import Credentials, from_environment

KEY, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({KEY: ""}, None),
        ({KEY: "", SECRET: "secret"}, None),
        ({SECRET: "secret", TOKEN: "token"}, None),
        ({KEY: "key", SECRET: "secret"}, Credentials("key", "secret")),
        ({KEY: "key", SECRET: "secret", TOKEN: ""}, Credentials("key", "secret")),
        ({KEY: "key", SECRET: "secret", TOKEN: "token"}, Credentials("key", "secret", "token")),
        ({KEY: "key", SECRET: "secret", "AWS_SECURITY_TOKEN": "old"}, Credentials("key", "secret", "old")),
        ({KEY: " key ", SECRET: " secret ", TOKEN: " "}, Credentials(" key ", " secret ", " ")),
        ({KEY: "key", SECRET: "secret", "AWS_PROFILE": "other"}, Credentials("key", "secret")),
    ],
)
def test_the_environment_is_read_as_botocore_reads_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: Credentials | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert from_environment() == expected
    if expected is None or "AWS_PROFILE" not in variables:
        botocores = botocore.session.Session().get_credentials()
        assert (None if botocores is None else Credentials(*botocores.get_frozen_credentials()[:3])) == expected


def test_the_sessions_token_wins_over_its_older_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # As the specification has it: who renews a live process's credentials writes this one.
    for name in (KEY, SECRET, TOKEN, "AWS_SECURITY_TOKEN"):
        monkeypatch.setenv(name, name)
    assert from_environment() == Credentials(KEY, SECRET, TOKEN)


@pytest.mark.parametrize("secret", [None, ""])
def test_half_a_key_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setenv(KEY, "key")
    if secret is not None:
        monkeypatch.setenv(SECRET, secret)
    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY is not; set both, or neither"):
        from_environment()
