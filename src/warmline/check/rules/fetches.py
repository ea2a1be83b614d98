"""
Calls that fetch a secret, in the spelling of every language's AWS SDK.
"""

from __future__ import annotations

import re

from ..source.facts import Call

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
    evidence = " ".join(
        (
            call.text,
            *(option.name for option in call.keywords),
            *(name for argument in call.arguments for name in argument.names),
        )
    )
    if _PARAMETER_STORE.fullmatch(call.name) and _OF_PARAMETER_STORE.search(evidence):
        return "Parameter Store"
    if _KMS.fullmatch(call.name) and _OF_KMS.search(evidence):
        return "KMS"
    return None
