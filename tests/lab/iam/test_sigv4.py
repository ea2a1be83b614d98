"""
The signer is botocore's, through the very function that pymongo-auth-aws signs with.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo_auth_aws.auth import (
    AwsCredential,
    _aws_auth_header,
    _get_region,
)
from pymongo_auth_aws.errors import PyMongoAuthAwsError

from warmline.lab.iam import AuthenticationFailed, Credentials, IamUser, Principal, Refusal, sts_region
from warmline.lab.iam.sigv4 import Authorization, SignedRequest, verify

from .randomness import seeded

REQUESTS = 10_000
SAMPLE = range(0, REQUESTS, 50)

# The table of the specification, and the vectors of MongoDB's server.
REGIONS = [
    ("sts.amazonaws.com", "us-east-1"),
    ("sts.us-west-2.amazonaws.com", "us-west-2"),
    ("sts.us-west-2.amazonaws.com.ch", "us-west-2"),
    ("example.com", "com"),
    ("localhost", "us-east-1"),
    ("first", "us-east-1"),
    ("first.second", "second"),
    ("first.second.third", "second"),
    ("sts.us-east-2.amazonaws.com", "us-east-2"),
    ("x" * 255, "us-east-1"),
]
NO_HOSTS = [
    "sts..com",
    ".amazonaws.com",
    "sts.amazonaws.",
    "",
    "x" * 256,
    "empty..dns.component",
    ".",
    "..",
    "ä" * 128,
]


@pytest.mark.parametrize(("host", "region"), REGIONS)
def test_the_region_is_the_one_of_the_specifications_table(host: str, region: str) -> None:
    assert sts_region(host) == region
    assert _get_region(host) == region


@pytest.mark.parametrize("host", NO_HOSTS)
def test_hosts_that_drivers_refuse_are_refused(host: str) -> None:
    with pytest.raises(ValueError, match="is not an STS host"):
        sts_region(host)


@pytest.mark.parametrize("host", [host for host in NO_HOSTS if host.isascii()])
def test_the_driver_refuses_them_too(host: str) -> None:
    with pytest.raises(PyMongoAuthAwsError, match="invalid sts host"):
        _get_region(host)


@dataclass(frozen=True)
class Signed:
    """
    A request as the driver has signed it, when, and whose key it is.
    """

    request: SignedRequest
    moment: datetime
    principal: Principal

    def verify(self) -> Principal:
        return verify(self.request, {self.principal.credentials.access_key_id: self.principal}.get, self.moment)


Sign = Callable[..., Signed]


@pytest.fixture
def sign(monkeypatch: pytest.MonkeyPatch) -> Sign:
    def sign(credentials: Credentials, nonce: bytes, host: str, moment: datetime) -> Signed:
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
        client = AwsCredential(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
        message = _aws_auth_header(client, nonce, host)
        arn = "arn:aws:iam::123456789012:user/bob"
        return Signed(
            SignedRequest(message["a"], message["d"], message.get("t"), nonce, host),
            moment,
            Principal(IamUser(arn), arn, credentials),
        )

    return sign


def text(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def random_host(rng: random.Random) -> str:
    region = f"{text(rng, string.ascii_lowercase, 2)}-{rng.choice(['east', 'gov-west', 'central'])}-{rng.randint(1, 9)}"
    labels = [text(rng, string.ascii_letters + string.digits + "-_", rng.randint(1, 30)) for _ in range(4)]
    return rng.choice(
        [
            "sts.amazonaws.com",
            f"sts.{region}.amazonaws.com",
            f"sts.{region}.amazonaws.com.cn",
            "localhost",
            ".".join(labels[: rng.randint(1, 4)]),
        ]
    )


def random_requests(sign: Sign) -> Iterator[Signed]:
    rng = seeded(20191107)
    base64 = string.ascii_letters + string.digits + "+/"
    for _ in range(REQUESTS):
        moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(100 * 365 * 86400))
        token = text(rng, base64, rng.randint(1, 1200)) + "=" * rng.randint(0, 2) if rng.random() < 0.7 else None
        credentials = Credentials(
            rng.choice(["AKIA", "ASIA"]) + text(rng, string.ascii_uppercase + string.digits, 16),
            text(rng, base64, rng.randint(16, 64)),
            token,
            moment + timedelta(seconds=rng.randint(1, 3600)) if token else None,
        )
        yield sign(credentials, rng.randbytes(64), random_host(rng), moment)


def test_it_agrees_with_botocore(sign: Sign) -> None:
    rng = seeded(15)
    accepted = 0
    for signed in random_requests(sign):
        skew = timedelta(seconds=rng.randint(-900, 0 if signed.request.token else 900))
        at = replace(signed, moment=signed.moment + skew)
        assert at.verify() == signed.principal
        accepted += 1

    assert accepted == REQUESTS


def flipped(rng: random.Random, value: str, alphabet: str) -> str:
    """
    Return the text with one character of it replaced by another.
    """
    place = rng.randrange(len(value))
    other = rng.choice([character for character in alphabet if character != value[place]])
    return value[:place] + other + value[place + 1 :]


def mutations(rng: random.Random, signed: Signed) -> Iterator[tuple[Signed, Refusal]]:
    """
    Change one thing each time, with what is to come of it.
    """
    request, credentials = signed.request, signed.principal.credentials
    authorization = Authorization.parse(request.authorization)

    def with_header(old: str, new: str) -> Signed:
        assert request.authorization.count(old) == 1
        return replace(signed, request=replace(request, authorization=request.authorization.replace(old, new)))

    def with_scope(**changes: str) -> Signed:
        return with_header(f"/{authorization.scope},", f"/{replace(authorization, **changes).scope},")

    def with_credentials(**changes: Any) -> Signed:
        return replace(signed, principal=replace(signed.principal, credentials=replace(credentials, **changes)))

    signature, key = authorization.signature, authorization.access_key_id
    yield with_header(signature, flipped(rng, signature, "0123456789abcdef")), Refusal.WRONG_SIGNATURE
    yield with_header(f"={key}/", f"={flipped(rng, key, string.ascii_uppercase)}/"), Refusal.UNKNOWN_ACCESS_KEY
    yield with_scope(day=flipped(rng, authorization.day, string.digits)), Refusal.WRONG_SCOPE_DATE
    yield with_scope(region=flipped(rng, authorization.region, string.ascii_lowercase)), Refusal.WRONG_REGION
    yield with_scope(service=rng.choice(["iam", "s3", "STS"])), Refusal.WRONG_SERVICE
    yield with_scope(terminator=rng.choice(["aws4_Request", "aws3_request"])), Refusal.WRONG_TERMINATOR

    names = authorization.signed_headers.split(";")
    dropped = rng.choice(names)
    for headers in (
        [name for name in names if name != dropped],
        [*names, "x-trailing-fake-field"],
        [*names[:4], "x-amz-fake", *names[4:]],
        names[::-1],
        [name.title() for name in names],
    ):
        yield with_header(authorization.signed_headers, ";".join(headers)), Refusal.WRONG_SIGNED_HEADERS

    second = (int(request.amz_date[13:15]) + 1) % 60
    other_second = f"{request.amz_date[:13]}{second:02}Z"
    yield replace(signed, request=replace(request, amz_date=other_second)), Refusal.WRONG_SIGNATURE
    other_day = f"{signed.moment + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    yield replace(signed, request=replace(request, amz_date=other_day)), Refusal.WRONG_SCOPE_DATE

    nonce = bytearray(request.nonce)
    nonce[rng.randrange(64)] ^= 1 << rng.randrange(8)
    yield replace(signed, request=replace(request, nonce=bytes(nonce))), Refusal.WRONG_SIGNATURE
    yield replace(signed, request=replace(request, nonce=request.nonce[:63])), Refusal.WRONG_SIGNATURE
    same_region = f"other.{authorization.region}.example"
    yield replace(signed, request=replace(request, host=same_region)), Refusal.WRONG_SIGNATURE
    yield replace(signed, request=replace(request, host="sts.xx-else-1.example")), Refusal.WRONG_REGION

    secret = flipped(rng, credentials.secret_access_key, string.ascii_letters)
    yield with_credentials(secret_access_key=secret), Refusal.WRONG_SIGNATURE

    if request.token is None:
        yield replace(signed, request=replace(request, token="")), Refusal.WRONG_SIGNED_HEADERS
        yield with_credentials(session_token="x"), Refusal.MISSING_TOKEN
    else:
        token = flipped(rng, request.token, string.ascii_letters + "ä\0")
        yield replace(signed, request=replace(request, token=token)), Refusal.WRONG_TOKEN
        yield replace(signed, request=replace(request, token=None)), Refusal.WRONG_SIGNED_HEADERS
        yield with_credentials(expires_at=signed.moment), Refusal.EXPIRED_CREDENTIALS


def test_every_single_change_is_refused_for_its_own_reason(sign: Sign) -> None:
    rng = seeded(4)
    refused = 0
    for number, signed in enumerate(random_requests(sign)):
        if number not in SAMPLE:
            continue
        for mutation, reason in mutations(rng, signed):
            with pytest.raises(AuthenticationFailed) as failed:
                mutation.verify()
            assert failed.value.reason is reason
            refused += 1

    assert refused > 20 * len(SAMPLE)


NOW = datetime(2019, 11, 7, 0, 26, 7, tzinfo=UTC)
KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_clock_may_be_15_minutes_off(sign: Sign, seconds: int) -> None:
    signed = sign(KEY, bytes(64), "localhost", NOW)

    replace(signed, moment=NOW + timedelta(seconds=seconds)).verify()


@pytest.mark.parametrize("seconds", [-901, 901, -86400 * 365, 86400 * 365])
def test_a_clock_may_be_no_more_than_15_minutes_off(sign: Sign, seconds: int) -> None:
    signed = sign(KEY, bytes(64), "localhost", NOW)

    with pytest.raises(AuthenticationFailed) as failed:
        replace(signed, moment=NOW + timedelta(seconds=seconds)).verify()

    assert failed.value.reason is Refusal.CLOCK_SKEW


def test_a_token_that_a_users_key_does_not_have_is_refused(sign: Sign) -> None:
    signed = sign(replace(KEY, session_token="token"), bytes(64), "localhost", NOW)

    with pytest.raises(AuthenticationFailed) as failed:
        replace(signed, principal=replace(signed.principal, credentials=KEY)).verify()

    assert failed.value.reason is Refusal.UNEXPECTED_TOKEN


@pytest.mark.parametrize(
    "amz_date",
    ["", "FAKE", "20191107", "20191107T002607", "20191107T002607z", "20191307T002607Z", "20191107T250000Z",
     "00000000T000000Z", "\u0662\u0660\u0661\u06691107T002607Z", "20191107T002607Z\n"],
)  # fmt: skip
def test_a_date_that_is_none_is_refused(sign: Sign, amz_date: str) -> None:
    signed = sign(KEY, bytes(64), "localhost", NOW)

    with pytest.raises(AuthenticationFailed) as failed:
        replace(signed, request=replace(signed.request, amz_date=amz_date)).verify()

    assert failed.value.reason is Refusal.MALFORMED_DATE


SCOPE = "AKIDEXAMPLE/20191107/us-east-1/sts/aws4_request"
HEADERS = "content-length;content-type;host;x-amz-date;x-mongodb-gs2-cb-flag;x-mongodb-server-nonce"
SIGNATURE = "ab62ce1c75f19c4c8b918b2ed63b46512765ed9b8bb5d79b374ae83eeac11f55"


def test_spaces_after_the_commas_are_free() -> None:
    spaced = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE}"

    assert Authorization.parse(spaced.replace(", ", ",")) == Authorization.parse(spaced)
    assert Authorization.parse(spaced) == Authorization(
        access_key_id="AKIDEXAMPLE",
        day="20191107",
        region="us-east-1",
        service="sts",
        terminator="aws4_request",
        signed_headers=HEADERS,
        signature=SIGNATURE,
    )


@pytest.mark.parametrize(
    "header",
    [
        "",
        "AWS4-HMAC-SHA256",
        f"AWS4-HMAC-SHA512 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE}",
        f"Actual: AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS} Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 SignedHeaders={HEADERS}, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders={HEADERS}, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential=more/{SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=, Signature={SIGNATURE}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE[1:]}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE.upper()}",
        f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders={HEADERS}, Signature={SIGNATURE}\n",
    ],
)
def test_a_header_of_another_form_is_refused(header: str) -> None:
    with pytest.raises(AuthenticationFailed) as failed:
        Authorization.parse(header)

    assert failed.value.reason is Refusal.MALFORMED_AUTHORIZATION
