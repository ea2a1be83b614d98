from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from warmline.lab.errors import UnusableFunction
from warmline.lab.own import TemplateFunction, read_template

SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: test}
  AtlasUri: {Type: String, NoEcho: true}
Globals:
  Function:
    Runtime: PYTHON
    Environment:
      Variables:
        STAGE: !Ref Stage
        MONGODB_URI: mongodb+srv://app:secret@cluster0.abcde.mongodb.net
Resources:
  OrdersFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders
      Handler: app.lambda_handler
      MemorySize: 1024
      Timeout: 20
      ReservedConcurrentExecutions: 40
      SnapStart: {ApplyOn: PublishedVersions}
      Environment:
        Variables:
          QUEUE_URL: !Ref Queue
          ATLAS_URL: !Ref AtlasUri
          DB_SECRET_ARN: !Ref Secret
          LIMIT: 7
  ItemsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders
      Handler: app.lambda_handler
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 5}
      AutoPublishAlias: live
      Layers: [!Ref Layer]
      Timeout: !If [Long, 60, 3]
  Custom:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: custom
      Handler: bootstrap
      Runtime: provided.al2023
  Queue: {Type: AWS::SQS::Queue}
  Secret: {Type: AWS::SecretsManager::Secret}
""".replace("PYTHON", f"python3.{sys.version_info.minor}")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    for folder in ("orders", "custom"):
        (tmp_path / folder).mkdir()
    (tmp_path / "orders" / "app.py").write_text("def lambda_handler(event, context): ...")
    (tmp_path / "custom" / "bootstrap").write_text("#!/bin/sh\n")
    (tmp_path / "custom" / "bootstrap").chmod(0o755)
    (tmp_path / "template.yaml").write_text(SAM)
    return tmp_path / "template.yaml"


def one(template: Path, **given: Any) -> TemplateFunction:
    [found] = read_template(template, **given)
    return found


def test_a_function_is_read_as_it_would_be_deployed(template: Path) -> None:
    spec = one(template, function="OrdersFunction").spec
    assert (spec.name, spec.handler, spec.code) == ("OrdersFunction", "app.lambda_handler", template.parent / "orders")
    assert (spec.memory_mb, spec.timeout_seconds, spec.runtime) == (1024, 20, f"python3.{sys.version_info.minor}")
    assert (spec.reserved_concurrency, spec.provisioned_concurrency) == (40, 0)
    assert (spec.initialization, spec.command) == ("snap-start", None)


def test_the_cluster_takes_the_place_of_every_connection_string_and_it_is_said(template: Path) -> None:
    found = one(template, function="OrdersFunction")
    assert found.spec.environment == {"STAGE": "test", "MONGODB_URI": "{uri}", "ATLAS_URL": "{uri}", "LIMIT": "7"}
    assert found.notes == (
        "MONGODB_URI is the lab's cluster, whatever the template says",
        "QUEUE_URL is left out: only a deployment knows it; --env QUEUE_URL=… sets it",
        "ATLAS_URL is the lab's cluster, whatever the template says",
        "DB_SECRET_ARN is left out: only a deployment knows it; --env DB_SECRET_ARN=… sets it",
    )


def test_what_is_given_comes_before_what_the_template_says(template: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "main.py").write_text("def handler(event, context): ...")
    environment = {"QUEUE_URL": "http://127.0.0.1", "ATLAS_URL": "mongodb://mine", "DB_SECRET_ARN": "x"}
    found = one(
        template,
        function="OrdersFunction",
        handler="main.handler",
        code=other,
        memory_mb=256,
        timeout_seconds=5.0,
        environment=environment,
    )
    assert (found.spec.handler, found.spec.code) == ("main.handler", other)
    assert (found.spec.memory_mb, found.spec.timeout_seconds) == (256, 5.0)
    assert environment.items() <= found.spec.environment.items()
    assert found.notes == ("MONGODB_URI is the lab's cluster, whatever the template says",)


def test_what_the_lab_cannot_do_as_the_template_says_is_told(template: Path) -> None:
    found = one(template, function="ItemsFunction")
    assert (found.spec.provisioned_concurrency, found.spec.memory_mb, found.spec.timeout_seconds) == (5, 128, 3)
    assert found.notes[1:] == (
        "its timeout in seconds is 3, Lambda's default: only a deployment knows the template's",
        "its layers are left out: what it imports must be in its folder, or installed here",
    )
    other = one(template, function="ItemsFunction", runtime="python3.9").notes
    assert f"runs on this Python, 3.{sys.version_info.minor}, and not on python3.9" in other


def test_a_function_that_brings_its_own_runtime_is_its_bootstrap(template: Path) -> None:
    spec = one(template, function="Custom").spec
    assert (spec.command, spec.runtime, spec.handler) == (("./bootstrap",), "provided.al2023", "bootstrap")


def test_without_a_name_all_functions_are_read(template: Path) -> None:
    assert [each.spec.name for each in read_template(template)] == ["OrdersFunction", "ItemsFunction", "Custom"]


def test_cloudformation_and_managed_instances_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...")
    (tmp_path / "template.json").write_text(
        """{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Metadata": {"aws:asset:path": "."}, "Properties": {
        "Handler": "app.handler", "Code": {"S3Bucket": "b", "S3Key": "k"}, "CapacityProviderConfig": {"x": 1}}}}}"""
    )
    found = one(tmp_path / "template.json")
    assert (found.spec.initialization, found.spec.workers) == ("lambda-managed-instances", 2 * (os.cpu_count() or 1))
    assert found.notes[0].startswith("its managed instances have two workers for each core")
    assert found.spec.environment == {"MONGODB_URI": "{uri}"}
    assert found.notes[-1].startswith("MONGODB_URI is the lab's cluster: no variable looks like a connection string")


def resource(properties: str) -> str:
    return f"Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {properties}"


@pytest.mark.parametrize(
    ("text", "function", "says"),
    [
        (None, None, "can't read the template .*: No such file"),
        ("services: {}", None, "is no SAM or CloudFormation template"),
        ("Resources: {A: {Type: AWS::Lambda::Function", None, "the template .* can't be read: it can't be parsed"),
        ("Resources: {Q: {Type: AWS::SQS::Queue}}", None, "has no function: it has none"),
        (SAM, "Order", "has no function Order: OrdersFunction, ItemsFunction, Custom"),
        (SAM, "OrdersFunction", "the code of OrdersFunction is no folder: .*/orders; build it"),
        (resource("{Handler: a.b, Code: {ZipFile: 'x = 1'}}"), None, "the code of F is in no folder"),
        (resource("{PackageType: Image, Code: {ImageUri: x}}"), None, "F is an image"),
        (resource("{Code: .}"), None, "no function is named"),
        (resource("{Code: ., Handler: missing.handler}"), None, "there is no module missing"),
        (resource("{Code: ., Handler: 'app.Handler::run', Runtime: java21}"), None, "has no client for java21"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(tmp_path: Path, text: str | None, function: str, says: str) -> None:
    if text is not None:
        (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(UnusableFunction, match=says) as caught:
        read_template(tmp_path / "template.yaml", function=function)
    assert "\n" not in str(caught.value)
