"""
How numbers and names read, the same in the terminal and on the page.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult, Metric

# As tables have it where there is no value.
MISSING = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def metric_value(result: ExperimentResult, metric: Metric, variant: str) -> str:
    """
    A variant's value of the metric, with its decimals or in its word; a dash where it has none.
    """
    value = result.variants[variant].get(metric.name, math.nan)
    if metric.words and math.isfinite(value):
        return metric.words[int(value)]
    return f"{value:,.{metric.decimals}f}" if math.isfinite(value) else MISSING


def ratio_value(value: float) -> str:
    """
    A ratio to about three figures: 0.042 times, 1.37 times, 98.3 times, 1,204 times.
    """
    if not math.isfinite(value):
        return MISSING
    if abs(value) < 1:
        # Both figures, also where the second is a zero: 0.70, not 0.7.
        return f"{value:#.2g}{TIMES}" if value else f"0{TIMES}"
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{decimals}f}{TIMES}"


def milliseconds(value: float) -> str:
    """
    A time to as many digits as a reader compares.
    """
    return f"{value:,.1f} ms" if value < 100 else f"{value:,.0f} ms"


def clock(seconds: float) -> str:
    """
    A duration in minutes and seconds: 1:05.
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def variant_label(result: ExperimentResult, variant: str) -> str:
    """
    What a variant is called for people.
    """
    return result.variant_labels.get(variant, variant)


def ratio_label(result: ExperimentResult, name: str) -> str:
    """
    What a ratio compares: where its name is made of a metric and two variants, their labels say it.
    """
    labels = {_in_names(variant): variant_label(result, variant) for variant in result.variants}
    for metric in result.metrics:
        # Some have a variant's name as it is, with hyphens.
        one, separator, other = _in_names(name).removeprefix(f"{metric.name}_").partition("_to_")
        if name.startswith(f"{metric.name}_") and separator and one in labels and other in labels:
            group = f"{metric.group}, " if metric.group else ""
            return f"{group}{metric.label}: {labels[one]} ÷ {labels[other]}"
    return spaced(name)


def sentence(text: str) -> str:
    """
    The text with a capital letter, unless it begins with a name that is written otherwise (``maxIdleTimeMS``).
    """
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first != "warmline" else text


def spaced(name: str) -> str:
    """
    The words of a name in snake case.
    """
    return name.replace("_", " ")


def _in_names(variant: str) -> str:
    return variant.replace("-", "_")
