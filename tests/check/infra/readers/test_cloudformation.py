from __future__ import annotations

import json

import pytest

from warmline.check.infra.facts import Function, InfraFacts, SecurityGroup
from warmline.check.infra.readers.cloudformation import read
from warmline.check.values import Value

SAM = "Transform: AWS::Serverless-2016-10-31\n"


def facts(text: str) -> InfraFacts:
    found = read("template.yaml", text.encode())
    assert found is not None
    return found


def function(
    properties: str, *, before: str = SAM, kind: str = "AWS::Serverless::Function", more: str = ""
) -> Function:
    indented = "".join(f"      {line}\n" for line in properties.splitlines())
    (found,) = facts(f"{before}Resources:\n  F:\n    Type: {kind}\n    Properties:\n{indented}{more}").functions
    return found


def text(value: Value | None) -> str | None:
    assert value is not None
    return value.text


def test_a_sam_function_is_read_with_the_places_of_its_properties() -> None:
    found = function(
        "Handler: app.handler\nCodeUri: src/\nRuntime: python3.13\nMemorySize: 512\nTimeout: 30\n"
        "ReservedConcurrentExecutions: 50\nRole: !GetAtt Role.Arn\nLayers: [!Ref Layer]\n"
        "ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 5}\nSnapStart: {ApplyOn: PublishedVersions}\n"
        "VpcConfig:\n  SubnetIds: [!Ref One, subnet-2]\n  SecurityGroupIds: [!GetAtt Group.GroupId]\n"
        "Environment:\n  Variables:\n    MONGODB_URI: mongodb://x"
    )
    assert (found.name, found.location.line, found.package) == ("F", 3, "zip")
    assert text(found.handler) == "app.handler"
    assert text(found.code) == "src/"
    assert text(found.runtime) == "python3.13"
    assert found.memory_mb is not None
    assert (found.memory_mb.number, found.memory_mb.location.line, found.memory_mb.location.column) == (512, 9, 19)
    assert found.timeout_seconds is not None
    assert found.timeout_seconds.number == 30
    assert found.reserved_concurrency is not None
    assert found.reserved_concurrency.number == 50
    assert found.provisioned_concurrency is not None
    assert found.provisioned_concurrency.number == 5
    assert found.snapstart
    assert found.role is not None
    assert (found.role.text, found.role.names) == (None, ("Role",))
    assert [layer.names for layer in found.layers] == [("Layer",)]
    assert found.vpc is not None
    assert [(subnet.text, subnet.names) for subnet in found.vpc.subnets] == [(None, ("One",)), ("subnet-2", ())]
    assert [group.names for group in found.vpc.security_groups] == [("Group",)]
    assert [(each.name, each.value.text) for each in found.variables] == [("MONGODB_URI", "mongodb://x")]
    assert found.properties is not None
    assert (found.properties.line, found.properties.column, found.indent) == (6, 1, 6)


def test_what_is_not_set_is_none_and_has_lambda_s_defaults() -> None:
    found = function("Handler: app.handler")
    assert (found.memory_mb, found.timeout_seconds, found.reserved_concurrency, found.vpc) == (None, None, None, None)
    assert (found.default_memory_mb, found.default_timeout_seconds) == (128, 3)
    assert not found.snapstart
    assert not found.managed_instances


GLOBALS = (
    SAM + "Globals:\n  Function:\n    MemorySize: 256\n    Timeout: 9\n    VpcConfig: {SubnetIds: [a]}\n"
    "    Environment:\n      Variables:\n        A: global\n        B: global\n"
)


def test_globals_are_inherited_from_where_they_stand() -> None:
    found = function(
        "MemorySize: 512\nVpcConfig: {SubnetIds: [b]}\nEnvironment:\n  Variables:\n    B: own", before=GLOBALS
    )
    assert text(found.memory_mb) == "512"
    assert found.timeout_seconds is not None
    assert (found.timeout_seconds.text, found.timeout_seconds.location.line) == ("9", 5)
    assert {each.name: each.value.text for each in found.variables} == {"A": "global", "B": "own"}
    assert found.vpc is not None
    assert [subnet.text for subnet in found.vpc.subnets] == ["a", "b"]


def test_globals_are_nothing_to_a_function_of_plain_cloudformation() -> None:
    assert function("Handler: a.b", before=GLOBALS, kind="AWS::Lambda::Function").memory_mb is None


PARAMETERS = (
    "Parameters:\n"
    "  Memory: {Type: Number, Default: 128}\n"
    "  Host: {Type: String, Default: cluster0.example.mongodb.net}\n"
    "  Password: {Type: String, NoEcho: true}\n"
    "  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/uri}\n"
)


