"""
The signature that MONGODB-AWS shows: a GetCallerIdentity request to STS, signed and never sent.

Sources: https://github.com/mongodb/specifications/blob/master/source/auth/auth.md#mongodb-aws and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from pymongo.errors import OperationFailure

from .credentials import Credentials

_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"


def sts_region(host: str) -> str:
    """
    Tell the region of an STS host by the specification's rules.

    :raises pymongo.errors.OperationFailure: no such host can exist.
    """
    labels = host.split(".")
    # RFC 1035 counts bytes.
    if len(host.encode()) > 255 or not all(labels):
        raise OperationFailure(f"MONGODB-AWS: the server returned an invalid STS host: {host[:255]!r}")
    if len(labels) == 1 or host == "sts.amazonaws.com":
        return "us-east-1"
    return labels[1]


def sign(credentials: Credentials, nonce: bytes, host: str, *, moment: float) -> dict[str, str]:
    """
    Give the client's second message: ``a`` the Authorization header, ``d`` X-Amz-Date, ``t`` the session token.

    :param nonce: the server's, all of it.
    :param moment: Unix time in seconds; STS accepts a clock that is less than 15 minutes off.
    :raises pymongo.errors.OperationFailure: the server's STS host is none, or the credentials are no text.
    """
    region = sts_region(host)
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    headers = {
        "content-length": str(len(_BODY)),
        "content-type": "application/x-www-form-urlencoded",
        "host": host,
        "x-amz-date": date,
        "x-amz-security-token": credentials.session_token,
        "x-mongodb-gs2-cb-flag": "n",
        "x-mongodb-server-nonce": base64.b64encode(nonce).decode(),
    }
    present = {name: value for name, value in headers.items() if value}
    signed = ";".join(present)
    # In the canonical form a run of white space within a header is one space.
    lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in present.items())
    request = f"POST\n/\n\n{lines}\n{signed}\n{hashlib.sha256(_BODY).hexdigest()}"
    scope = (date[:8], region, "sts", "aws4_request")
    try:
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = b"AWS4" + credentials.secret_access_key.encode()
        credentials.access_key_id.encode()
    except UnicodeEncodeError:
        # Its repr() would show the text that can't be encoded, so it must not be the cause of another error.
        raise OperationFailure("MONGODB-AWS: the AWS credentials hold bytes that are not UTF-8") from None
    for part in scope:
        key = _hmac(key, part)
    signature = _hmac(key, f"AWS4-HMAC-SHA256\n{date}\n{'/'.join(scope)}\n{digest}").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={'/'.join((credentials.access_key_id, *scope))}, "
        f"SignedHeaders={signed}, Signature={signature}"
    )
    message = {"a": authorization, "d": date}
    if credentials.session_token:
        message["t"] = credentials.session_token
    return message


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
