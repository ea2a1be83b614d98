"""
A rule: what it looks for, and how its page explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from warmline.facts.practice import Source

from ..finding import Confidence, Finding, Fix, Severity, Step
from ..location import Location
from ..project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One rule.

    :param id: ``WL101``; never reused.
    :param name: kebab-case, as short as can be understood.
    :param summary: one sentence: what is found.
    :param practice: the id of the practice that it belongs to.
    :param severity: of most of its findings; one may have another.
    :param reads: the languages (``python``) and templates (``sam``, ``terraform``) that it speaks of.
    :param why: what breaking it costs, with a figure that an experiment of the lab measured where there is one.
    :param fix: how to mend it.
    :param default: whether it is in a run that selects nothing. Those that only inform of a chance are not.
    """

    id: str
    name: str
    summary: str
    practice: str
    severity: Severity
    reads: tuple[str, ...]
    why: str
    fix: str
    sources: tuple[Source, ...]
    match: Callable[[Rule, Project], Iterator[Finding]]
    default: bool = True

    def finding(
        self,
        location: Location,
        message: str,
        *,
        remedy: str,
        confidence: Confidence = Confidence.HIGH,
        severity: Severity | None = None,
        path: tuple[Step, ...] = (),
        fix: Fix | None = None,
        secret: bool = False,
    ) -> Finding:
        """
        Make a finding of this rule.
        """
        return Finding(
            rule=self.id,
            practice=self.practice,
            severity=self.severity if severity is None else severity,
            confidence=confidence,
            location=location,
            message=message,
            remedy=remedy,
            path=path,
            fix=fix,
            secret=secret,
        )
