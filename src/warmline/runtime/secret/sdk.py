"""
AWS's SDK for Python, if it is installed. On Lambda's own Python runtimes it is.

Of boto3 only its lower half is used, botocore: importing the other one costs a cold start time and gives nothing here.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .failure import NotRead, NotThere, next_step
from .reference import Reference

# Of one attempt. Within a region an answer takes well below a tenth of a second.
CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0

_level = threading.Lock()


def is_installed() -> bool:
    """
    Tell whether the SDK can be imported, without doing it.
    """
    return importlib.util.find_spec("botocore") is not None


def read(reference: Reference, *, seconds: float) -> str:
    """
    Ask the service for the value, and once more if there is time and it gives no answer.

    :param seconds: how long asking may take at most.
    :raises NotRead: there is none to be had.
    """
    try:
        import botocore.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise NotThere("boto3 is not installed", "") from None
    attempts = 2 if seconds > 2 * (CONNECT_SECONDS + READ_SECONDS) else 1
    config = Config(
        connect_timeout=min(CONNECT_SECONDS, seconds / 2),
        read_timeout=min(READ_SECONDS, seconds / 2),
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    try:
        with _quiet():
            session = botocore.session.get_session()
            client = session.create_client(reference.service, region_name=reference.region, config=config)
            try:
                value = _value(client, reference)
            finally:
                client.close()
    except ClientError as error:
        answer = error.response.get("Error", {})
        said = f"{answer.get('Code', '')}: {answer.get('Message', '')}"
    except BotoCoreError as error:
        said = f"{type(error).__name__}: {error}"
    except Exception as error:
        # A broken answer, for instance. The error's text may quote it.
        said = type(error).__name__
    else:
        if value is not None:
            return value
        said = "it is binary"
    said = " ".join(said.split())
    raise NotRead(f"AWS says: {said}", next_step(said, reference))


def _value(client: Any, reference: Reference) -> str | None:
    if reference.service == "ssm":
        answer = client.get_parameter(Name=reference.name, WithDecryption=True)
        return str(answer["Parameter"]["Value"])
    version = {"VersionStage": reference.version_stage, "VersionId": reference.version_id}
    answer = client.get_secret_value(
        SecretId=reference.name, **{name: value for name, value in version.items() if value}
    )
    value: str | None = answer.get("SecretString")
    return value


@contextmanager
def _quiet() -> Iterator[None]:
    """
    Keep botocore from logging: at DEBUG it writes down the secret that it reads and the token that it signs with.
    """
    logger = logging.getLogger("botocore")
    # One at a time: each must put back the level that the program has set.
    with _level:
        level = logger.level
        logger.setLevel(max(logger.getEffectiveLevel(), logging.INFO))
        try:
            yield
        finally:
            logger.setLevel(level)
