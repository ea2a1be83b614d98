"""
One line of CloudWatch's embedded metric format: what a function prints becomes metrics, without an agent or a request.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

from .snapshot import InvocationMetrics

NAMESPACE = "warmline"

# CloudWatch's names for the driver's reasons.
_CLOSED = {"idle": "Idle", "stale": "Stale", "error": "Error", "poolClosed": "PoolClosed"}
_FAILED = {"timeout": "Timeout", "poolClosed": "PoolClosed", "connectionError": "ConnectionError"}


def line(metrics: InvocationMetrics, context: Any) -> str:
    """
    Write down what has changed in an invocation, and how many connections are open.

    :param context: the Lambda context object, for the request's id; ``None`` will do.
    """
    values = {name: (value, unit) for name, value, unit in _changed(metrics)}
    # A dimension makes a metric of its own of each of its values, and each is paid for: the function alone.
    dimensions = _named(FunctionName=os.environ.get("AWS_LAMBDA_FUNCTION_NAME"))
    document = {
        "_aws": {
            "Timestamp": time.time_ns() // 1_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(dimensions)],
                    "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
                }
            ],
        },
        **dimensions,
        **_named(
            FunctionVersion=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
            RequestId=getattr(context, "aws_request_id", None),
        ),
        **{name: value for name, (value, _) in values.items()},
    }
    return json.dumps(document, separators=(",", ":"))


def _changed(metrics: InvocationMetrics) -> Iterator[tuple[str, float, str]]:
    counted = {
        "ConnectionsCreated": metrics.connections_created,
        **_by_reason("ConnectionsClosed", _CLOSED, metrics.connections_closed),
        "ConnectionsInUseMax": metrics.connections_in_use_max,
        "Checkouts": metrics.checkouts,
        **_by_reason("CheckoutsFailed", _FAILED, metrics.checkouts_failed),
        "Retries": metrics.retries,
        "HeartbeatsFailed": metrics.heartbeats_failed,
        "Thaws": metrics.thaws,
    }
    measured = {
        "CheckoutTime": metrics.checkout_ms,
        "CheckoutTimeMax": metrics.checkout_ms_max,
        "ConnectTime": metrics.connect_ms,
        "ConnectDnsTime": metrics.connect_dns_ms,
        "ConnectTcpTime": metrics.connect_tcp_ms,
        "ConnectTlsTime": metrics.connect_tls_ms,
        "ConnectAuthenticationTime": metrics.connect_authentication_ms,
    }
    yield "ConnectionsOpen", metrics.connections_open, "Count"
    yield "ConnectionsInUse", metrics.connections_in_use, "Count"
    for name, count in counted.items():
        if count:
            yield name, count, "Count"
    for name, milliseconds in measured.items():
        if milliseconds:
            yield name, round(milliseconds, 3), "Milliseconds"


def _by_reason(prefix: str, names: dict[str, str], counts: Any) -> dict[str, int]:
    return {f"{prefix}{name}": counts.get(reason, 0) for reason, name in names.items()}


def _named(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
