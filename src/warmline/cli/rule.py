"""
``warmline rule``: the rules, explained without a network.
"""

from __future__ import annotations

from typing import Annotated

import typer

from warmline.check.config import ConfigError, rule_ids
from warmline.check.ignores import UNUSED_IGNORE
from warmline.check.rules import RULES, Rule
from warmline.facts.figures import Measured, costs

from .console import fail


def rule(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[RULE]", help="An id, its beginning, or a name; without it all are listed."),
    ] = None,
) -> None:
    """
    List the rules of `warmline check`, or explain one.

    Examples:
        warmline rule

        warmline rule WL101

    """
    every = (UNUSED_IGNORE, *RULES)
    if name is None:
        width = max(len(each.name) for each in every)
        for each in every:
            off = "" if each.default else " (only if selected)"
            typer.echo(f"{each.id}  {each.name:{width}}  {each.summary}{off}")
        return
    if name in (UNUSED_IGNORE.id, UNUSED_IGNORE.name):
        typer.echo(_explained(UNUSED_IGNORE))
        return
    try:
        wanted = rule_ids([name.upper() if name.lower().startswith("wl") else name], where="warmline rule")
    except ConfigError as error:
        fail(str(error))
    typer.echo("\n\n\n".join(_explained(each) for each in RULES if each.id in wanted))


def _costs(rule: Rule) -> tuple[Measured, ...]:
    return costs(rule.practice) if rule.practice else ()


def _explained(rule: Rule) -> str:
    about = f"{rule.severity.name.lower()}; reads {', '.join(rule.reads) or 'comments'}"
    if rule.practice:
        about += f"; practice {rule.practice}"
    if not rule.default:
        about += "; runs only if it is selected"
    parts = [
        f"{rule.id} {rule.name} ({about})",
        rule.summary,
        f"Why: {rule.why}",
        *(f"Measured: {run.answer} (experiment {run.experiment}; {run.where})" for run in _costs(rule)),
        f"What to do: {rule.fix}",
        f"To ignore one: a comment `warmline: ignore[{rule.id}] reason` in its line or on the line before.",
    ]
    if rule.sources:
        parts.append("\n".join(["Sources:", *(f"- {each.title}: {each.url}" for each in rule.sources)]))
    return "\n\n".join(parts)
