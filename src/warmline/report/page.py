"""
A result as one HTML page that needs nothing else: no network, no script, no other file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .compare_text import summary
from .html import render
from .tables import tables
from .wording import metric_value, ratio_label, ratio_value, sentence, spaced, variant_label

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult, Metric
    from .compare import Comparison

# An experiment names its metrics in the order of their weight: the first ones are shown as bars.
_KEY_FIGURES = 6


@dataclass(frozen=True, slots=True)
class _Bar:
    """
    One variant's value; ``share`` is its length in percent of the longest.
    """

    label: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """
    One metric of all variants.
    """

    label: str
    bars: tuple[_Bar, ...]


def to_page(result: ExperimentResult) -> str:
    """
    The page. The same result gives the same page, byte for byte.
    """
    from .charts import latency_charts, scale_is_logarithmic, timeline

    # Those of a group are read side by side, in a table.
    key_metrics = [metric for metric in result.metrics if not metric.group and _compares(result, metric)][:_KEY_FIGURES]
    return render(
        "experiment.html.j2",
        result=result,
        key_figures=[_figures(result, metric) for metric in key_metrics],
        tables=tables(result),
        ratios=[(ratio_value(value), ratio_label(result, name)) for name, value in result.ratios.items()],
        panels=timeline(result),
        logarithmic=scale_is_logarithmic(result),
        latencies=latency_charts(result),
        settings=[
            (heading, [(spaced(name), value) for name, value in values.items()])
            for heading, values in (
                ("Machine", result.machine),
                ("Versions", result.versions),
                ("Parameters", result.parameters),
            )
            if values
        ],
    )


def _compares(result: ExperimentResult, metric: Metric) -> bool:
    """
    Whether there are two values of it to compare; a lone one is in the table.
    """
    values = [metrics.get(metric.name, math.nan) for metrics in result.variants.values()]
    return sum(map(math.isfinite, values)) >= min(2, len(values))


def _figures(result: ExperimentResult, metric: Metric) -> _Figures:
    values = {variant: metrics.get(metric.name, math.nan) for variant, metrics in result.variants.items()}
    # A bar has no length below zero.
    lengths = {variant: max(value, 0.0) if math.isfinite(value) else 0.0 for variant, value in values.items()}
    longest = max(lengths.values(), default=0.0) or 1.0
    return _Figures(
        sentence(metric.label),
        tuple(
            _Bar(
                variant_label(result, variant),
                metric_value(result, metric, variant),
                round(100 * lengths[variant] / longest, 1),
            )
            for variant in lengths
        ),
    )


def to_comparison_page(comparison: Comparison, names: tuple[str, str]) -> str:
    """
    Two runs on one page.

    :param names: what the runs are called, their files say.
    """
    return render(
        "comparison.html.j2",
        comparison=comparison,
        names=names,
        runs=(comparison.first, comparison.second),
        summary=summary(comparison),
    )
