"""
Calls that fetch a secret, in the spelling of every language's AWS SDK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..source.facts import Call
from ..values import Value

# get_secret_value, getSecretValue, GetSecretValueAsync, new GetSecretValueCommand
_SECRETS_MANAGER = re.compile(r"get_?secret_?value(async|command)?", re.IGNORECASE)

_PARAMETER_STORE = re.compile(r"get_?parameters?(_?by_?path)?(async|command)?", re.IGNORECASE)
_KMS = re.compile(r"decrypt(async|command)?", re.IGNORECASE)

# Other things have parameters, and decrypt: what else speaks of the service.
_OF_PARAMETER_STORE = re.compile(
    r"ssm|simplesystems|with_?decryption|getparameters?(bypath)?(command|request|input)", re.IGNORECASE
)
_OF_KMS = re.compile(r"kms|key_?management|ciphertext_?blob|decrypt(command|request|input)", re.IGNORECASE)


def service(call: Call) -> str | None:
    """
    Return what a call fetches a secret from; ``None``: from nothing that is known.

    Powertools' ``get_secret`` and ``get_parameter`` keep what they fetch, as AWS's caching clients and extension do.
    """
    if _SECRETS_MANAGER.fullmatch(call.name):
        return "Secrets Manager"
    for spelling, other, name in (
        (_PARAMETER_STORE, _OF_PARAMETER_STORE, "Parameter Store"),
        (_KMS, _OF_KMS, "KMS"),
    ):
        if spelling.fullmatch(call.name) and any(other.search(said) for said in _said(call)):
            # KMS also decrypts data; what a deployment encrypted stands in the environment.
            return name if spelling is not _KMS or any(value.environment for value in values(call)) else None
    return None


def values(call: Call) -> Iterator[Value]:
    """
    Yield all that a call is given.
    """
    yield from call.arguments
    yield from (option.value for option in call.keywords)


def _said(call: Call) -> Iterator[str]:
    yield call.text
    for option in call.keywords:
        yield option.name
    for value in values(call):
        yield from value.names
