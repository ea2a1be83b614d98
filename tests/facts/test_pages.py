from __future__ import annotations

import re
from pathlib import Path

import pytest

from warmline.facts import PRACTICES, DoesNotApply, Filled, NotYet, Place, Practice

PAGES = Path(__file__).resolve().parents[2] / "docs" / "practices"

HEADINGS = ["What", "Why", "How", "What it costs when broken", "Sources"]

every_practice = pytest.mark.parametrize("practice", PRACTICES, ids=lambda practice: practice.id)


def page_of(practice: Practice) -> str:
    return (PAGES / f"{practice.id}.md").read_text(encoding="utf-8")


def cost_text(practice: Practice) -> str:
    match practice.experiment:
        case Filled(names):
            return f"The lab measures it: [experiment {names[0]}](../experiments/{names[0]}.md)."
        case NotYet():
            return "Not measured yet."
        case DoesNotApply():
            return "Not measured: "


def done_by_warmline(place: Place) -> str:
    match place:
        case Filled():
            return "yes"
        case NotYet():
            return "not yet"
        case DoesNotApply():
            return "does not apply"


def test_every_page_belongs_to_a_practice() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {"index"} | {practice.id for practice in PRACTICES}


@every_practice
def test_a_page_has_the_practice_as_its_title_and_the_same_parts_as_all_others(practice: Practice) -> None:
    page = page_of(practice)
    assert page.splitlines()[0] == f"# {practice.title}"
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == HEADINGS


@every_practice
def test_a_page_says_whether_its_cost_was_measured(practice: Practice) -> None:
    cost = page_of(practice).partition("## What it costs when broken\n\n")[2]
    assert cost.startswith(cost_text(practice))


@every_practice
def test_a_page_links_the_sources_of_its_practice(practice: Practice) -> None:
    linked = re.findall(r"^- \[(.+)\]\((.+)\)$", page_of(practice).partition("## Sources")[2], re.MULTILINE)
    assert linked == [(source.title, source.url) for source in practice.sources]


@every_practice
def test_a_page_can_be_read_in_one_go(practice: Practice) -> None:
    by_hand = re.sub(r"<!-- figures -->.*?<!-- /figures -->\n\n", "", page_of(practice), flags=re.DOTALL)
    assert 20 <= len(by_hand.splitlines()) <= 60


@every_practice
def test_links_between_pages_lead_somewhere(practice: Practice) -> None:
    targets = re.findall(r"\]\(([a-z-]+\.md)\)", page_of(practice))
    assert [target for target in targets if not (PAGES / target).exists()] == []


@every_practice
def test_python_on_a_page_compiles(practice: Practice) -> None:
    for block in re.findall(r"```python\n(.*?)```", page_of(practice), re.DOTALL):
        compile(block, f"{practice.id}.md", "exec")


def test_the_index_lists_every_practice_in_the_catalog_s_order_and_what_warmline_does() -> None:
    rows = [line for line in (PAGES / "index.md").read_text(encoding="utf-8").splitlines() if "](" in line]
    assert [row for row in rows if row.startswith("|")] == [
        f"| [{practice.id}]({practice.id}.md) | {practice.title} | {done_by_warmline(practice.runtime)} |"
        for practice in PRACTICES
    ]
