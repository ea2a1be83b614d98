"""
A result as CSV for a spreadsheet: one line for each value, so that a pivot table or a filter can arrange them.
"""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

from .document import rounded
from .units import unit
from .wording import variant_label

if TYPE_CHECKING:
    from ..lab.experiments.result import ExperimentResult

COLUMNS = ("experiment", "date", "variant", "variant_label", "metric", "metric_label", "group", "value", "unit")


def to_csv(result: ExperimentResult) -> str:
    """
    The metrics of all variants, with a line that names the columns.

    A value is a number with a decimal point and no thousands separator, or its word where it is no quantity; it is
    empty where the variant has none.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for variant, values in result.variants.items():
        for metric in result.metrics:
            value = rounded(values.get(metric.name, math.nan))
            writer.writerow(
                (
                    result.experiment,
                    result.date,
                    variant,
                    variant_label(result, variant),
                    metric.name,
                    metric.label,
                    metric.group,
                    metric.words[int(value)] if metric.words and value is not None else value,
                    "" if metric.words else unit(metric.name),
                )
            )
    return text.getvalue()