@pytest.mark.parametrize(
    ("written", "expected", "names"),
    [
        ("512", "512", ()),
        ("'512'", "512", ()),
        ("True", "true", ()),
        ("!Ref Memory", "128", ("Memory",)),
        ("{Ref: Memory}", "128", ("Memory",)),
        ("!Ref Password", None, ("Password",)),
        ("!Ref Stored", None, ("Stored",)),
        ("!Ref AWS::Region", None, ("AWS::Region",)),
        (
            "!Sub 'mongodb://u:${Password}@${Host}/'",
            "mongodb://u:{}@cluster0.example.mongodb.net/",
            ("Password", "Host"),
        ),
        ("!Sub ['${A}-${B}-${!C}', {A: x, B: !Ref Password}]", "x-{}-${C}", ("A", "B")),
        ("{'Fn::Join': ['', [a, !Ref Host, !Ref Password]]}", "acluster0.example.mongodb.net{}", ("Host", "Password")),
        ("!Join [',', !Ref List]", None, ()),
        ("!If [Production, 1024, 128]", None, ("Production",)),
        ("!GetAtt Cluster.ConnectionStrings.StandardSrv", None, ("Cluster",)),
        ("!FindInMap [Memory, !Ref Stage, F]", None, ("Memory",)),
        ("!ImportValue uri", None, ("uri",)),
        ("!Own {x: 1}", None, ()),
        ("{'Fn::Transform': {Name: Own}}", None, ()),
        ("{{resolve:ssm:/shop/uri:1}}", None, ()),
        (
            "'{{resolve:secretsmanager:shop:SecretString:uri}}'",
            "{}",
            ("{{resolve:secretsmanager:shop:SecretString:uri}}",),
        ),
        ("!Sub 'x{{resolve:secretsmanager:${Host}}}'", "x{}", ()),
    ],
)
def test_a_value_is_what_the_template_tells_of_it(written: str, expected: str | None, names: tuple[str, ...]) -> None:
    found = function(f"Environment:\n  Variables:\n    X: {written}", before=SAM + PARAMETERS)
    values = {each.name: each.value for each in found.variables}
    assert values["X"].text == expected
    assert set(names) <= set(values["X"].names)


def test_a_default_stands_where_the_parameter_is_declared() -> None:
    found = function("MemorySize: !Ref Memory", before=SAM + PARAMETERS)
    assert found.memory_mb is not None
    assert found.memory_mb.location.line == 3


def test_parameters_are_read_with_their_defaults_and_whether_they_are_shown() -> None:
    found = facts(SAM + PARAMETERS + "Resources:\n  F: {Type: AWS::Serverless::Function}\n").parameters
    assert [(each.name, each.default and each.default.text, each.secret) for each in found] == [
        ("Memory", "128", False),
        ("Host", "cluster0.example.mongodb.net", False),
        ("Password", None, True),
        ("Stored", None, False),
    ]


@pytest.mark.parametrize(
    "opaque",
    [
        function("Handler: a.b", before="Transform: [AWS::Serverless-2016-10-31, Ours]\n"),
        function("Handler: a.b\nFn::Transform: {Name: AWS::Include}"),
    ],
    ids=["template", "function"],
)
def test_what_a_macro_may_set_is_set_to_something_unknown(opaque: Function) -> None:
    assert text(opaque.handler) == "a.b"
    assert text(opaque.memory_mb) is None
    assert text(opaque.timeout_seconds) is None
    assert text(opaque.reserved_concurrency) is None
    assert opaque.vpc is not None


def test_a_function_of_plain_cloudformation_has_its_code_under_code() -> None:
    kind = "AWS::Lambda::Function"
    assert text(function("Code: {S3Bucket: b, S3Key: app.zip}", kind=kind).code) == "app.zip"
    assert text(function("Code: src", kind=kind).code) == "src"
    assert text(function("Code: {ZipFile: 'exports.handler = 1'}", kind=kind).code) is None
    assert function("Code: {ImageUri: x}", kind=kind).package == "image"
    assert function("PackageType: Image").package == "image"


def test_what_cdk_writes_has_its_code_beside_it() -> None:
    template = {
        "Resources": {
            "F12345": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"S3Bucket": {"Fn::Sub": "x"}, "S3Key": "1.zip"}, "Handler": "index.handler"},
                "Metadata": {"aws:asset:path": "asset.1", "aws:asset:property": "Code"},
            }
        }
    }
    found = read("cdk.out/Shop.template.json", json.dumps(template, indent=1).encode())
    assert found is not None
    assert found.kind == "cloudformation"
    assert text(found.functions[0].code) == "asset.1"
    assert found.functions[0].location.line == 3
    # Nothing is added to JSON by lines.
    assert found.functions[0].properties is None


