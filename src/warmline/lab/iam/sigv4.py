"""
Does STS's work: rebuilds the GetCallerIdentity request that a client has signed and not sent, and verifies it.

Sources: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#mongodb-aws and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .identities import Principal
from .refusal import AuthenticationFailed, Refusal

BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
MAX_CLOCK_SKEW = timedelta(minutes=15)

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=([^/,\s]+)/([^/,\s]+)/([^/,\s]+)/([^/,\s]+)/([^/,\s]+), *"
    r"SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})"
)
_AMZ_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """
    What the signature is over: nonce and host are the server's, the rest is the client's second message.
    """

    authorization: str = field(repr=False)
    amz_date: str
    token: str | None = field(repr=False)
    nonce: bytes
    host: str

    def headers(self) -> dict[str, str]:
        """
        Return the headers that are signed, in the order they are signed in.
        """
        token = {} if self.token is None else {"x-amz-security-token": self.token}
        return {
            "content-length": str(len(BODY)),
            "content-type": "application/x-www-form-urlencoded",
            "host": self.host,
            "x-amz-date": self.amz_date,
            **token,
            "x-mongodb-gs2-cb-flag": "n",
            "x-mongodb-server-nonce": base64.b64encode(self.nonce).decode(),
        }


@dataclass(frozen=True, slots=True)
class Authorization:
    """
    The parts of an Authorization header.
    """

    access_key_id: str
    day: str
    region: str
    service: str
    terminator: str
    signed_headers: str
    signature: str

    @classmethod
    def parse(cls, header: str) -> Authorization:
        """
        Take a header apart.

        :raises AuthenticationFailed: it does not have the form.
        """
        parts = _AUTHORIZATION.fullmatch(header)
        if parts is None:
            raise AuthenticationFailed(Refusal.MALFORMED_AUTHORIZATION)
        return cls(*parts.groups())

    @property
    def scope(self) -> str:
        """
        The credential scope.
        """
        return f"{self.day}/{self.region}/{self.service}/{self.terminator}"


def sts_region(host: str) -> str:
    """
    Return the region that drivers sign for when the server names this STS host.

    The specification's table counts: its pseudocode says aws.amazonaws.com where it means sts.amazonaws.com.

    :raises ValueError: drivers refuse the host: empty, longer than 255 bytes, or with an empty label.
    """
    labels = host.split(".")
    if not all(labels) or len(host.encode()) > 255:
        raise ValueError(f"{host!r} is not an STS host: 1 to 255 bytes, and no empty label between its periods")
    if len(labels) == 1 or host == "sts.amazonaws.com":
        return "us-east-1"
    return labels[1]


def verify(request: SignedRequest, lookup: Callable[[str], Principal | None], now: datetime) -> Principal:
    """
    Return who has signed the request.

    :param lookup: finds the principal of an access key.
    :raises AuthenticationFailed: the request would be refused, with the first reason that was found.
    """
    authorization = Authorization.parse(request.authorization)
    if authorization.signed_headers != ";".join(request.headers()):
        raise AuthenticationFailed(Refusal.WRONG_SIGNED_HEADERS)
    moment = _moment(request.amz_date)
    _check_scope(authorization, request)
    if abs(now - moment) > MAX_CLOCK_SKEW:
        raise AuthenticationFailed(Refusal.CLOCK_SKEW)
    principal = lookup(authorization.access_key_id)
    if principal is None:
        raise AuthenticationFailed(Refusal.UNKNOWN_ACCESS_KEY)
    _check_token(request.token, principal.credentials.session_token)
    expires_at = principal.credentials.expires_at
    if expires_at is not None and now >= expires_at:
        raise AuthenticationFailed(Refusal.EXPIRED_CREDENTIALS)
    if not hmac.compare_digest(
        _signature(request, authorization.scope, principal.credentials.secret_access_key), authorization.signature
    ):
        raise AuthenticationFailed(Refusal.WRONG_SIGNATURE)
    return principal


def _moment(amz_date: str) -> datetime:
    if not _AMZ_DATE.fullmatch(amz_date):
        raise AuthenticationFailed(Refusal.MALFORMED_DATE)
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise AuthenticationFailed(Refusal.MALFORMED_DATE) from None


def _check_scope(authorization: Authorization, request: SignedRequest) -> None:
    if authorization.day != request.amz_date[:8]:
        raise AuthenticationFailed(Refusal.WRONG_SCOPE_DATE)
    if authorization.region != sts_region(request.host):
        raise AuthenticationFailed(Refusal.WRONG_REGION)
    if authorization.service != "sts":
        raise AuthenticationFailed(Refusal.WRONG_SERVICE)
    if authorization.terminator != "aws4_request":
        raise AuthenticationFailed(Refusal.WRONG_TERMINATOR)


def _check_token(given: str | None, expected: str | None) -> None:
    if given is None and expected is None:
        return
    if given is None:
        raise AuthenticationFailed(Refusal.MISSING_TOKEN)
    if expected is None:
        raise AuthenticationFailed(Refusal.UNEXPECTED_TOKEN)
    # As bytes: a client's token may have any characters, and of strings only ASCII is compared in constant time.
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise AuthenticationFailed(Refusal.WRONG_TOKEN)


def _signature(request: SignedRequest, scope: str, secret_access_key: str) -> str:
    headers = request.headers()
    canonical_request = "\n".join(
        (
            "POST",
            "/",
            "",
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            ";".join(headers),
            hashlib.sha256(BODY).hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    string_to_sign = f"{_ALGORITHM}\n{request.amz_date}\n{scope}\n{digest}"
    key = f"AWS4{secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, string_to_sign.encode(), "sha256").hex()
