"""
Every rule's good and bad examples, in each language and template that it speaks of.

A fixture is ``fixtures/WL101/<language or template>_<good or bad>[_more].<suffix>``, or a folder of such a name with
files that belong together. In a bad one, each line with a finding says so in a comment: ``WL101``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warmline.check.read import read_project
from warmline.check.rules import RULES, Rule, findings, rule

FIXTURES = Path(__file__).parent / "fixtures"
EVERY = sorted(path for folder in FIXTURES.iterdir() for path in folder.iterdir())


def found_in(fixture: Path, wanted: Rule) -> set[tuple[str, int]]:
    files = [fixture] if fixture.is_file() else sorted(path for path in fixture.rglob("*") if path.is_file())
    project = read_project({path.relative_to(fixture.parent).as_posix(): path.read_bytes() for path in files})
    return {(finding.location.path, finding.location.line) for finding in findings(project, (wanted,))}


def marked_in(fixture: Path, rule_id: str) -> set[tuple[str, int]]:
    files = [fixture] if fixture.is_file() else sorted(path for path in fixture.rglob("*") if path.is_file())
    return {
        (path.relative_to(fixture.parent).as_posix(), number)
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(rf"\b{rule_id}\b", line)
    }


@pytest.mark.parametrize("wanted", RULES, ids=lambda wanted: wanted.id)
def test_a_rule_has_a_good_and_a_bad_fixture_for_all_that_it_reads(wanted: Rule) -> None:
    there = {tuple(path.name.partition(".")[0].split("_")[:2]) for path in (FIXTURES / wanted.id).iterdir()}
    assert there == {(reads, kind) for reads in wanted.reads for kind in ("good", "bad")}


@pytest.mark.parametrize("fixture", [path for path in EVERY if "_bad" in path.name], ids=lambda path: path.name)
def test_it_finds_the_marked_lines_of_a_bad_fixture(fixture: Path) -> None:
    expected = marked_in(fixture, fixture.parent.name)
    assert expected
    assert found_in(fixture, rule(fixture.parent.name)) == expected


@pytest.mark.parametrize("fixture", [path for path in EVERY if "_good" in path.name], ids=lambda path: path.name)
def test_it_finds_nothing_in_a_good_fixture(fixture: Path) -> None:
    assert found_in(fixture, rule(fixture.parent.name)) == set()


def test_ids_and_names_are_unique_and_in_order() -> None:
    assert [each.id for each in RULES] == sorted({each.id for each in RULES})
    assert len({each.name for each in RULES}) == len(RULES)
