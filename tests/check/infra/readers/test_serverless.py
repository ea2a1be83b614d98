from __future__ import annotations

import pytest

from warmline.check.infra.facts import Function, InfraFacts
from warmline.check.infra.readers.serverless import read
from warmline.check.values import Value

HEAD = "service: shop\nprovider:\n  name: aws\n"


def facts(text: str) -> InfraFacts:
    found = read("serverless.yml", text.encode())
    assert found is not None
    return found


def function(settings: str, *, provider: str = "") -> Function:
    indented = "".join(f"    {line}\n" for line in settings.splitlines())
    (found,) = facts(f"{HEAD}{provider}functions:\n  orders:\n{indented}").functions
    return found


def text(value: Value | None) -> str | None:
    assert value is not None
    return value.text


def test_a_function_is_read() -> None:
    found = function(
        "handler: src/orders.handler\nmemorySize: 512\ntimeout: 10\nreservedConcurrency: 5\nsnapStart: true\n"
        "vpc: {subnetIds: [a], securityGroupIds: [b]}\nenvironment:\n  MONGODB_URI: mongodb://x"
    )
    assert (found.name, found.location.line) == ("orders", 5)
    assert text(found.handler) == "src/orders.handler"
    assert text(found.memory_mb) == "512"
    assert text(found.timeout_seconds) == "10"
    assert text(found.reserved_concurrency) == "5"
    assert found.snapstart
    assert found.vpc is not None
    assert [subnet.text for subnet in found.vpc.subnets] == ["a"]
    assert [(each.name, each.value.text) for each in found.variables] == [("MONGODB_URI", "mongodb://x")]
    assert found.properties is not None
    assert (found.properties.line, found.indent) == (6, 4)


def test_the_framework_s_defaults_are_not_lambda_s() -> None:
    found = function("handler: a.b")
    assert (found.memory_mb, found.default_memory_mb) == (None, 1024)
    assert (found.timeout_seconds, found.default_timeout_seconds) == (None, 6)


PROVIDER = (
    "  runtime: nodejs22.x\n  memorySize: 256\n  vpc: {subnetIds: [a]}\n  environment: {A: shared, B: shared}\n"
    "  iam: {role: !GetAtt Role.Arn}\n  reservedConcurrency: 3\n"
)


def test_the_provider_s_settings_are_inherited() -> None:
    found = function("handler: a.b\nenvironment: {B: own}", provider=PROVIDER)
    assert found.memory_mb is not None
    assert (found.memory_mb.text, found.memory_mb.location.line) == ("256", 5)
    assert {each.name: each.value.text for each in found.variables} == {"A": "shared", "B": "own"}
    assert found.vpc is not None
    assert found.role is not None
    assert found.role.names == ("Role",)
    # That is a setting of functions alone.
    assert found.reserved_concurrency is None


def test_a_function_can_leave_the_provider_s_network_out() -> None:
    assert function("handler: a.b\nvpc: ~", provider=PROVIDER).vpc is None


@pytest.mark.parametrize(
    ("written", "expected", "names"),
    [
        ("${env:MONGODB_URI}", None, ("env:MONGODB_URI",)),
        ("${self:custom.uri.${opt:stage, 'dev'}}", None, ("opt:stage, 'dev'",)),
        ("mongodb://u:${env:PASSWORD}@host/", "mongodb://u:{}@host/", ("env:PASSWORD",)),
        ("${ssm:/a}-${ssm:/b}", "{}-{}", ("ssm:/a", "ssm:/b")),
        ("!Ref Uri", None, ("Uri",)),
        ("plain", "plain", ()),
    ],
)
def test_the_framework_s_variables_are_not_known(written: str, expected: str | None, names: tuple[str, ...]) -> None:
    (variable,) = function(f"handler: a.b\nenvironment:\n  X: {written}").variables
    assert variable.value.text == expected
    assert set(names) <= set(variable.value.names)


def test_functions_may_be_a_list_and_some_of_them_in_other_files() -> None:
    found = facts(
        HEAD + "functions:\n  - ${file(more.yml)}\n  - orders: {handler: a.b}\n    users: ${file(users.yml)}\n"
    )
    assert [each.name for each in found.functions] == ["orders"]


def test_cloudformation_within_it_is_read() -> None:
    found = facts(
        HEAD + "resources:\n  - Resources:\n      List:\n        Type: MongoDB::Atlas::ProjectIpAccessList\n"
        "        Properties: {AccessList: [{CIDRBlock: 0.0.0.0/0}]}\n"
        "  - Resources:\n      F:\n        Type: AWS::Lambda::Function\n        Properties:\n"
        "          Environment: {Variables: {X: '${env:Y}'}}\nfunctions:\n  orders: {handler: a.b}\n"
    )
    assert found.kind == "serverless"
    assert [entry.address.text for entry in found.access_entries] == ["0.0.0.0/0"]
    assert [each.name for each in found.functions] == ["orders", "F"]
    assert found.functions[1].default_memory_mb == 128
    assert found.functions[1].variables[0].value.text is None


@pytest.mark.parametrize("provider", ["provider: aws", "provider: {name: aws}", '"provider": {"name": "aws"}'])
def test_it_is_a_service_on_aws(provider: str) -> None:
    data = f"service: shop\n{provider}\nfunctions: {{}}\n".encode()
    assert read("serverless.yml", data) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"service: shop\nprovider: google\nfunctions: {}\n",
        b"service: shop\nprovider: ${file(provider.yml)}\nfunctions: {}\n",
        b"provider: aws\n",
        b"on: push\njobs: {provider: aws, service: x}\n",
        b"services:\n  x: {provider: aws}\n",
        b"functions: x\nprovider: [a\n",
    ],
)
def test_what_is_no_service_on_aws_is_left_alone(data: bytes) -> None:
    assert read("x.yml", data) is None


def test_a_service_that_cannot_be_parsed_is_named_with_the_reason() -> None:
    found = read("serverless.yml", b"service: shop\nprovider: {name: aws\nfunctions: x\n")
    assert found is not None
    assert found.problem is not None


def test_json_is_read_too() -> None:
    data = (
        b'{\n  "service": "shop",\n  "provider": {"name": "aws"},\n  "functions": {"orders": {"handler": "a.b"}}\n}\n'
    )
    found = read("serverless.json", data)
    assert found is not None
    assert [each.name for each in found.functions] == ["orders"]


@pytest.mark.parametrize(
    ("events", "scheduled"),
    [
        ("[schedule: rate(1 hour)]", True),
        ("[schedule: rate(1 hour), httpApi: '*']", False),
        ("[]", False),
        ("~", False),
    ],
)
def test_a_schedule_may_be_all_that_invokes_a_function(events: str, scheduled: bool) -> None:
    assert function(f"handler: a.b\nevents: {events}").scheduled is scheduled
