"""
AWS's services as moto emulates them, and the extension in front of them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pymongo.asynchronous.auth
import pymongo.synchronous.auth
import pytest
from moto.server import ThreadedMotoServer

from warmline.runtime.secret import extension, renewal, sdk, store

from .stub import ExtensionStub

REGION = "eu-central-1"
TOKEN = "a-session-token"
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class AWS:
    """
    The two services, and where they are.
    """

    url: str
    secrets: Any
    parameters: Any

    def secret(self, name: str, value: str | bytes) -> str:
        """
        Create a secret and return its ARN.
        """
        kind = "SecretString" if isinstance(value, str) else "SecretBinary"
        arn: str = self.secrets.create_secret(Name=name, **{kind: value})["ARN"]
        return arn

    def rotate(self, name: str, value: str) -> None:
        self.secrets.put_secret_value(SecretId=name, SecretString=value)

    def parameter(self, name: str, value: str) -> str:
        """
        Create or change a parameter and return its ARN.
        """
        self.parameters.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
        arn: str = self.parameters.get_parameter(Name=name)["Parameter"]["ARN"]
        return arn

    def fetch(self, service: str, parameters: dict[str, str]) -> dict[str, Any]:
        """
        Do what the extension does on behalf of the function.
        """
        if service == "ssm":
            decrypted = parameters["withDecryption"] == "true"
            answer = self.parameters.get_parameter(Name=parameters["name"], WithDecryption=decrypted)
        else:
            names = {"secretId": "SecretId", "versionStage": "VersionStage", "versionId": "VersionId"}
            answer = self.secrets.get_secret_value(**{names[name]: value for name, value in parameters.items()})
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@pytest.fixture(scope="session")
def emulator() -> Iterator[AWS]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    session = boto3.Session(region_name=REGION, aws_access_key_id="AKIATESTS", aws_secret_access_key="tests")
    secrets, parameters = (session.client(name, endpoint_url=url) for name in ("secretsmanager", "ssm"))
    yield AWS(url, secrets, parameters)
    secrets.close()
    parameters.close()
    server.stop()


@pytest.fixture(autouse=True)
def _fresh_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    No secret is known, PyMongo logs in as it does by itself, and AWS's SDK finds nothing of this machine's.
    """
    monkeypatch.setattr(store, "_secrets", store._Secrets())
    monkeypatch.setattr(renewal, "_secrets", {})
    for module in (pymongo.synchronous.auth, pymongo.asynchronous.auth):
        monkeypatch.setattr(module, "_AUTH_MAP", dict(module._AUTH_MAP))
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_", "PARAMETERS_SECRETS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))


@pytest.fixture
def aws(emulator: AWS, monkeypatch: pytest.MonkeyPatch) -> AWS:
    """
    The services, where AWS's SDK finds them.
    """
    # A busy machine may keep the emulator from answering in time.
    monkeypatch.setattr(sdk, "READ_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(extension, "ANSWER_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIATESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    return emulator


@pytest.fixture
def stub(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExtensionStub]:
    """
    The extension beside a function in one of its invocations.
    """
    stub = ExtensionStub(aws.fetch, TOKEN)
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0-0")
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(stub.port))
    yield stub
    stub.close()


@pytest.fixture
def no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As where boto3 is not installed.
    """
    for name in ("botocore", "botocore.session", "botocore.config"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sdk, "is_installed", lambda: False)
