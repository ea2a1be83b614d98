"""
A made-up report with all that a format has to write.
"""

from __future__ import annotations

from warmline.check.files import Problem
from warmline.check.finding import Confidence, Edit, Finding, Fix, Severity, Step
from warmline.check.ignores import Suppressed
from warmline.check.location import Location
from warmline.check.run import Report

APP = """\
from pymongo import MongoClient

def connect():
\treturn MongoClient("mongodb://shop:h4rdToGuess@db.example.com/?x=1", maxIdleTimeMS=5)

def lambda_handler(event, context):
    return connect()["shop"]["orders"].find_one({"name": "Jos\u00e9"})
"""


def place(path: str, line: int, text: str, *, content: str = APP) -> Location:
    start = content.index(text, sum(map(len, content.splitlines(keepends=True)[: line - 1])))
    column = start - content.rfind("\n", 0, start)
    offset = len(content[:start].encode())
    return Location(path, line, column, line, column + len(text), offset, offset + len(text.encode()))


CALL = place("src/my app.py", 7, "connect()")
CLIENT = place("src/my app.py", 4, "MongoClient")
AFTER = place("src/my app.py", 4, "maxIdleTimeMS=5")

PER_INVOCATION = Finding(
    rule="WL101",
    practice="reuse-client",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    location=CLIENT,
    message="MongoClient constructs a client in every invocation, 100% of them",
    remedy="construct it once",
    path=(Step("lambda_handler", CALL), Step("MongoClient", CLIENT)),
    fix=Fix("Move the client to module level", (Edit(CLIENT, "client"),)),
)

IDLE = Finding(
    rule="WL101",
    practice="reuse-client",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    location=AFTER,
    message="behind a secret",
    remedy="look there",
)

WHOLE = Finding(
    rule="WL191",
    practice="memory",
    severity=Severity.INFO,
    confidence=Confidence.HIGH,
    location=Location("template.yaml", 1, 1, 3, 5),
    message="over several lines",
    remedy="set it",
)

REPORT = Report(
    findings=(PER_INVOCATION, IDLE, WHOLE),
    suppressed=(Suppressed(WHOLE, "not ours"), Suppressed(IDLE, "", "baseline")),
    problems=(Problem("old,1.js", "larger than 1 MB: 3.0 MB"),),
    files=2,
    contents={"src/my app.py": APP.encode(), "template.yaml": b"Orders:\n  Type: T\n  X: y\n"},
)

NOTHING = Report(findings=(), files=3, contents={})
