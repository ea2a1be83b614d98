"""
The client's half of SCRAM-SHA-256, by which the front logs in to a server for a caller that it has verified.

Source: RFC 5802, RFC 7677. Names and passwords are ASCII here, which SASLprep leaves as they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

Call = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def log_in(call: Call, user: str, password: str) -> bool:
    """
    Log in over a connection to the server; ``call`` runs one command on it. ``False`` if the server refuses.
    """
    escaped = user.replace("=", "=3D").replace(",", "=2C")
    first = f"n={escaped},r={base64.b64encode(secrets.token_bytes(24)).decode()}"
    start = {
        "saslStart": 1,
        "mechanism": "SCRAM-SHA-256",
        "payload": f"n,,{first}".encode(),
        "options": {"skipEmptyExchange": True},
        "$db": "admin",
    }
    answer = await call(start)
    if answer.get("ok") != 1:
        return False
    server_first = bytes(answer["payload"]).decode()
    fields = dict(field.split("=", 1) for field in server_first.split(","))
    last = f"c=biws,r={fields['r']}"
    keys = _keys(password, fields["s"], int(fields["i"]))
    signature = _hmac(hashlib.sha256(keys).digest(), f"{first},{server_first},{last}")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(keys, signature, strict=True))).decode()
    finish = {
        "saslContinue": 1,
        "conversationId": answer["conversationId"],
        "payload": f"{last},p={proof}".encode(),
        "$db": "admin",
    }
    answer = await call(finish)
    return answer.get("ok") == 1 and bool(answer.get("done"))


# Thousands of iterations: once for each user, not once for each connection.
@lru_cache(maxsize=256)
def _keys(password: str, salt: str, iterations: int) -> bytes:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), iterations)
    return _hmac(salted, "Client Key")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
