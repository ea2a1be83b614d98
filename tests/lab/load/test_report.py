from __future__ import annotations

import json

import pytest

from warmline.lab.load import Report, read_report

# As in AWS's documentation of a function's log.
TEXT = (
    "START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST\n"
    "Duration: 7 ms is what the function prints\n"
    "END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\n"
    "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\tBilled Duration: 16 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 56 MB\tInit Duration: 130.49 ms\t\n"
    "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\n"
)

METRICS = {"durationMs": 15.7, "billedDurationMs": 16, "memorySizeMB": 128, "maxMemoryUsedMB": 56}


def system_log(metrics: dict[str, float]) -> str:
    record = {"requestId": "8f507cfc", "status": "success", "metrics": metrics}
    return json.dumps({"time": "2026-01-05T12:00:00.000Z", "type": "platform.report", "record": record})


@pytest.mark.parametrize(
    ("log", "report"),
    [
        (TEXT, Report(15.74, 130.49, 56)),
        (TEXT.replace("\tInit Duration: 130.49 ms", ""), Report(15.74, None, 56)),
        (TEXT.replace("Init Duration", "Restore Duration"), Report(15.74, 130.49, 56)),
        (system_log(METRICS), Report(15.7, None, 56)),
        (f"…cut off\n{system_log({**METRICS, 'initDurationMs': 99.5})}\n", Report(15.7, 99.5, 56)),
        (system_log({**METRICS, "restoreDurationMs": 88}), Report(15.7, 88, 56)),
    ],
)
def test_lambdas_report_is_read_from_text_and_json_logs(log: str, report: Report) -> None:
    assert read_report(log) == report


@pytest.mark.parametrize(
    "log", ["", "nothing of the kind\n", 'cut off "platform.report"}\n', '{"type": "platform.report", "record": 1}']
)
def test_a_log_without_a_report_has_none(log: str) -> None:
    assert read_report(log) is None
