"""
The signature is botocore's, through the very function that pymongo-auth-aws signs with.
"""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import OperationFailure
from pymongo_auth_aws.auth import AwsCredential, _aws_auth_header

from warmline.runtime.aws.credentials import Credentials
from warmline.runtime.aws.sigv4 import sign, sts_region

CASES = 10_000

BASE64 = string.ascii_letters + string.digits + "+/"
# White space of every kind, what means something in the signature's own text, and characters of 1 to 4 bytes.
STRANGE = string.printable + "\0\x1c\x7f\x85\xa0äß\u2028\u3000中\U0001f511" + ";:/,=&%+ \t\n"


def text(rng: random.Random, usual: str, longest: int) -> str:
    return "".join(rng.choices(usual if rng.random() < 0.7 else STRANGE, k=rng.randint(1, longest)))


def random_credentials(rng: random.Random) -> Credentials:
    token = rng.choice([None, "", " "]) if rng.random() < 0.4 else text(rng, BASE64, 600)
    key = rng.choice(["AKIA", "ASIA"]) + text(rng, string.ascii_uppercase + string.digits, 16)
    return Credentials(key, text(rng, BASE64, 64), token)


def random_host(rng: random.Random) -> str:
    region = f"{rng.choice(['eu', 'us', 'cn', 'ap'])}-{rng.choice(['east', 'gov-west', 'central'])}-{rng.randint(1, 9)}"
    labels = [text(rng, string.ascii_letters + string.digits + "-_", 15).replace(".", "") or "x" for _ in range(2)]
    return rng.choice(
        [
            "sts.amazonaws.com",
            f"sts.{region}.amazonaws.com",
            f"sts.{region}.amazonaws.com.cn",
            "localhost",
            ".".join((labels * 2)[: rng.randint(1, 4)]),
        ]
    )


def botocores(credentials: Credentials, nonce: bytes, host: str) -> Any:
    given = AwsCredential(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    return _aws_auth_header(given, nonce, host)


def test_it_is_botocores_in_ten_thousand_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(20191112)
    moment = 0
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(moment, UTC))
    equal = 0
    for _ in range(CASES):
        credentials, nonce, host = random_credentials(rng), rng.randbytes(64), random_host(rng)
        moment = rng.randrange(946_684_800, 4_102_444_800)
        assert sign(credentials, nonce, host, moment=moment) == botocores(credentials, nonce, host)
        equal += 1
    assert equal == CASES


def test_it_uses_the_clocks_second_and_not_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(1.999, UTC))
    credentials = Credentials("AKIDEXAMPLE", "secret")
    assert sign(credentials, bytes(64), "h", moment=1.999) == botocores(credentials, bytes(64), "h")


# The specification's table, and the vectors of MongoDB's server.
@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sts.amazonaws.com", "us-east-1"),
        ("sts.us-west-2.amazonaws.com", "us-west-2"),
        ("sts.us-west-2.amazonaws.com.ch", "us-west-2"),
        ("example.com", "com"),
        ("localhost", "us-east-1"),
        ("first.second.third", "second"),
        ("x" * 255, "us-east-1"),
        (f"x.{'y' * 253}", "y" * 253),
    ],
)
def test_the_region_is_the_one_of_the_specifications_table(host: str, region: str) -> None:
    assert sts_region(host) == region


@pytest.mark.parametrize(
    "host",
    ["", "sts..com", ".amazonaws.com", "sts.amazonaws.", "empty..dns.component", ".", "..", "x" * 256, "ä" * 128],
)
def test_a_host_that_the_specification_refuses_is_not_signed_for(host: str) -> None:
    with pytest.raises(OperationFailure, match="invalid STS host") as raised:
        sign(Credentials("AKIDEXAMPLE", "secret"), bytes(64), host, moment=0)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("AKIDEXAMPLE", "s3cr3t\udcff"),
        Credentials("AKIDEXAMPLE", "s3cr3t", "t0k3n\udcff"),
        Credentials("AKIDEXAMPLE\udcff", "s3cr3t", "t0k3n"),
    ],
)
def test_credentials_that_are_no_text_are_refused_without_showing_them(credentials: Credentials) -> None:
    # The environment gives bytes that are not UTF-8 as lone surrogates.
    with pytest.raises(OperationFailure, match="not UTF-8") as raised:
        sign(credentials, bytes(64), "sts.amazonaws.com", moment=0)
    assert raised.value.__suppress_context__
    assert "s3cr3t" not in repr(raised.value)


def test_no_repr_of_credentials_shows_the_secret_or_the_token() -> None:
    shown = repr(Credentials("AKIDEXAMPLE", "s3cr3t", "t0k3n"))
    assert "AKIDEXAMPLE" in shown
    assert "s3cr3t" not in shown
    assert "t0k3n" not in shown
