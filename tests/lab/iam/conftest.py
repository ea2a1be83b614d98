"""
An environment in which boto3 finds what a test puts there, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo_auth_aws.auth import set_cached_credentials, set_use_cached_credentials

from warmline.lab.iam import Identities


@pytest.fixture(autouse=True)
def no_aws_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    # As PyMongo does. The cache is one for all of the process.
    set_use_cached_credentials(True)
    yield
    set_cached_credentials(None)
    set_use_cached_credentials(None)


@pytest.fixture
def identities() -> Identities:
    return Identities()
