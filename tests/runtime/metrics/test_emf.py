from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from botocore.loaders import Loader

from warmline.runtime.metrics.counts import Process
from warmline.runtime.metrics.emf import line
from warmline.runtime.metrics.snapshot import InvocationMetrics

NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"}

# The rules of the specification that a JSON schema can hold, and of PutMetricData where it refers to that.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {**NAME, "not": {"pattern": "^AWS/"}},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "uniqueItems": True, "items": NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": NAME,
                                        "Unit": {"enum": []},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """
    The units are those of AWS's own description of CloudWatch.
    """
    units = Loader().load_service_model("cloudwatch", "service-2")["shapes"]["StandardUnit"]["enum"]
    schema: dict[str, Any] = json.loads(json.dumps(SCHEMA))
    directive = schema["properties"]["_aws"]["properties"]["CloudWatchMetrics"]["items"]["properties"]
    directive["Metrics"]["items"]["properties"]["Unit"]["enum"] = units
    return schema


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")


CONTEXT = SimpleNamespace(aws_request_id="3f0c")
NOTHING = Process().snapshot()


def everything() -> InvocationMetrics:
    reasons = {
        "connections_closed": Counter(idle=1, stale=2, error=3, poolClosed=4),
        "checkouts_failed": Counter(timeout=5, poolClosed=6, connectionError=7),
    }
    others = [field.name for field in fields(NOTHING) if field.name not in reasons]
    return replace(NOTHING, **reasons, **{name: 10 + number for number, name in enumerate(others)})  # type: ignore[arg-type]


def check(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """
    The rules of the specification; those about references a schema can't hold.
    """
    assert "\n" not in text
    assert len(text.encode()) < 256 * 1024
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, schema)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for name in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(document[name], str)
            assert document[name].strip()
        names = [metric["Name"] for metric in directive["Metrics"]]
        assert len(set(names)) == len(names)
        for name in names:
            assert isinstance(document[name], int | float)
            assert not isinstance(document[name], bool)
    return document


@pytest.mark.usefixtures("on_lambda")
@pytest.mark.parametrize("metrics", [NOTHING, everything()], ids=["nothing", "everything"])
def test_a_line_keeps_the_rules_of_the_specification(metrics: InvocationMetrics, schema: dict[str, Any]) -> None:
    document = check(line(metrics, CONTEXT), schema)
    assert abs(document["_aws"]["Timestamp"] / 1000 - time.time()) < 60


def test_the_rules_are_not_empty(schema: dict[str, Any]) -> None:
    document = json.loads(line(everything(), None))
    document["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] = "ms"
    with pytest.raises(jsonschema.ValidationError, match="'ms' is not one of"):
        check(json.dumps(document), schema)
    document = json.loads(line(everything(), None))
    del document["ConnectionsOpen"]
    with pytest.raises(KeyError):
        check(json.dumps(document), schema)


@pytest.mark.usefixtures("on_lambda")
def test_the_function_is_the_only_dimension(schema: dict[str, Any]) -> None:
    document = check(line(everything(), CONTEXT), schema)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "warmline"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert document["FunctionName"] == "orders"
    # To be searched for, not to be paid for.
    assert (document["FunctionVersion"], document["RequestId"]) == ("7", "3f0c")


def test_outside_lambda_there_is_no_dimension(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    document = check(line(NOTHING, None), schema)
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_what_has_not_changed_is_left_out_but_for_the_gauges(schema: dict[str, Any]) -> None:
    document = check(line(replace(NOTHING, connections_open=2, checkouts=1, checkout_ms=0.12345), None), schema)
    metrics = document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {metric["Name"]: (document[metric["Name"]], metric["Unit"]) for metric in metrics} == {
        "ConnectionsOpen": (2, "Count"),
        "ConnectionsInUse": (0, "Count"),
        "Checkouts": (1, "Count"),
        "CheckoutTime": (0.123, "Milliseconds"),
    }


def test_every_metric_and_every_reason_has_a_name(schema: dict[str, Any]) -> None:
    document = check(line(everything(), None), schema)
    names = [metric["Name"] for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    reasons = 4 + 3
    assert len(names) == len(fields(NOTHING)) - 2 + reasons
    assert document["ConnectionsClosedPoolClosed"] == 4
    assert document["CheckoutsFailedConnectionError"] == 7
