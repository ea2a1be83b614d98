"""
A result as JSON, for other programs and for comparing runs over time.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult

# Microseconds are below what any of the measurements resolves.
_DECIMALS = 3


def to_document(result: ExperimentResult) -> dict[str, Any]:
    """
    The result in JSON's own types; what is no number (a median of nothing) is null.
    """
    return {
        "experiment": result.experiment,
        "title": result.title,
        "question": result.question,
        "answer": result.answer,
        "date": result.date,
        "seconds": rounded(result.seconds),
        "variants": {
            variant: {name: rounded(value) for name, value in metrics.items()}
            for variant, metrics in result.variants.items()
        },
        "variant_labels": dict(result.variant_labels),
        "metrics": [
            {
                "name": metric.name,
                "label": metric.label,
                "decimals": metric.decimals,
                "group": metric.group,
                "words": list(metric.words),
            }
            for metric in result.metrics
        ],
        "ratios": {name: _significant(value) for name, value in result.ratios.items()},
        "machine": _settings(result.machine),
        "versions": dict(result.versions),
        "parameters": _settings(result.parameters),
        "notes": list(result.notes),
        "command": result.command,
        "series": [
            {
                "variant": series.variant,
                "node": series.node,
                "limit": series.limit,
                "seconds": _all_rounded(series.seconds),
                "counts": list(series.counts),
            }
            for series in result.connections
        ],
        "environments": [
            {
                "variant": series.variant,
                "state": series.state,
                "seconds": _all_rounded(series.seconds),
                "counts": list(series.counts),
            }
            for series in result.environments
        ],
        "latencies": [
            {
                "variant": latencies.variant,
                "cold_ms": _all_rounded(latencies.cold_ms),
                "warm_ms": _all_rounded(latencies.warm_ms),
            }
            for latencies in result.latencies
        ],
        "waits": dataclasses.asdict(result.waits),
        "events": {
            variant: [{"seconds": rounded(event.seconds), "label": event.label} for event in events]
            for variant, events in result.events.items()
        },
    }


def to_json(result: ExperimentResult) -> str:
    """
    The document as text. Its keys keep their order, so that two runs can be compared line by line.
    """
    return json.dumps(to_document(result), indent=2, ensure_ascii=False, allow_nan=False)


def _all_rounded(values: Iterable[float]) -> list[float | None]:
    return [rounded(value) for value in values]


def rounded(value: float) -> float | None:
    """
    A value to what the measurements resolve; ``None`` for what is no number.
    """
    return _plain(round(value, _DECIMALS)) if math.isfinite(value) else None


def _significant(value: float) -> float | None:
    # A ratio may be far below one: decimals would cut all of it.
    return _plain(float(f"{value:.4g}")) if math.isfinite(value) else None


def _plain(value: float) -> float:
    # 40, not 40.0: most values are counts that went through a division.
    return int(value) if value == int(value) else value


def _settings(settings: Mapping[str, str | int | float]) -> dict[str, str | int | float | None]:
    # As they were given: a run is repeated with them. Only NaN and infinity have no place in JSON.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in settings.items()
    }
