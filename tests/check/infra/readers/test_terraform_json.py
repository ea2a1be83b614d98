from __future__ import annotations

import json
from typing import Any

from warmline.check.infra.facts import Function, InfraFacts
from warmline.check.infra.readers.terraform_json import READER
from warmline.check.infra.terraform.read import read_terraform
from warmline.check.read import read_project


def configured(resources: dict[str, Any], **more: Any) -> InfraFacts:
    content = json.dumps({"resource": resources, **more}, indent=2).encode()
    (facts,) = read_terraform({"main.tf.json": content})
    return facts


def shown(*resources: dict[str, Any], **more: Any) -> InfraFacts:
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"child_modules": [{"resources": list(resources)}]}},
        **more,
    }
    facts = READER.read("plan.json", json.dumps(plan).encode())
    assert facts is not None
    return facts


def planned(kind: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"address": f"module.m.{kind}.x[0]", "mode": "managed", "type": kind, "name": "x", "values": values, **more}


def only(facts: InfraFacts) -> Function:
    (function,) = facts.functions
    return function


def test_the_json_form_is_read_like_hcl() -> None:
    facts = configured(
        {
            "aws_lambda_function": {
                "api": {
                    "memory_size": "${var.memory}",
                    "environment": [{"variables": {"URI": "mongodb+srv://${var.user}@h", "N": 1}}],
                    "vpc_config": {"subnet_ids": ["${aws_subnet.a.id}"]},
                }
            }
        },
        variable={"memory": {"default": 128}},
    )
    function = only(facts)
    assert function.memory_mb is not None
    assert (function.memory_mb.text, function.memory_mb.names) == ("128", ("var.memory",))
    assert [(each.name, each.value.text) for each in function.variables] == [("URI", "mongodb+srv://{}@h"), ("N", "1")]
    assert function.vpc is not None
    assert function.vpc.subnets[0].names == ("aws_subnet.a.id",)
    assert (function.location.path, function.location.line) == ("main.tf.json", 4)


def test_a_dynamic_block_of_the_json_form_is_not_known() -> None:
    function = only(
        configured(
            {"aws_lambda_function": {"api": {"dynamic": {"vpc_config": {"for_each": "${var.x}", "content": {}}}}}}
        )
    )
    assert function.vpc is not None


def test_hcl_and_json_in_one_folder_are_one_module() -> None:
    files = {
        "main.tf": b'resource "aws_lambda_function" "api" {\n  memory_size = var.memory\n}\n',
        "variables.tf.json": b'{"variable": {"memory": {"default": 128}}}',
    }
    memory = [function.memory_mb for facts in read_terraform(files) for function in facts.functions]
    assert [value.location.path if value else None for value in memory] == ["variables.tf.json"]


def test_a_plan_has_the_values_of_modules() -> None:
    facts = shown(
        planned("aws_lambda_function", {"memory_size": 128, "timeout": 3, "vpc_config": [], "role": None}),
        planned("mongodbatlas_project_ip_access_list", {"cidr_block": "0.0.0.0/0", "ip_address": None}),
    )
    function = only(facts)
    assert (function.name, function.vpc, function.role) == ("x", None, None)
    assert function.memory_mb is not None
    assert function.memory_mb.number == 128
    assert [entry.address.text for entry in facts.access_entries] == ["0.0.0.0/0"]


def test_what_a_plan_leaves_open_or_marks_as_sensitive_is_not_known() -> None:
    function = planned(
        "aws_lambda_function",
        {"environment": [{"variables": {"URI": "mongodb://u:secret@h", "A": "1"}}], "vpc_config": [{}]},
        sensitive_values={"environment": [{"variables": {"URI": True}}]},
    )
    change = {
        "address": function["address"],
        "change": {"after_unknown": {"vpc_config": [{"subnet_ids": True}], "role": True, "memory_size": False}},
    }
    read = only(shown(function, resource_changes=[change]))
    assert [(each.name, each.value.text) for each in read.variables] == [("URI", None), ("A", "1")]
    assert read.vpc is not None
    assert [value.text for value in read.vpc.subnets] == [None]
    assert read.role is not None
    assert (read.role.text, read.memory_mb) == (None, None)


def test_a_state_is_read_too() -> None:
    state = {
        "terraform_version": "1.9.0",
        "values": {"root_module": {"resources": [planned("aws_lambda_function", {"memory_size": 256})]}},
    }
    project = read_project({"state.json": json.dumps(state).encode()})
    assert [function.memory_mb.text for function in project.infra[0].functions if function.memory_mb] == ["256"]


def test_other_json_is_no_plan() -> None:
    assert READER.read("a.json", b'{"a": {"terraform_version": 1}}') is None
    assert READER.read("a.json", b'["terraform_version"]') is None


def test_strange_json_raises_nothing() -> None:
    for content in (b"{", b"[]", b'{"resource": 1}', b'{"resource": {"a": {"b": 1}}}', b'{"resource": {"a": [[]]}}'):
        read_terraform({"main.tf.json": content})
    roots: list[Any] = [1, [], {"resources": 1}, {"resources": [1, {"address": 1}], "child_modules": [1]}]
    for root in roots:
        content = json.dumps({"terraform_version": "1", "values": {"root_module": root}}).encode()
        assert READER.read("x.json", content) is not None
