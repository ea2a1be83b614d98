"""
A process without AWS credentials, and PyMongo's tables as they were.
"""

from __future__ import annotations

import os
from pathlib import Path

import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest

from warmline.lab.iam import Identities
from warmline.runtime.aws import container


@pytest.fixture(autouse=True)
def no_aws_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    monkeypatch.setattr(container, "CONTAINER", container.ContainerCredentials())
    for module in (pymongo.synchronous.auth, pymongo.asynchronous.auth):
        monkeypatch.setattr(module, "_AUTH_MAP", dict(module._AUTH_MAP))


@pytest.fixture
def identities() -> Identities:
    return Identities()
