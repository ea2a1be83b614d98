"""
What Lambda reports of an invocation at the end of its log.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html (the REPORT line) and
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html (``platform.report``, with JSON logs).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PART = re.compile(r"(?P<name>[A-Z][A-Za-z ]*): (?P<value>\d+(?:\.\d+)?) (?:ms|MB)")


@dataclass(frozen=True, slots=True)
class Report:
    """
    One invocation by Lambda's own clock. ``init_ms`` is what a cold start's Init, or SnapStart's restore, took.

    NaN is what Lambda did not say.
    """

    duration_ms: float = math.nan
    init_ms: float | None = None
    max_memory_mb: float = math.nan


def read_report(log: str) -> Report | None:
    """
    Find the report in the end of a log; ``None`` if there is none.
    """
    for line in reversed(log.splitlines()):
        if line.startswith("REPORT RequestId:"):
            values = {found["name"]: float(found["value"]) for found in _PART.finditer(line)}
            init = values.get("Init Duration", values.get("Restore Duration"))
            return Report(values.get("Duration", math.nan), init, values.get("Max Memory Used", math.nan))
        if '"platform.report"' in line:
            metrics = _metrics(line)
            if metrics is not None:
                init = metrics.get("initDurationMs", metrics.get("restoreDurationMs"))
                return Report(
                    float(metrics.get("durationMs", math.nan)),
                    None if init is None else float(init),
                    float(metrics.get("maxMemoryUsedMB", math.nan)),
                )
    return None


def _metrics(line: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(line)
        if document["type"] != "platform.report":
            return None
        metrics: Mapping[str, Any] = document["record"]["metrics"]
    except (ValueError, KeyError, TypeError):
        # The log's end may begin in the middle of a line.
        return None
    return metrics
