"""
References to a secret of Secrets Manager or a parameter of Parameter Store, as ``MONGODB_URI`` may hold them.

Sources: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html (ARNs),
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html (what may stand behind
one) and https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html (names).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from ..errors import InvalidURIError
from ..redact import redact_uri

Service = Literal["secretsmanager", "ssm"]

SERVICE_NAMES: dict[Service, str] = {"secretsmanager": "Secrets Manager", "ssm": "Parameter Store"}

_FORMS = (
    # ECS's form: key, version stage and version id behind the ARN, each of which may be empty.
    r"(?P<name>arn:aws[\w-]*:(?P<service>secretsmanager):(?P<region>[\w-]+):\d{12}:secret:[\w/+=.@!-]+)"
    r"(:(?P<ecs_key>[^:#]*)(:(?P<version_stage>[^:#]*)(:(?P<version_id>[^:#]*))?)?)?",
    r"(?P<name>arn:aws[\w-]*:(?P<service>ssm):(?P<region>[\w-]+):\d{12}:parameter/[\w/.-]+)",
    r"(?P<service>secretsmanager):(?P<name>[\w/+=.@!-]+)",
    r"(?P<service>ssm):(?P<name>[\w/.-]+)",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """
    Where a connection string is kept. It is no secret itself: errors and logs show ``text``.

    :param text: the reference as it was given.
    :param name: a name or an ARN, as the service takes it.
    :param key: of which value, where the secret is a JSON object.
    :param region: the ARN's; ``None`` is the function's own.
    """

    text: str
    service: Service
    name: str
    key: str | None = None
    version_stage: str | None = None
    version_id: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.text} ({SERVICE_NAMES[self.service]})"


def parse(text: str, where: str) -> Reference:
    """
    Read a reference.

    :param where: where it was given, for the error.
    :raises warmline.InvalidURIError: it has none of the forms.
    """
    reference, hash_sign, key = text.partition("#")
    found = next(filter(None, (re.fullmatch(form, reference, re.ASCII) for form in _FORMS)), None)
    if found is None or (hash_sign and not key):
        raise InvalidURIError(
            f"the reference to a secret in {where} is malformed: {redact_uri(text)!r}; it is one of "
            "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, arn:aws:ssm:REGION:ACCOUNT:parameter/PATH, "
            "secretsmanager:NAME and ssm:NAME, with #KEY behind it where it is a JSON object"
        )
    parts = found.groupdict()
    return Reference(
        text,
        cast("Service", parts["service"]),
        parts["name"],
        key=key or parts.get("ecs_key") or None,
        version_stage=parts.get("version_stage") or None,
        version_id=parts.get("version_id") or None,
        region=parts.get("region"),
    )
