"""
WL161 and WL164: what is a password in code and what is none, and how a finding shows it.
"""

from __future__ import annotations

import pytest

from warmline.check.finding import Confidence, Finding, Severity
from warmline.check.read import read_project
from warmline.check.rules import findings, rule

URI = "mongodb+srv://shop:kT5vQ2@shop.ab1cd.mongodb.net"


def found(text: str, rule_id: str = "WL161", path: str = "app.py") -> tuple[Finding, ...]:
    return findings(read_project({path: text.encode()}), (rule(rule_id),))


@pytest.mark.parametrize(
    "text",
    [
        f'URI = "{URI}"\nclient = MongoClient(URI)',
        'client = MongoClient("mongodb+srv://shop:" + "kT5vQ2" + "@shop.ab1cd.mongodb.net")',
        'client = MongoClient("shop.ab1cd.mongodb.net", username="shop", password="kT5vQ2")',
    ],
)
def test_it_is_found_once_and_never_shown(text: str) -> None:
    (finding,) = found(f"from pymongo import MongoClient\n{text}\n")
    assert finding.confidence is Confidence.HIGH
    assert finding.secret
    assert "kT5vQ2" not in finding.message


@pytest.mark.parametrize(
    "path", ["tests/app.py", "test_app.py", "src/test/App.java", "app_test.go", "app.spec.ts", "spec/app_spec.rb"]
)
def test_a_tests_password_is_of_low_confidence(path: str) -> None:
    literal = f'"{URI}"'
    (finding,) = found(
        {"py": f"a = {literal}", "java": f"class A {{ String a = {literal}; }}"}.get(
            path.rpartition(".")[2], f"var a = {literal}"
        ),
        path=path,
    )
    assert finding.confidence is Confidence.LOW


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://shop:kT5vQ2@localhost:27017",
        "mongodb://shop:kT5vQ2@127.0.0.1",
        "mongodb://shop:kT5vQ2@mongo:27017/db",
        "mongodb://shop:kT5vQ2@<host>/db",
        "mongodb+srv://shop:kT5vQ2@cluster0.xxxxx.mongodb.net",
        "mongodb+srv://shop:kT5vQ2@cluster0.example.mongodb.net",
        "mongodb+srv://<user>:<password>@shop.ab1cd.mongodb.net",
        "mongodb+srv://username:password@shop.ab1cd.mongodb.net",
    ],
)
def test_what_is_nobodys_password_is_not_found(uri: str) -> None:
    assert found(f'a = "{uri}"') == ()


@pytest.mark.parametrize(("token", "severity"), [(True, Severity.WARNING), (False, Severity.ERROR)])
def test_keys_without_their_session_token_are_an_error(token: bool, severity: Severity) -> None:
    properties = 'authMechanismProperties="AWS_SESSION_TOKEN:" + os.environ["AWS_SESSION_TOKEN"]' if token else ""
    (finding,) = found(
        "import os\nfrom pymongo import MongoClient\nclient = MongoClient(os.environ['MONGODB_URI'],"
        "username=os.environ['AWS_ACCESS_KEY_ID'], password=os.environ['AWS_SECRET_ACCESS_KEY'],"
        f"authMechanism='MONGODB-AWS', {properties})\n",
        "WL164",
    )
    assert finding.severity is severity
