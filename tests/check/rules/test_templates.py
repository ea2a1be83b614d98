"""
What the rules on a template's functions say.
"""

from __future__ import annotations

from warmline.check.finding import Confidence, Finding
from warmline.check.read import read_project
from warmline.check.rules import findings, rule

SAM = "Transform: AWS::Serverless-2016-10-31\n"


def found(rule_id: str, template: str, **files: bytes) -> tuple[Finding, ...]:
    return findings(read_project({"template.yaml": template.encode(), **files}), (rule(rule_id),))


def functions(count: int, properties: str, *, before: str = SAM) -> str:
    each = f"    Type: AWS::Serverless::Function\n    Properties: {{{properties}}}\n"
    return f"{before}Resources:\n" + "".join(f"  F{number}:\n{each}" for number in range(1, count + 1))


def test_functions_that_inherit_a_property_are_one_finding_that_names_some_of_them() -> None:
    shared = SAM + "Globals:\n  Function:\n    MemorySize: 128\n    Environment: {Variables: {MONGODB_URI: x}}\n"
    (finding,) = found("WL191", functions(5, "Handler: a.b", before=shared))
    assert finding.location.line == 4
    assert finding.message == (
        "F1, F2, F3 and 2 more: memory is set to 128 MB, and with it 7% of a vCPU for the driver's import, the TLS "
        "handshake and authentication"
    )
    assert finding.remedy == "set MemorySize to 512 or more, and measure with two or three values"
    assert finding.confidence is Confidence.MEDIUM


def test_a_size_out_of_range_is_named_with_the_range() -> None:
    (finding,) = found("WL192", functions(1, "MemorySize: 64"))
    assert finding.message == (
        "F1: 64 MB of memory, and Lambda takes 128 to 10,240 MB for a function: the deployment fails"
    )


def test_the_default_of_a_parameter_may_be_replaced() -> None:
    parameter = SAM + "Parameters: {Memory: {Type: Number, Default: 64}}\n"
    (finding,) = found("WL192", functions(1, "MemorySize: !Ref Memory", before=parameter))
    assert finding.confidence is Confidence.MEDIUM


CLIENT = b"import os\nfrom pymongo import MongoClient\n\nclient = MongoClient(os.environ['DB'])\n"


def test_a_timeout_is_compared_with_the_default_of_30_s_and_the_client_is_shown() -> None:
    template = functions(1, "Handler: app.handler, Runtime: python3.13, Timeout: 10")
    (finding,) = found("WL201", template, **{"app.py": CLIENT})
    assert "a timeout of 10 s ends the invocation before the driver gives up looking for a server after 30 s" in (
        finding.message
    )
    # The connection string is not seen: it might say how long.
    assert finding.confidence is Confidence.MEDIUM
    assert [(step.text, step.location.path) for step in finding.path] == [
        ("F1", "template.yaml"),
        ("MongoClient", "app.py"),
    ]


def test_a_connection_string_that_the_template_gives_is_looked_at() -> None:
    template = functions(
        1,
        "Handler: app.handler, Runtime: python3.13, Timeout: 10, Environment: {Variables: {DB: 'mongodb://h/?%s'}}",
    )
    (finding,) = found("WL201", template.replace("%s", "w=1"), **{"app.py": CLIENT})
    assert finding.confidence is Confidence.HIGH
    (finding,) = found("WL201", template.replace("%s", "serverSelectionTimeoutMS=20000"), **{"app.py": CLIENT})
    assert "after 20 s" in finding.message
    assert found("WL201", template.replace("%s", "serverselectiontimeoutms=5000"), **{"app.py": CLIENT}) == ()
    assert found("WL201", template.replace("%s", "timeoutMS=60000"), **{"app.py": CLIENT}) == ()


