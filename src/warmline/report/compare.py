"""
Two runs of one experiment side by side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .wording import MISSING, metric_value, ratio_value, spaced, variant_label

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult, Metric

# Below this share, up or down, two runs on one quiet machine differ by themselves.
THRESHOLD_PERCENT = 20.0


class NotComparable(ValueError):  # noqa: N818 - as the lab's errors: the name says the cause
    """
    The runs are not of one experiment.
    """


@dataclass(frozen=True, slots=True)
class Difference:
    """
    Something about the runs themselves that is not the same: the machine, a version, a parameter.
    """

    about: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Compared:
    """
    One value in both runs, as people read it; ``differs`` tells whether by more than the threshold.
    """

    variant: str
    first: str
    second: str
    ratio: str
    differs: bool


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """
    One metric, of each variant that either run has.
    """

    label: str
    group: str
    values: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    ``differences`` say what else is not the same, so that a reader knows before the figures.
    """

    first: ExperimentResult
    second: ExperimentResult
    threshold_percent: float
    differences: tuple[Difference, ...]
    metrics: tuple[ComparedMetric, ...]

    @property
    def differing(self) -> int:
        """
        How many values differ by more than the threshold.
        """
        return sum(value.differs for metric in self.metrics for value in metric.values)

    @property
    def total(self) -> int:
        """
        How many values were compared.
        """
        return sum(len(metric.values) for metric in self.metrics)


def compare(
    first: ExperimentResult, second: ExperimentResult, *, threshold_percent: float = THRESHOLD_PERCENT
) -> Comparison:
    """
    Compare them, value by value.

    :raises NotComparable: they are of different experiments.
    """
    if first.experiment != second.experiment:
        raise NotComparable(
            f"one is a run of {first.experiment}, the other of {second.experiment}: only runs of one experiment compare"
        )
    return Comparison(
        first,
        second,
        threshold_percent,
        tuple(_differences(first, second)),
        tuple(
            ComparedMetric(
                metric.label,
                metric.group,
                tuple(
                    _compared(first, second, metric, variant, threshold_percent)
                    for variant in {**first.variants, **second.variants}
                ),
            )
            for metric in {metric.name: metric for metric in (*second.metrics, *first.metrics)}.values()
        ),
    )


def _differences(first: ExperimentResult, second: ExperimentResult) -> Iterator[Difference]:
    for one, other in (
        (first.machine, second.machine),
        (first.versions, second.versions),
        (first.parameters, second.parameters),
    ):
        for name in {**one, **other}:
            if one.get(name) != other.get(name):
                yield Difference(spaced(name), _told(one, name), _told(other, name))


def _told(values: Mapping[str, str | int | float], name: str) -> str:
    return str(values[name]) if name in values else "not told"


def _compared(
    first: ExperimentResult, second: ExperimentResult, metric: Metric, variant: str, threshold_percent: float
) -> Compared:
    one, other = (result.variants.get(variant, {}).get(metric.name, math.nan) for result in (first, second))
    both = math.isfinite(one) and math.isfinite(other)
    label = variant_label(second if variant in second.variants else first, variant)
    ratio = other / one if both and one else math.nan
    if metric.words or not both or one == other or one * other <= 0:
        # Words, a value that only one of them has, something that was nothing: there is no share to it.
        differs = one != other if both else math.isfinite(one) != math.isfinite(other)
    else:
        differs = max(ratio, 1 / ratio) > 1 + threshold_percent / 100
    return Compared(
        label,
        _value(first, metric, variant),
        _value(second, metric, variant),
        "" if metric.words else ratio_value(ratio),
        differs,
    )


def _value(result: ExperimentResult, metric: Metric, variant: str) -> str:
    return metric_value(result, metric, variant) if variant in result.variants else MISSING
