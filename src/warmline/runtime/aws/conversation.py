"""
The client's half of a MONGODB-AWS conversation as commands and answers, without the connection they go over.

    client  {r: 32 random bytes, p: 110}            opening
    server  {s: those and 32 more, h: STS host}
    client  {a: Authorization, d: X-Amz-Date, t: session token, if there is one}
                                                    proof
    server  done                                    check_done

Source: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#mongodb-aws
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import bson
from pymongo.errors import OperationFailure

from .credentials import Credentials
from .sigv4 import sign

NONCE_BYTES = 32


def opening(nonce: bytes) -> dict[str, Any]:
    """
    Give the first command.

    :param nonce: ``NONCE_BYTES`` random bytes, new for every conversation.
    """
    # "n": no channel binding.
    return {"saslStart": 1, "mechanism": "MONGODB-AWS", "payload": bson.encode({"r": nonce, "p": ord("n")})}


def proof(credentials: Credentials, nonce: bytes, answer: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the second command, from the server's answer to the first.

    :raises pymongo.errors.OperationFailure: the server's nonce does not go on from ours, or its STS host is none.
    """
    message = bson.decode(answer["payload"])
    server_nonce, host = message.get("s"), message.get("h")
    if (
        not isinstance(server_nonce, bytes)
        or len(server_nonce) != 2 * NONCE_BYTES
        or not server_nonce.startswith(nonce)
    ):
        raise OperationFailure("MONGODB-AWS: the server returned an invalid nonce")
    if not isinstance(host, str):
        raise OperationFailure("MONGODB-AWS: the server returned no STS host")
    signed = sign(credentials, server_nonce, host, moment=time.time())
    return {"saslContinue": 1, "conversationId": answer["conversationId"], "payload": bson.encode(signed)}


def check_done(answer: Mapping[str, Any]) -> None:
    """
    Make sure that the server wants nothing more.

    :raises pymongo.errors.OperationFailure: it does.
    """
    if not answer.get("done"):
        raise OperationFailure("MONGODB-AWS: the server asks for more than the mechanism has")
