from __future__ import annotations

import pytest

from warmline.check.finding import Confidence, Finding, Severity
from warmline.check.read import read_project
from warmline.check.rules import findings, rule

FUNCTION = """
resource "aws_lambda_function" "api" {
  handler = "app.handler"
  environment {
    variables = {
      MONGODB_URI = "mongodb+srv://main.example.mongodb.net"
    }
  }
}
"""

USER = """
resource "mongodbatlas_database_user" "api" {
  username = "api"
  password = var.password
  roles {
    role_name     = "atlasAdmin"
    database_name = "admin"
  }
}
"""

ENDPOINT = """
resource "mongodbatlas_privatelink_endpoint" "main" {
  provider_name = "AWS"
}
"""

CLUSTER = """
resource "mongodbatlas_cluster" "main" {
  provider_instance_size_name = "M30"
}
"""


def found(rule_id: str, source: str, **files: str) -> tuple[Finding, ...]:
    others = {f"{name.replace('__', '/')}.tf": text.encode() for name, text in files.items()}
    return findings(read_project({"main.tf": source.encode(), **others}), (rule(rule_id),))


def entry(address: str, more: str = "") -> str:
    return f'resource "mongodbatlas_project_ip_access_list" "a" {{\n  {more}\n  cidr_block = {address}\n}}\n'


def test_an_open_list_by_a_variable_s_default_is_less_sure_and_names_the_entry() -> None:
    (finding,) = found("WL171", entry("var.cidr"), variables='variable "cidr" {\n  default = "0.0.0.0/0"\n}')
    assert (finding.confidence, finding.location.path, finding.location.line) == (Confidence.MEDIUM, "variables.tf", 2)
    assert [step.location.path for step in finding.path] == ["main.tf"]


def test_an_open_list_that_a_condition_may_leave_out_is_less_sure() -> None:
    (finding,) = found("WL171", entry('"0.0.0.0/0"', "count = var.open ? 1 : 0"))
    assert finding.confidence is Confidence.MEDIUM
    assert found("WL171", entry('"0.0.0.0/0"', "count = 0")) == ()


def test_a_value_file_that_closes_the_list_is_believed() -> None:
    files = {
        "main.tf": (entry("var.cidr") + 'variable "cidr" {\n  default = "0.0.0.0/0"\n}').encode(),
        "terraform.tfvars": b'cidr = "203.0.113.7/32"',
    }
    assert findings(read_project(files), (rule("WL171"),)) == ()


@pytest.mark.parametrize(
    "address", ["10.0.0.0/8", "172.20.0.0/14", "203.0.0.0/16", "2001:db8::/32", "0.0.0.0", "nonsense"]
)
def test_what_is_no_absurd_range_is_no_finding(address: str) -> None:
    assert found("WL172", entry(f'"{address}"')) == found("WL171", entry(f'"{address}"')) == ()


@pytest.mark.parametrize(
    ("rest", "confidence"),
    [
        (FUNCTION, Confidence.HIGH),
        (FUNCTION.replace("MONGODB_URI", "X").replace("mongodb", "x"), Confidence.MEDIUM),
        ("", Confidence.LOW),
    ],
)
def test_an_administrator_is_surer_where_functions_use_the_cluster(rest: str, confidence: Confidence) -> None:
    assert [finding.confidence for finding in found("WL168", USER + rest)] == [confidence]


def test_a_password_is_worse_where_a_function_has_it_in_a_variable() -> None:
    assert [finding.severity for finding in found("WL167", USER + FUNCTION)] == [Severity.INFO]
    given = FUNCTION.replace("srv://", "srv://api:${var.password}@")
    assert [finding.severity for finding in found("WL167", USER + given)] == [Severity.WARNING]
    assert found("WL167", USER) == ()


def test_a_module_that_two_others_call_is_found_once() -> None:
    call = 'module "list" {\n  source = "../list"\n}\n'
    assert len(found("WL171", "", dev__main=call, prod__main=call, list__main=entry('"0.0.0.0/0"'))) == 1


def test_a_private_network_that_may_be_there_is_no_reason_to_claim_anything() -> None:
    conditional = ENDPOINT.replace("provider_name", "count = var.private ? 1 : 0\n  provider_name")
    assert len(found("WL181", CLUSTER + FUNCTION)) == 1
    assert found("WL181", CLUSTER + FUNCTION + conditional) == ()
    assert found("WL182", CLUSTER + FUNCTION + conditional) == ()
    assert len(found("WL182", CLUSTER + FUNCTION + ENDPOINT)) == 1


def test_a_function_that_has_nothing_to_do_with_mongodb_is_no_finding() -> None:
    other = FUNCTION.replace("MONGODB_URI", "TABLE").replace("mongodb+srv://main.example.mongodb.net", "orders")
    for rule_id in ("WL163", "WL167", "WL181", "WL182", "WL183"):
        assert found(rule_id, CLUSTER + ENDPOINT + other) == ()


def test_a_cluster_of_unknown_size_or_beside_a_shared_one_is_no_finding() -> None:
    assert found("WL181", CLUSTER.replace('"M30"', "var.size") + FUNCTION) == ()
    shared = CLUSTER.replace('"main"', '"free"').replace("M30", "M0")
    assert found("WL181", CLUSTER + shared + FUNCTION) == ()


def test_the_limit_of_hosts_may_be_zero_everywhere() -> None:
    source = FUNCTION.replace("mongodb.net", "mongodb.net/?srvMaxHosts=0&replicaSet=x")
    assert found("WL132", source) == ()
    assert len(found("WL132", source.replace("=0", "=2"))) == 1


def test_all_hosts_of_a_sharded_cluster_are_told_only_where_all_options_are_known() -> None:
    cluster = 'resource "mongodbatlas_cluster" "main" {\n  cluster_type = "SHARDED"\n  num_shards = 4\n}\n'
    assert [finding.confidence for finding in found("WL131", cluster + FUNCTION)] == [Confidence.MEDIUM]
    assert found("WL131", cluster + FUNCTION.replace("mongodb.net", "mongodb.net/?${var.options}")) == ()
    assert found("WL131", cluster.replace("4", "var.shards") + FUNCTION) == ()