def test_versions_and_aliases_keep_environments_of_their_function() -> None:
    found = function(
        "Handler: a.b",
        kind="AWS::Lambda::Function",
        more="  Live:\n    Type: AWS::Lambda::Alias\n    Properties:\n      FunctionName: !Ref F\n"
        "      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 7}\n",
    )
    assert text(found.provisioned_concurrency) == "7"


def test_managed_instances_and_conditions_are_seen() -> None:
    found = function("CapacityProviderConfig: {Arn: x}", more="    Condition: Production\n")
    assert found.managed_instances
    assert found.conditional


@pytest.mark.parametrize(
    ("events", "scheduled"),
    [
        ("{A: {Type: Schedule}}", True),
        ("{A: {Type: Schedule}, B: {Type: ScheduleV2}}", True),
        ("{A: {Type: Schedule}, B: {Type: Api}}", False),
        ("{}", False),
        ("[x]", False),
    ],
)
def test_a_schedule_may_be_all_that_invokes_a_function(events: str, scheduled: bool) -> None:
    assert function(f"Events: {events}").scheduled is scheduled


def test_what_a_bundler_is_given_is_read() -> None:
    found = function(
        "Handler: app.handler",
        more="    Metadata:\n      BuildMethod: esbuild\n      BuildProperties:\n        EntryPoints: [src/app.ts]\n",
    )
    assert [entry.text for entry in found.entries] == ["src/app.ts"]


ATLAS = """
Resources:
  Cluster:
    Type: MongoDB::Atlas::Cluster
    Properties:
      ClusterType: SHARDED
      ReplicationSpecs:
        - NumShards: 3
          AdvancedRegionConfigs:
            - ElectableSpecs: {InstanceSize: M30, NodeCount: 3}
              RegionName: EU_CENTRAL_1
  Small:
    Type: MongoDB::Atlas::FlexCluster
  List:
    Type: MongoDB::Atlas::ProjectIpAccessList
    Properties:
      AccessList:
        - CIDRBlock: 0.0.0.0/0
          Comment: all
        - IPAddress: 203.0.113.7
        - AwsSecurityGroup: !GetAtt Functions.GroupId
  ByPassword:
    Type: MongoDB::Atlas::DatabaseUser
    Properties:
      Username: shop
      Password: !Ref Password
      AWSIAMType: NONE
      Roles:
        - {RoleName: atlasAdmin, DatabaseName: admin}
        - {RoleName: !Ref Role, DatabaseName: shop}
  ByRole:
    Type: MongoDB::Atlas::DatabaseUser
    Properties: {Username: !GetAtt Role.Arn, AWSIAMType: ROLE}
  Peering:
    Type: MongoDB::Atlas::NetworkPeering
    Properties: {VpcId: !Ref Vpc}
  Link:
    Type: MongoDB::Atlas::PrivateEndpointAWS
    Properties: {Id: !Ref Endpoint}
  OldLink:
    Type: MongoDB::Atlas::PrivateEndpoint
    Properties:
      PrivateEndpoints:
        - {VpcId: !Ref Vpc, SubnetIds: [!Ref One]}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, SubnetIds: [!Ref One], SecurityGroupIds: [!Ref Functions]}
  Service:
    Type: MongoDB::Atlas::PrivateEndpointService
  Named:
    Type: AWS::EC2::VPCEndpoint
    Properties: {ServiceName: !GetAtt Service.EndpointServiceName}
  Secrets:
    Type: AWS::EC2::VPCEndpoint
    Properties: {ServiceName: !Sub "com.amazonaws.${AWS::Region}.secretsmanager"}
  One:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Public}
"""


def test_atlas_clusters_are_read() -> None:
    sharded, flex = facts(ATLAS).clusters
    assert (sharded.name, text(sharded.kind), text(sharded.tier), text(sharded.shards)) == (
        "Cluster",
        "SHARDED",
        "M30",
        "3",
    )
    assert (flex.name, text(flex.kind), text(flex.tier)) == ("Small", "REPLICASET", "Flex")


def test_an_access_list_s_entries_stand_where_their_address_does() -> None:
    entries = facts(ATLAS).access_entries
    assert [entry.address.text for entry in entries] == ["0.0.0.0/0", "203.0.113.7", None]
    assert entries[0].location.line == 18


def test_database_users_are_read_with_their_roles() -> None:
    by_password, by_role = facts(ATLAS).database_users
    assert by_password.password is not None
    assert by_password.password.names == ("Password",)
    assert by_password.iam is None
    assert [role.text for role in by_password.roles] == ["atlasAdmin@admin", "{}@shop"]
    assert text(by_role.iam) == "ROLE"


