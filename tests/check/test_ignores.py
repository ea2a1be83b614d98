from __future__ import annotations

import pytest

from warmline.check.config import Config
from warmline.check.run import Report, check

PYTHON = """from pymongo import MongoClient
def lambda_handler(event, context):
    {before}
    return MongoClient({argument}"mongodb://db.example.com"){after}
"""


def checked(text: str, path: str = "app.py", *, ignores: bool = True) -> Report:
    return check({path: text.encode()}, Config(select=("WL101",)), ignores=ignores)


def found(report: Report) -> list[tuple[str, int]]:
    return [(finding.rule, finding.location.line) for finding in report.findings]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pass", "  # warmline: ignore[WL101] a test's own client"),
        ("pass", "  # warmline: ignore[WL141, WL101] a test's own client"),
        ("# warmline: ignore[WL101] a test's own client", ""),
        ("# warmline: ignore[WL101] a test's own client\n\n    # another comment", ""),
    ],
)
def test_a_comment_in_the_line_or_on_its_own_before_it_ignores_a_rule(before: str, after: str) -> None:
    report = checked(PYTHON.format(before=before, argument="", after=after))
    assert found(report) == []
    assert [(each.finding.rule, each.reason) for each in report.suppressed] == [("WL101", "a test's own client")]


def test_the_last_line_of_a_construction_counts_too() -> None:
    text = PYTHON.format(before="pass", argument="\n        ", after="").replace(
        'com")', 'com"\n    )  # warmline: ignore[WL101]'
    )
    assert found(checked(text)) == []


def test_a_comment_for_another_rule_or_another_line_ignores_nothing() -> None:
    other = PYTHON.format(before="pass  # warmline: ignore[WL101]", argument="", after="")
    assert found(checked(other)) == [("WL001", 3), ("WL101", 4)]


def test_a_comment_for_a_rule_that_has_not_run_is_not_without_a_use() -> None:
    text = PYTHON.format(before="pass", argument="", after="  # warmline: ignore[WL101,WL141]")
    assert found(checked(text)) == []


def test_a_comment_without_a_rule_says_how_to_write_it() -> None:
    (unused, _) = checked(PYTHON.format(before="pass  # warmline: ignore", argument="", after="")).findings
    assert (unused.rule, unused.message) == ("WL001", "this comment names no rule and ignores nothing")


def test_an_audit_sees_all() -> None:
    text = PYTHON.format(before="pass", argument="", after="  # warmline: ignore[WL101]")
    report = checked(text, ignores=False)
    assert found(report) == [("WL101", 4)]
    assert report.suppressed == ()


JAVASCRIPT = """const { MongoClient } = require("mongodb");
exports.handler = async (event) => {
  %s
  const client = new MongoClient(process.env.URI); %s
};
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "// warmline: ignore[WL101] why"),
        ("", "/* warmline: ignore[WL101] why */"),
        ("/* warmline: ignore[WL101] why */", ""),
        ("{/* warmline: ignore[WL101] why */}", ""),
    ],
)
def test_every_form_of_comment_will_do(before: str, after: str) -> None:
    report = checked(JAVASCRIPT % (before, after), "app.js")
    assert found(report) == []
    assert [each.reason for each in report.suppressed] == ["why"]


def test_a_text_that_quotes_such_a_comment_is_none() -> None:
    text = PYTHON.format(before='print("# warmline: ignore[WL101]")', argument="", after="")
    assert found(checked(text)) == [("WL101", 4)]


def test_templates_have_comments_too() -> None:
    template = """AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      MemorySize: 20 # warmline: ignore[WL192] a test
      Environment:
        Variables:
          MONGODB_URI: mongodb+srv://cluster0.example.mongodb.net
"""
    config = Config(select=("WL192",))
    report = check({"template.yaml": template.encode()}, config)
    assert report.findings == ()
    assert [each.reason for each in report.suppressed] == ["a test"]
