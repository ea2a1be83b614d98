"""
Why a secret could not be read, and what to do about it.
"""

from __future__ import annotations

from .reference import Reference

_PERMISSIONS = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}

# (a piece of AWS's error code or text, what to do about it): the first that fits is given.
_STEPS = (
    ("kms", "allow the function's role kms:Decrypt on the key that encrypts it, and check that the key is enabled"),
    ("DecryptionFailure", "check that the key that encrypts it is enabled, and that the role may use it"),
    ("AccessDenied", "allow the function's role {permission} on it, and kms:Decrypt if a key of yours encrypts it"),
    ("NotFound", "check its name, region and account, and that it has a value"),
    ("marked for deletion", "restore it, or name another one"),
    ("Throttling", "read it less often: one reference for all functions of an environment, or the extension's cache"),
    ("Token", "check the function's credentials: they have expired, or are no AWS credentials"),
    ("UnrecognizedClient", "check the function's credentials: AWS does not know them"),
    ("NoCredentials", "give the process AWS credentials; on Lambda its role provides them"),
    ("NoRegion", "set AWS_REGION, or name it by its ARN"),
    ("imeout", "in a VPC, give the function a way to AWS: an interface endpoint for the service, or a NAT gateway"),
    ("Connect", "in a VPC, give the function a way to AWS: an interface endpoint for the service, or a NAT gateway"),
)


class NotRead(Exception):  # noqa: N818  an outcome of one way to read; `connect()` raises a WarmlineError
    """
    One way of reading has brought no value.

    :param said: what happened, in one line without a secret.
    :param step: what to do about it.
    """

    def __init__(self, said: str, step: str) -> None:
        super().__init__(said, step)
        self.said = said
        self.step = step


class NotThere(NotRead):
    """
    Here there is no such way.
    """


def next_step(said: str, reference: Reference) -> str:
    """
    What to do about an answer or an error of AWS.
    """
    for piece, step in _STEPS:
        if piece.lower() in said.lower():
            return step.format(permission=_PERMISSIONS[reference.service])
    return f"check that the function's role may {_PERMISSIONS[reference.service]} it"
