from __future__ import annotations

import asyncio
import math

import pytest

from warmline.lab.errors import CpuLimitUnavailable
from warmline.lab.experiments import RunOptions, memory
from warmline.lab.experiments.memory import EXPERIMENT, METRICS, _gb_seconds


def test_each_size_is_measured_with_both_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (256, 1769)
    monkeypatch.setattr(memory, "SIZES_MB", sizes)
    monkeypatch.setattr(memory, "_WARM_INVOCATIONS", 1)
    try:
        result = asyncio.run(EXPERIMENT.run(RunOptions(environments=1), lambda *_: None))
    except CpuLimitUnavailable as error:
        pytest.skip(str(error))
    names = {metric.name for metric in METRICS if metric.name.endswith(tuple(map(str, sizes)))}
    for metrics in result.variants.values():
        assert metrics.keys() == names
        assert all(math.isfinite(value) and value > 0 for value in metrics.values())
        for size in sizes:
            init, first = metrics[f"init_ms_p50_{size}"], metrics[f"first_request_ms_p50_{size}"]
            assert metrics[f"cold_ms_p50_{size}"] == pytest.approx(init + first)


def test_a_thousand_invocations_are_billed_in_whole_milliseconds() -> None:
    # 1,000 x 1.5 ms, billed as 2 ms, with half a gigabyte.
    assert _gb_seconds([1.5], 512) == 1.0
    assert _gb_seconds([0.2, 2.0], 1024) == 1.5