def test_functions_with_one_client_and_no_timeout_of_their_own_are_one_finding() -> None:
    template = functions(3, "Handler: app.handler, Runtime: python3.13") + (
        "  F4:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Handler: app.handler, Runtime: python3.13, Timeout: 5}\n"
    )
    first, second = found("WL201", template, **{"app.py": CLIENT})
    assert first.message.startswith("F1, F2, F3: the default timeout of 3 s")
    assert first.remedy == "set serverSelectionTimeoutMS well below the timeout, to 1500 say"
    assert second.message.startswith("F4: a timeout of 5 s")


def test_code_that_bounds_its_operations_is_not_compared() -> None:
    template = functions(1, "Handler: app.handler, Runtime: python3.13, Timeout: 10")
    bounded = CLIENT + b"import pymongo\n\ndef handler(event, context):\n    with pymongo.timeout(5):\n        ...\n"
    assert found("WL201", template, **{"app.py": bounded}) == ()


def test_a_password_is_never_shown() -> None:
    secret = "kT5vQ2mX9w"
    template = functions(
        1,
        f"Environment: {{Variables: {{MONGODB_URI: 'mongodb+srv://shop:{secret}@c.ab1cd.mongodb.net/?w=1', "
        f'MONGO_PASSWORD: {secret}, OTHER: \'{{"token": "{secret}x", "u": "mongodb://a:{secret}@c.ab1cd.mongodb.net"}}\'}}}}',
    )
    all_found = found("WL162", template)
    assert len(all_found) == 3
    assert all(secret not in f"{finding.message}{finding.remedy}" for finding in all_found)
    assert all_found[0].message.startswith(
        "F1: MONGODB_URI holds a connection string with a password, mongodb+srv://***:***@c.ab1cd.mongodb.net/: "
    )


def test_a_password_that_several_functions_inherit_is_one_finding() -> None:
    shared = SAM + "Globals: {Function: {Environment: {Variables: {MONGO_PASSWORD: kT5vQ2mX9w}}}}\n"
    assert len(found("WL162", functions(3, "Handler: a.b", before=shared))) == 1


CLUSTER = (
    "  Shop:\n    Type: MongoDB::Atlas::Cluster\n    Properties:\n      ReplicationSpecs:\n"
    "        - AdvancedRegionConfigs: [{ElectableSpecs: {InstanceSize: M10}}]\n"
)
URI = "Environment: {Variables: {MONGODB_URI: !GetAtt Shop.ConnectionStrings.StandardSrv}}"


def test_reserved_environments_are_counted_with_the_arithmetic() -> None:
    template = functions(2, f"ReservedConcurrentExecutions: 400, {URI}") + CLUSTER
    (finding,) = found("WL221", template)
    assert finding.message == (
        "800 environments that F1, F2 reserve, with 2 connections each on the primary (one operation at a time), are "
        "1,600 connections, and Shop's tier M10 takes 1,500 per node"
    )
    assert finding.remedy == "reserve 750 environments at most for all of them, or choose a larger tier"
    assert finding.confidence is Confidence.HIGH
    assert [step.text for step in finding.path] == ["F1", "the cluster Shop"]


def test_what_others_reserve_is_not_there_for_those_that_reserve_nothing() -> None:
    others = "  Other:\n    Type: AWS::Serverless::Function\n    Properties: {ReservedConcurrentExecutions: %d}\n"
    template = functions(1, URI) + CLUSTER
    (finding,) = found("WL221", template + others % 100)
    assert finding.message.startswith("900 environments that F1 may have, as nothing is reserved, ")
    assert finding.confidence is Confidence.MEDIUM
    assert found("WL221", template + others % 300) == ()


def test_a_function_that_only_a_schedule_invokes_has_not_all_that_the_account_has() -> None:
    assert found("WL221", functions(1, f"Events: {{Nightly: {{Type: Schedule}}}}, {URI}") + CLUSTER) == ()


def test_managed_instances_and_conditions_are_not_counted() -> None:
    template = functions(1, f"CapacityProviderConfig: {{Arn: x}}, {URI}") + CLUSTER
    assert found("WL221", template) == ()
    template = functions(1, URI).replace("    Properties", "    Condition: Production\n    Properties") + CLUSTER
    assert found("WL221", template) == ()
