from __future__ import annotations

import pytest

from warmline import InvalidURIError
from warmline.runtime.secret.reference import Reference, parse

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/orders-AbCdEf"
VERSION = "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
PARAMETER = "arn:aws:ssm:eu-central-1:123456789012:parameter/orders/uri"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (ARN, {"service": "secretsmanager", "name": ARN, "region": "eu-central-1"}),
        (f"{ARN}#uri", {"service": "secretsmanager", "name": ARN, "region": "eu-central-1", "key": "uri"}),
        (f"{ARN}:uri::", {"service": "secretsmanager", "name": ARN, "region": "eu-central-1", "key": "uri"}),
        (f"{ARN}:uri", {"service": "secretsmanager", "name": ARN, "region": "eu-central-1", "key": "uri"}),
        (
            f"{ARN}:uri:AWSPREVIOUS:",
            {
                "service": "secretsmanager",
                "name": ARN,
                "region": "eu-central-1",
                "key": "uri",
                "version_stage": "AWSPREVIOUS",
            },
        ),
        (
            f"{ARN}:::{VERSION}",
            {"service": "secretsmanager", "name": ARN, "region": "eu-central-1", "version_id": VERSION},
        ),
        (
            ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1"),
            {
                "service": "secretsmanager",
                "name": ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-central-1", "cn-north-1"),
                "region": "cn-north-1",
            },
        ),
        (PARAMETER, {"service": "ssm", "name": PARAMETER, "region": "eu-central-1"}),
        (
            "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/uri",
            {
                "service": "ssm",
                "name": "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/uri",
                "region": "us-gov-west-1",
            },
        ),
        ("secretsmanager:prod/orders", {"service": "secretsmanager", "name": "prod/orders"}),
        ("secretsmanager:prod/orders#uri", {"service": "secretsmanager", "name": "prod/orders", "key": "uri"}),
        ("secretsmanager:a_b+c=d.e@f-g!h", {"service": "secretsmanager", "name": "a_b+c=d.e@f-g!h"}),
        ("ssm:/orders/uri", {"service": "ssm", "name": "/orders/uri"}),
        ("ssm:orders.uri", {"service": "ssm", "name": "orders.uri"}),
        ("ssm:/orders#uri", {"service": "ssm", "name": "/orders", "key": "uri"}),
    ],
)
def test_every_form_is_understood(text: str, fields: dict[str, str]) -> None:
    assert parse(text, "connect()") == Reference(text, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "arn:",
        "arn:aws:secretsmanager",
        "arn:aws:s3:::bucket/uri",
        "arn:aws:secretsmanager:eu-central-1:12345:secret:prod/orders",
        f"{ARN}:uri:AWSCURRENT:{VERSION}:more",
        "arn:aws:ssm:eu-central-1:123456789012:document/orders",
        "secretsmanager:",
        "secretsmanager:prod orders",
        "secretsmanager:prod/orders#",
        "ssm:",
        "ssm:/orders/uri\nx",
        "ssm:/ördersuri",
    ],
)
def test_what_has_none_of_the_forms_is_refused_in_one_line_that_shows_them(text: str) -> None:
    with pytest.raises(InvalidURIError, match="is one of arn:aws:secretsmanager:") as caught:
        parse(text, "the environment variable MONGODB_URI")
    assert "the environment variable MONGODB_URI" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["ssm:mongodb://app:s3cr3t@host/", "secretsmanager:mongodb+srv://app:s3cr3t@h/?a=b"])
def test_a_connection_string_in_the_place_of_a_name_keeps_its_password(text: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        parse(text, "connect()")
    assert "s3cr3t" not in str(caught.value)


def test_errors_name_a_reference_and_its_service() -> None:
    assert str(parse("ssm:/orders/uri", "connect()")) == "ssm:/orders/uri (Parameter Store)"
    assert str(parse(ARN, "connect()")) == f"{ARN} (Secrets Manager)"
