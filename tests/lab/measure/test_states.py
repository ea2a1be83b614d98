from __future__ import annotations

import time
from collections.abc import Mapping

from warmline.lab.aws import State
from warmline.lab.measure import StateSampler


class Service:
    """
    What has states that a test sets.
    """

    def __init__(self) -> None:
        self.counts: dict[State, int] = {State.BUSY: 0, State.FROZEN: 0}

    def states(self) -> Mapping[State, int]:
        return self.counts


def test_only_changes_are_kept() -> None:
    service = Service()
    sampler = StateSampler(service)
    sampler.now()
    sampler.now()
    service.counts[State.BUSY] = 2
    sampler.now()
    assert [sample.counts[State.BUSY] for sample in sampler.samples] == [0, 2]


def test_it_samples_by_itself_until_its_block_ends() -> None:
    service = Service()
    with StateSampler(service, interval_seconds=0.005) as sampler:
        service.counts[State.FROZEN] = 3
        deadline = time.monotonic() + 10
        while len(sampler.samples) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
    service.counts[State.FROZEN] = 4
    time.sleep(0.02)
    assert [sample.counts[State.FROZEN] for sample in sampler.samples] == [0, 3]
