"""
How sure rules on a client's options are.
"""

from __future__ import annotations

import pytest

from warmline.check.finding import Confidence
from warmline.check.read import read_project
from warmline.check.rules import findings, rule

HANDLER = "\ndef lambda_handler(event, context):\n    return client.admin.command('ping')\n"


def confidences(text: str, rule_id: str, path: str = "app.py") -> list[Confidence]:
    project = read_project({path: text.encode()})
    return [finding.confidence for finding in findings(project, (rule(rule_id),))]


@pytest.mark.parametrize(
    ("construction", "expected"),
    [
        ("MongoClient('mongodb+srv://c.example.net/')", Confidence.HIGH),
        ("MongoClient(f'mongodb+srv://{USER}:{PASSWORD}@{HOST}/?w=1')", Confidence.HIGH),
        ("MongoClient(os.environ['URI'])", Confidence.LOW),
        ("MongoClient(os.environ.get('URI', 'mongodb+srv://c.example.net/'))", Confidence.LOW),
    ],
)
def test_what_the_environment_may_say_is_no_finding_of_a_default_run(construction: str, expected: Confidence) -> None:
    text = f"import os\nfrom pymongo import MongoClient\nclient = {construction}\n{HANDLER}"
    assert confidences(text, "WL141") == [expected]


@pytest.mark.parametrize(
    "construction",
    [
        "MongoClient(f'mongodb+srv://c.example.net/{OPTIONS}')",
        "MongoClient(make_uri())",
        "MongoClient(uri_from_secret, maxPoolSize=5)",
        "MongoClient(os.environ['URI'], **options)",
        "MongoClient(os.environ['URI'], maxIdleTimeMS=60000)",
        "MongoClient('localhost')",
        "MongoClient('mongodb://mongo:27017/?w=1')",
        "MongoClient()",
        "warmline.connect('mongodb+srv://c.example.net/')",
    ],
)
def test_options_that_are_set_or_not_seen_are_none_that_are_missing(construction: str) -> None:
    text = f"import os\nimport warmline\nfrom pymongo import MongoClient\nclient = {construction}\n{HANDLER}"
    assert confidences(text, "WL141") == []


def test_a_script_is_no_function() -> None:
    text = "from pymongo import MongoClient\nclient = MongoClient('mongodb+srv://c.example.net/?minPoolSize=5')\n"
    assert confidences(text, "WL151") == [Confidence.LOW]
    assert confidences(text, "WL141") == [Confidence.LOW]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", [Confidence.HIGH]),
        ("int(os.environ['POOL'])", []),
        ("os.environ.get('POOL', 5)", [Confidence.LOW]),
        ("0", []),
    ],
)
def test_a_default_for_a_variable_is_less_sure_than_a_value(value: str, expected: list[Confidence]) -> None:
    text = f"import os\nfrom pymongo import MongoClient\nclient = MongoClient(URI, minPoolSize={value})\n{HANDLER}"
    assert confidences(text, "WL151") == expected


def test_what_a_handler_imports_runs_in_a_function() -> None:
    project = read_project(
        {
            "db.py": b"from pymongo import MongoClient\nclient = MongoClient('mongodb+srv://c.example.net/')\n",
            "app.py": f"from db import client  # MongoClient\n{HANDLER}".encode(),
            "seed.py": b"from pymongo import MongoClient\nclient = MongoClient('mongodb+srv://c.example.net/')\n",
        }
    )
    found = {finding.location.path: finding.confidence for finding in findings(project, (rule("WL141"),))}
    assert found == {"db.py": Confidence.HIGH, "seed.py": Confidence.LOW}


def test_a_client_for_one_invocation_lives_through_no_freeze() -> None:
    text = (
        "from pymongo import MongoClient\ndef lambda_handler(event, context):\n"
        "    return MongoClient('mongodb+srv://c.example.net/').admin.command('ping')\n"
    )
    assert confidences(text, "WL141") == [Confidence.MEDIUM]
