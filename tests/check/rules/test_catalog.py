"""
The rules as a whole: what each must have, and that our own examples break none.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warmline.check.config import Config
from warmline.check.ignores import UNUSED_IGNORE
from warmline.check.rules import RULES, Rule
from warmline.check.run import check
from warmline.facts import Filled, practices

ROOT = Path(__file__).resolve().parents[3]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

BLOCKS = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "go": "go",
    "java": "java",
    "yaml": "yaml",
    "hcl": "tf",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_listed_by_its_practice(rule: Rule) -> None:
    rules = practices.practice(rule.practice).rules
    assert isinstance(rules, Filled)
    assert rule.id in rules.names


@pytest.mark.parametrize("rule", [UNUSED_IGNORE, *RULES], ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule: Rule) -> None:
    assert re.fullmatch(r"WL\d{3}", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert len(rule.why) > 60
    for text in (rule.summary, rule.why, rule.fix):
        assert text == text.strip()
        assert text.endswith(".")
    assert rule.sources or rule is UNUSED_IGNORE


@pytest.mark.parametrize("rule", [UNUSED_IGNORE, *RULES], ids=lambda rule: rule.id)
def test_a_rule_has_a_page(rule: Rule) -> None:
    assert (ROOT / "docs" / "rules" / f"{rule.id}.md").exists(), "run `make docs`"


def test_our_examples_break_no_rule() -> None:
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "examples").rglob("*.py")}
    assert files
    assert [str(each.location) + each.rule for each in check(files, Config()).findings] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "rules"], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_what_our_pages_show_breaks_no_rule(page: Path) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", page.read_text(), re.DOTALL)
    files = {f"{number}.{BLOCKS[kind]}": text.encode() for number, (kind, text) in enumerate(blocks) if kind in BLOCKS}
    assert [f"{page.name} {each.rule} {each.message}" for each in check(files, Config()).findings] == []
