from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from warmline.runtime.secret import sdk
from warmline.runtime.secret.failure import NotRead, NotThere
from warmline.runtime.secret.reference import parse

from .conftest import AWS, REGION, TOKEN

URI = "mongodb://app:s3cr3t@host/"


def read(text: str) -> str:
    return sdk.read(parse(text, "connect()"), seconds=float("inf"))


def test_it_gives_secrets_and_parameters_by_name_and_by_arn(aws: AWS) -> None:
    arn = aws.secret("by-sdk", URI)
    assert read("secretsmanager:by-sdk") == URI
    assert read(arn) == URI
    arn = aws.parameter("/by/sdk", URI)
    assert read("ssm:/by/sdk") == URI
    assert read(arn) == URI


def test_it_gives_the_version_that_is_asked_for(aws: AWS) -> None:
    arn = aws.secret("versions-by-sdk", URI)
    version = aws.secrets.get_secret_value(SecretId=arn)["VersionId"]
    aws.rotate(arn, "mongodb://new@host/")
    assert read(f"{arn}::AWSPREVIOUS:") == URI
    assert read(f"{arn}:::{version}") == URI
    assert read(arn) == "mongodb://new@host/"


def test_the_region_is_the_arns_and_else_the_functions(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = aws.secret("elsewhere", URI)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert read(arn) == URI
    with pytest.raises(NotRead, match="ResourceNotFoundException"):
        read("secretsmanager:elsewhere")


@pytest.mark.parametrize("text", ["secretsmanager:nowhere", "ssm:/nowhere"])
def test_what_does_not_exist_is_said_in_awss_words_with_what_to_check(aws: AWS, text: str) -> None:
    with pytest.raises(NotRead) as caught:
        read(text)
    assert "NotFound: " in caught.value.said.replace("Exception", "")
    assert caught.value.step == "check its name, region and account, and that it has a value"


def test_a_role_without_the_permission_is_told_which_one_it_lacks(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.secret("not-for-all", URI)
    session = boto3.Session(region_name=REGION, aws_access_key_id="AKIATESTS", aws_secret_access_key="tests")
    iam = session.client("iam", endpoint_url=aws.url)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    # From now on moto looks at signatures and policies.
    without_auth(aws, 0)
    try:
        with pytest.raises(NotRead) as caught:
            read("secretsmanager:not-for-all")
    finally:
        without_auth(aws, 10**9)
        iam.close()
    assert "AccessDenied" in caught.value.said
    assert "user/nobody is not authorized to perform: secretsmanager:GetSecretValue" in caught.value.said
    assert "allow the function's role secretsmanager:GetSecretValue on it" in caught.value.step
    assert key["SecretAccessKey"] not in caught.value.said


def without_auth(aws: AWS, actions: int) -> None:
    requests.post(f"{aws.url}/moto-api/reset-auth", data=str(actions), timeout=10).raise_for_status()


@pytest.mark.parametrize(
    ("code", "message", "step"),
    [
        ("AccessDeniedException", "User: x is not authorized to perform: kms:Decrypt on resource: y", "kms:Decrypt on"),
        ("AccessDeniedException", "Access to KMS is not allowed", "kms:Decrypt on"),
        ("DecryptionFailure", "", "the key that encrypts it is enabled"),
        ("AccessDeniedException", "User: x is not authorized to perform: ssm:GetParameter", "ssm:GetParameter on it"),
        ("InvalidRequestException", "it was marked for deletion", "restore it"),
        ("ThrottlingException", "Rate exceeded", "less often"),
        ("ExpiredTokenException", "The security token included in the request is expired", "expired"),
        ("UnrecognizedClientException", "The security token is invalid", "credentials"),
        ("InternalServiceError", "", "may ssm:GetParameter it"),
    ],
)
def test_every_refusal_comes_with_what_to_do(
    aws: AWS, monkeypatch: pytest.MonkeyPatch, code: str, message: str, step: str
) -> None:
    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "GetParameter")

    monkeypatch.setattr(sdk, "_value", refuse)
    with pytest.raises(NotRead) as caught:
        read("ssm:/refused")
    assert caught.value.said == f"AWS says: {code}: {message}".strip()
    assert step in caught.value.step


def test_without_credentials_region_or_network_it_says_so(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(NotRead, match="EndpointConnectionError") as caught:
        read("ssm:/any")
    assert "an interface endpoint for the service, or a NAT gateway" in caught.value.step
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(NotRead, match="NoRegionError") as caught:
        read("ssm:/any")
    assert "set AWS_REGION" in caught.value.step or "name it by its ARN" in caught.value.step
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(NotRead, match="NoCredentialsError") as caught:
        read("arn:aws:ssm:eu-central-1:123456789012:parameter/any")
    assert "on Lambda its role provides them" in caught.value.step


def test_a_binary_secret_is_none(aws: AWS) -> None:
    aws.secret("binary", URI.encode())
    with pytest.raises(NotRead, match="it is binary"):
        read("secretsmanager:binary")


def test_an_error_that_may_quote_the_answer_is_named_only(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        json.loads('{"SecretString": "s3cr3t')

    monkeypatch.setattr(sdk, "_value", broken)
    with pytest.raises(NotRead) as caught:
        read("secretsmanager:broken")
    assert caught.value.said == "AWS says: JSONDecodeError"


@pytest.mark.usefixtures("no_sdk")
def test_where_it_is_not_installed_there_is_no_such_way() -> None:
    with pytest.raises(NotThere, match="boto3 is not installed"):
        read("ssm:/any")


def test_it_is_installed_here_and_asking_does_not_import_it() -> None:
    program = (
        "import sys; from warmline.runtime.secret import sdk; print(sdk.is_installed(), 'botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_a_program_that_logs_everything_logs_no_secret_and_keeps_its_levels(
    aws: AWS, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    aws.secret(f"quiet-{level}", URI)
    with caplog.at_level(logging.DEBUG), caplog.at_level(level, "botocore"):
        assert read(f"secretsmanager:quiet-{level}") == URI
        assert logging.getLogger("botocore").level == level
        texts = [record.getMessage() for record in caplog.records]
        # A program's own use of AWS's SDK is as talkative as it wants it.
        aws.secrets.get_secret_value(SecretId=f"quiet-{level}")
        said = [record.getMessage() for record in caplog.records if record.name.startswith("botocore")]
    assert [text for text in texts if "s3cr3t" in text or TOKEN in text] == []
    assert any("s3cr3t" in text for text in said) is (level < logging.INFO)
