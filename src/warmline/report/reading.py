"""
A result back from its JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..lab.experiments.result import (
    ConnectionSeries,
    Event,
    ExperimentResult,
    Latencies,
    Metric,
    StateSeries,
    Waits,
)


class UnreadableResult(ValueError):  # noqa: N818 - as the lab's errors: the name says the cause
    """
    A file is no result of an experiment; the message is one line, with what to do.
    """


def read_result(path: Path) -> ExperimentResult:
    """
    Read what ``to_json`` has written.

    :raises UnreadableResult: there is no such file, or it holds something else.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UnreadableResult(f"can't read {path}: {error.strerror}") from None
    except ValueError as error:
        raise UnreadableResult(
            f"{path} is not JSON: {error}; name a file that `warmline lab run --json` wrote"
        ) from None
    try:
        return from_document(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        lacks = f"it lacks {error}" if isinstance(error, KeyError) else "it has another form"
        raise UnreadableResult(
            f"{path} is no result of an experiment, or of an older warmline: {lacks}; run the experiment again, --json"
        ) from None


def from_document(document: Mapping[str, Any]) -> ExperimentResult:
    """
    The result; what is null in the document is NaN again, and what was sampled may be left out.
    """
    return ExperimentResult(
        experiment=_text(document["experiment"]),
        title=_text(document["title"]),
        question=_text(document["question"]),
        answer=_text(document["answer"]),
        date=_text(document["date"]),
        seconds=float(document["seconds"]),
        metrics=tuple(
            Metric(each["name"], each["label"], each["decimals"], each["group"], tuple(each["words"]))
            for each in document["metrics"]
        ),
        variants={variant: _numbers(values) for variant, values in document["variants"].items()},
        variant_labels=dict(document["variant_labels"]),
        ratios=_numbers(document["ratios"]),
        machine=dict(document["machine"]),
        versions=dict(document["versions"]),
        parameters=dict(document["parameters"]),
        notes=tuple(document["notes"]),
        command=_text(document["command"]),
        connections=tuple(
            ConnectionSeries(
                each["variant"], each["node"], tuple(each["seconds"]), tuple(each["counts"]), each["limit"]
            )
            for each in document.get("series", ())
        ),
        environments=tuple(
            StateSeries(each["variant"], each["state"], tuple(each["seconds"]), tuple(each["counts"]))
            for each in document.get("environments", ())
        ),
        latencies=tuple(
            Latencies(each["variant"], tuple(each["cold_ms"]), tuple(each["warm_ms"]))
            for each in document.get("latencies", ())
        ),
        waits=Waits(**document.get("waits", {})),
        events={
            variant: tuple(Event(each["seconds"], each["label"]) for each in events)
            for variant, events in document.get("events", {}).items()
        },
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in values.items()}
