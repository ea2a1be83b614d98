"""
``warmline rule``: the checker's rules, explained offline.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Annotated

import typer

from warmline.check.rules import RULES, Rule, UnknownRuleError
from warmline.check.rules import rule as find_rule

from .console import fail

_WIDTH = 80


def rule(
    rule_id: Annotated[
        str | None, typer.Argument(metavar="RULE", help="An id or a name; without one all are listed.")
    ] = None,
) -> None:
    """
    Explain a rule of the checker: what it finds, why that hurts, and how to mend it.

    Examples:
        warmline rule

        warmline rule WL101

    """
    if rule_id is None:
        for each in RULES:
            typer.echo(f"{each.id}  {each.name:32} {each.summary}{'' if each.default else ' (not on by default)'}")
        return
    try:
        found = find_rule(rule_id)
    except UnknownRuleError as error:
        fail(str(error.args[0]))
    typer.echo("\n".join(_lines(found)))


def _lines(found: Rule) -> Iterator[str]:
    yield f"{found.id} {found.name}"
    yield f"practice {found.practice}, severity {found.severity.name.lower()}"
    yield f"reads {', '.join(found.reads)}"
    if not found.default:
        yield "not on by default: --select it"
    for title, text in (("What it finds", found.summary), ("Why", found.why), ("What to do", found.fix)):
        yield ""
        yield title
        yield textwrap.fill(text, _WIDTH)
    yield ""
    yield "Sources"
    for source in found.sources:
        yield f"{source.title}: {source.url}"
