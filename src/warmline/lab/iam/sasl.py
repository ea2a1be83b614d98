"""
The server's half of a MONGODB-AWS conversation, without the connection it is held over.

    client  {r: 32 random bytes, p: 110}            ServerConversation.start
    server  {s: those and 32 more, h: STS host}
    client  {a: Authorization, d: X-Amz-Date, t: session token, if there is one}
                                                    ServerConversation.finish

Source: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#mongodb-aws
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from bson.errors import BSONError

from .identities import Identities, database_user
from .refusal import AuthenticationFailed, Refusal
from .sigv4 import SignedRequest, sts_region, verify

# "n": the client does not do channel binding.
GS2_CB_FLAG = ord("n")
NONCE_BYTES = 32

# Room for a session token many times as long as AWS's.
MAX_PAYLOAD_BYTES = 16 * 1024


def utc_now() -> datetime:
    """
    Return the time of this machine's clock.
    """
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who has authenticated: as STS names it, and the database user that Atlas has for it, if there is one.
    """

    caller_arn: str
    database_user: str


class ServerConversation:
    """
    One conversation; it ends with `finish`, whether that succeeds or not.

    A payload may be anything that a client has sent: what is not right is an `AuthenticationFailed`.

    :param now: tells the time to check signatures by.
    :raises ValueError: drivers would refuse the STS host.
    """

    def __init__(
        self,
        identities: Identities,
        sts_host: str = "sts.us-east-1.amazonaws.com",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        sts_region(sts_host)
        self._identities = identities
        self._sts_host = sts_host
        self._now = now
        self._started = False
        self._nonce: bytes | None = None

    def start(self, payload: object) -> bytes:
        """
        Take the client's first message and return the server's.

        :raises AuthenticationFailed: the message is malformed, or not the first.
        """
        if self._started:
            raise AuthenticationFailed(Refusal.OUT_OF_ORDER)
        self._started = True
        message = _decode(payload, {"r": bytes, "p": int})
        if len(message["r"]) != NONCE_BYTES or message["p"] != GS2_CB_FLAG:
            raise AuthenticationFailed(Refusal.MALFORMED_PAYLOAD)
        self._nonce = message["r"] + secrets.token_bytes(NONCE_BYTES)
        return bson.encode({"s": self._nonce, "h": self._sts_host})

    def finish(self, payload: object) -> Caller:
        """
        Take the client's second message and return who the client is.

        :raises AuthenticationFailed: STS would refuse it, or it is malformed, or not the second.
        """
        # A nonce is good for one message, so that no signature counts twice.
        nonce, self._nonce = self._nonce, None
        if nonce is None:
            raise AuthenticationFailed(Refusal.OUT_OF_ORDER)
        message = _decode(payload, {"a": str, "d": str}, {"t": str})
        request = SignedRequest(
            authorization=message["a"],
            amz_date=message["d"],
            token=message.get("t"),
            nonce=nonce,
            host=self._sts_host,
        )
        principal = verify(request, self._identities.lookup, self._now())
        return Caller(principal.caller_arn, database_user(principal.caller_arn))


def _decode(
    payload: object, required: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """
    Decode a message with these fields and no others, as strictly as MongoDB's server does.
    """
    if not isinstance(payload, bytes) or len(payload) > MAX_PAYLOAD_BYTES:
        raise AuthenticationFailed(Refusal.MALFORMED_PAYLOAD)
    try:
        message = bson.decode(payload)
    except BSONError:
        raise AuthenticationFailed(Refusal.MALFORMED_PAYLOAD) from None
    types = {**required, **(optional or {})}
    # The very type: an int64 is a subclass of int here, and binary of another subtype one of bytes.
    right = all(type(value) is types.get(name) for name, value in message.items())
    if not right or not required.keys() <= message.keys():
        raise AuthenticationFailed(Refusal.MALFORMED_PAYLOAD)
    return message
