from __future__ import annotations

import math

from warmline.lab.experiments.storm import _metrics, _Run, _Served


def test_while_a_caller_has_no_answer_there_is_no_time_by_which_all_had_one() -> None:
    callers = (_Served(1.0, ()), _Served(2.0, ()), _Served(None, ()))
    metrics = _metrics(_Run(callers, tried=7, admitted=6, longest_queue=5))
    assert metrics["seconds_until_half_served"] == 2.0
    assert math.isnan(metrics["seconds_until_all_served"])
    assert metrics["never_served"] == 1


def test_the_last_answer_is_when_all_are_served() -> None:
    metrics = _metrics(_Run((_Served(1.0, ()), _Served(3.0, ())), tried=4, admitted=4, longest_queue=0))
    assert metrics["seconds_until_half_served"] == 1.0
    assert metrics["seconds_until_all_served"] == 3.0
    assert metrics["never_served"] == 0
