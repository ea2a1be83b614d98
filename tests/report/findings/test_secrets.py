"""
What a rule says to be a secret is in no report, whatever it looks like.
"""

from __future__ import annotations

import io

from warmline.check.config import Config
from warmline.check.location import Location
from warmline.check.run import Report, check
from warmline.report.findings.document import findings_to_json
from warmline.report.findings.excerpt import Excerpts
from warmline.report.findings.sarif import findings_to_sarif
from warmline.report.findings.text import print_text

SECRET = "kT5vQ2mX9w"

TEMPLATE = f"""\
Parameters:
  MongoPassword: {{Type: String, Default: {SECRET}}}
  Other: {{Type: String, Default: other}}
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties: {{Environment: {{Variables: {{MONGO_PASSWORD: "{SECRET}x", AWS_REGION: x}}}}}}
"""


def report() -> Report:
    return check({"template.yaml": TEMPLATE.encode()}, Config(select=("WL162", "WL211")))


def text() -> str:
    file = io.StringIO()
    print_text(report(), file)
    return file.getvalue()


def test_a_secret_without_a_name_beside_it_is_masked_in_its_line() -> None:
    assert "2 |   MongoPassword: {Type: String, Default: ***}" in text().splitlines()


def test_it_is_masked_where_another_rule_shows_the_line_too() -> None:
    lines = [line for line in text().splitlines() if line.startswith("7 |")]
    assert len(lines) == 2
    assert all("MONGO_PASSWORD: ***, AWS_REGION: x" in line for line in lines)


def test_it_is_in_no_form_of_report() -> None:
    assert len(report().findings) == 3
    for written in (text(), findings_to_json(report()), findings_to_sarif(report())):
        assert SECRET not in written


def test_lines_after_a_secret_of_several_lines_are_still_the_same() -> None:
    data = b"a: |\n  one\n  two\nb: 1\n"
    secret = Location("t.yaml", 1, 4, 4, 1, data.index(b"|"), data.index(b"b:"))
    excerpts = Excerpts({"t.yaml": data}, [secret])
    assert [excerpts.line(Location("t.yaml", line)) for line in (1, 2, 3, 4)] == ["a: ***", "", "", "b: 1"]
