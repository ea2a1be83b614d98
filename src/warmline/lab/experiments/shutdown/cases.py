"""
What is compared: who closes the connections, and what the environment is doing when SIGTERM comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...aws.freezer import FreezerName


@dataclass(frozen=True, slots=True)
class Situation:
    """
    One moment for SIGTERM.

    - ``freezer``: SIGTERM comes right after a thaw from it
    - ``during``: what the handler is doing then; otherwise it has answered
    - ``network``: whether there is one
    """

    name: str
    label: str
    freezer: FreezerName | None = None
    during: str | None = None
    network: bool = True


SITUATIONS = (
    Situation("never_frozen", "never frozen"),
    Situation("thawed_cgroup", "thawed (cgroup)", freezer="cgroup"),
    Situation("thawed_signal", "thawed (SIGCONT)", freezer="signal"),
    Situation("mid_operation", "in an operation", during="wait"),
    Situation("dead_network", "network dead", network=False),
)

BUSY = Situation("busy_loop", "busy with operations", during="loop")


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    How the runtime client waits for the next event; the name of the runtime tells it.
    """

    name: str
    label: str
    runtime: str


WAITINGS = (
    Waiting("thread", "in a thread", "python3.13"),
    Waiting("libcurl", "in libcurl", "python3.11"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """
    A situation with a way of waiting.
    """

    situation: Situation
    waiting: Waiting

    @property
    def name(self) -> str:
        """
        The name in metrics.
        """
        return f"{self.situation.name}_{self.waiting.name}"

    @property
    def label(self) -> str:
        """
        The name for people.
        """
        return f"{self.situation.label}, {self.waiting.label}"


@dataclass(frozen=True, slots=True)
class Variant:
    """
    Who closes the connections. ``names_itself`` tells whether they carry the function's name of their own accord.
    """

    name: str
    label: str
    handler: str
    names_itself: bool = False


WARMLINE = Variant("warmline", "warmline", "with_warmline", names_itself=True)
AWS_SAMPLE = Variant("aws-sample", "AWS's sample", "aws_sample")
NONE = Variant("none", "nobody", "none")
VARIANTS = (WARMLINE, AWS_SAMPLE, NONE)


# A deadlock is rare, so busy environments are ended more often: 500 with 40 endings of each case.
_BUSY_FOR_EACH_ENDING = 12.5


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is measured: so many endings of each case.
    """

    endings: int = 40
    situations: Sequence[Situation] = SITUATIONS

    @property
    def busy(self) -> int:
        """
        How many busy environments are ended.
        """
        return round(_BUSY_FOR_EACH_ENDING * self.endings)

    @property
    def cases(self) -> tuple[Case, ...]:
        """
        Every situation with every way of waiting.
        """
        return tuple(Case(situation, waiting) for situation in self.situations for waiting in WAITINGS)

    @property
    def busy_cases(self) -> tuple[Case, ...]:
        """
        The busy ones.
        """
        return tuple(Case(BUSY, waiting) for waiting in WAITINGS)

    def rounds(self, variant: Variant) -> list[tuple[Case, int]]:
        """
        What a variant goes through, and how often. Killed at once, nobody has a case but the first.
        """
        if variant is NONE:
            return [(case, self.endings) for case in self.cases if case.situation is SITUATIONS[0]]
        shares = ((self.busy + 1) // 2, self.busy // 2)
        return [(case, self.endings) for case in self.cases] + list(zip(self.busy_cases, shares, strict=True))