def test_the_network_is_read() -> None:
    found = {network.name: network for network in facts(ATLAS).networks}
    assert {name: network.kind for name, network in found.items()} == {
        "Peering": "peering",
        "Link": "private-endpoint",
        "OldLink": "private-endpoint",
        "Endpoint": "private-endpoint",
        "Service": "private-endpoint",
        "Named": "private-endpoint",
        "Secrets": "vpc-endpoint",
        "Nat": "nat-gateway",
    }
    assert [subnet.names for subnet in found["OldLink"].subnets] == [("One",)]
    assert [group.names for group in found["Endpoint"].security_groups] == [("Functions",)]
    assert found["Nat"].fixed_address is not None
    assert found["Nat"].fixed_address.names == ("Address",)


def test_subnets_are_in_a_vpc() -> None:
    assert [(subnet.name, subnet.vpc.names) for subnet in facts(ATLAS).subnets] == [("One", ("Vpc",))]


def groups(properties: str, more: str = "") -> tuple[SecurityGroup, ...]:
    return facts(
        f"Resources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties: {properties}\n{more}"
    ).security_groups


def rule(way: str, properties: str) -> str:
    return f"  R:\n    Type: AWS::EC2::SecurityGroup{way}\n    Properties: {properties}\n"


MONGODB = "{IpProtocol: tcp, FromPort: 27017, ToPort: 27017, CidrIp: 0.0.0.0/0}"


def test_a_security_group_lets_through_what_its_rules_say() -> None:
    (group,) = groups(
        f"{{SecurityGroupEgress: [{MONGODB}, {{IpProtocol: '-1', CidrIp: 0.0.0.0/0}}], "
        "SecurityGroupIngress: [{IpProtocol: 6, FromPort: 1024, ToPort: 65535}]}",
        rule("Egress", "{GroupId: !GetAtt G.GroupId, IpProtocol: udp, FromPort: 53, ToPort: 53}"),
    )
    assert group.egress is not None
    assert [(port.low, port.high, port.protocol) for port in group.egress] == [
        (27017, 27017, "tcp"),
        (0, 65535, "-1"),
        (53, 53, "udp"),
    ]
    assert group.ingress is not None
    assert [(port.low, port.high, port.protocol) for port in group.ingress] == [(1024, 65535, "tcp")]


@pytest.mark.parametrize(
    ("properties", "more"),
    [
        ("{}", ""),
        ("{SecurityGroupEgress: []}", ""),
        ("{SecurityGroupEgress: !If [A, [], []]}", ""),
        (f"{{SecurityGroupEgress: [{MONGODB}, !If [A, {MONGODB}, !Ref AWS::NoValue]]}}", ""),
        ("{SecurityGroupEgress: [{IpProtocol: tcp, FromPort: !Ref Port, ToPort: !Ref Port}]}", ""),
        (f"{{SecurityGroupEgress: [{MONGODB}]}}", rule("Egress", "{GroupId: !Ref Parameter, IpProtocol: tcp}")),
    ],
    ids=["none", "empty", "conditional", "one conditional", "unknown port", "of another place"],
)
def test_what_a_security_group_lets_through_may_be_unknown(properties: str, more: str) -> None:
    assert groups(properties, more)[0].egress is None


def test_connection_strings_are_found_wherever_they_stand() -> None:
    found = facts(
        "Resources:\n  Secret:\n    Type: AWS::SecretsManager::Secret\n    Properties:\n"
        "      SecretString: !Sub 'mongodb+srv://shop:${Password}@cluster0.example.mongodb.net'\n"
    )
    assert [value.text for value in found.strings] == ["mongodb+srv://shop:{}@cluster0.example.mongodb.net"]


@pytest.mark.parametrize(
    "data",
    [
        b"AWS::Lambda::Function",
        b"- AWS::Lambda::Function",
        b"Resources: [AWS::Lambda::Function]",
        b"Resources: {F: {Type: x}}\n# AWS::",
        b"apiVersion: v1\nkind: List # AWS::\n",
        b"# AWS::\n{{ nothing }}-{{ of ours }}\n",
        b"",
    ],
)
def test_what_is_no_template_is_left_alone(data: bytes) -> None:
    assert read("x.yaml", data) is None


def test_a_template_that_cannot_be_parsed_is_named_with_the_reason() -> None:
    found = read("x.yaml", b"Resources:\n{% for f in fs %}\n  F:\n    Type: AWS::Lambda::Function\n{% endfor %}\n")
    assert found is not None
    assert found.problem is not None
    assert found.problem.startswith("it can't be parsed as YAML: ")
    assert found.functions == ()


@pytest.mark.parametrize(
    "properties",
    ["[1, 2]", "text", "{Environment: [x]}", "{Environment: {Variables: !Ref X}}", "{VpcConfig: !If [A, {}, {}]}", "~"],
)
def test_properties_of_an_unexpected_form_are_no_errors(properties: str) -> None:
    text = f"Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {properties}\n"
    (found,) = facts(text).functions
    assert found.variables == ()
