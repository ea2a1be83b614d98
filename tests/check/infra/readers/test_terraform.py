from __future__ import annotations

from itertools import chain

import pytest

from warmline.check.infra.facts import Function, InfraFacts
from warmline.check.infra.readers.terraform import READER
from warmline.check.infra.terraform.read import read_terraform
from warmline.check.values import Value


def facts_of(source: str = "", **others: str) -> tuple[InfraFacts, ...]:
    files = {"main.tf": source, **{path.replace("__", "/") + ".tf": text for path, text in others.items()}}
    return read_terraform({path: text.encode() for path, text in files.items()})


def function_of(source: str, **others: str) -> Function:
    (function,) = chain.from_iterable(facts.functions for facts in facts_of(source, **others))
    return function


def lambda_function(attributes: str) -> str:
    return f'resource "aws_lambda_function" "api" {{\n  {attributes}\n}}\n'


def memory_of(expression: str, rest: str = "") -> Value:
    memory = function_of(lambda_function(f"memory_size = {expression}") + rest).memory_mb
    assert memory is not None
    return memory


def place(value: Value) -> tuple[str, int]:
    return value.location.path, value.location.line


def test_a_function_has_its_properties_with_their_places() -> None:
    function = function_of(
        lambda_function(
            """
  function_name = "api"
  handler       = "app.handler"
  runtime       = "python3.13"
  memory_size   = 512
  timeout       = 10
  role          = aws_iam_role.api.arn
  reserved_concurrent_executions = -1
  environment {
    variables = {
      MONGODB_URI = "mongodb+srv://cluster.example.net"
      "STAGE"     = var.stage
    }
  }
  vpc_config {
    subnet_ids         = [aws_subnet.a.id, "subnet-1"]
    security_group_ids = [aws_security_group.f.id]
  }
  snap_start {
    apply_on = "PublishedVersions"
  }"""
        )
    )
    assert (function.name, function.snapstart, function.package) == ("api", True, "zip")
    assert function.memory_mb is not None
    assert (function.memory_mb.number, function.memory_mb.location.line, function.memory_mb.location.column) == (
        512,
        6,
        19,
    )
    assert function.role is not None
    assert function.role.names == ("aws_iam_role.api.arn",)
    assert function.reserved_concurrency is None
    assert [(each.name, each.value.text) for each in function.variables] == [
        ("MONGODB_URI", "mongodb+srv://cluster.example.net"),
        ("STAGE", None),
    ]
    assert function.vpc is not None
    assert [(each.text, each.names) for each in function.vpc.subnets] == [
        (None, ("aws_subnet.a.id",)),
        ("subnet-1", ()),
    ]
    assert (function.location.line, function.properties.line if function.properties else None) == (1, 2)


def test_a_function_without_memory_and_timeout_has_the_provider_s_defaults() -> None:
    function = function_of(lambda_function('handler = "app.handler"'))
    assert (function.memory_mb, function.default_memory_mb) == (None, 128)
    assert (function.timeout_seconds, function.default_timeout_seconds) == (None, 3)


@pytest.mark.parametrize(
    ("expression", "rest", "text"),
    [
        ("256", "", "256"),
        ('"256"', "", "256"),
        ('"${256}"', "", "256"),
        ("var.memory", 'variable "memory" {}', None),
        ("var.memory", 'variable "memory" { default = 128 }', "128"),
        ("local.memory", "locals { memory = 128 }", "128"),
        ("local.sizes.small", "locals { sizes = { small = 128 } }", "128"),
        ('local.sizes["small"]', "locals { sizes = merge({ small = 128 }, { big = 1024 }) }", "128"),
        ("local.sizes.small", "locals { sizes = merge({ small = 128 }, var.more) }", None),
        ("local.sizes[1]", "locals { sizes = [128, 256] }", "256"),
        ('var.stage == "prod" ? 1024 : 128', "", None),
        ("module.sizes.memory", "", None),
        ("tonumber(local.memory)", 'locals { memory = "128" }', "128"),
        ("max(128, 256)", "", None),
        ("local.a", "locals {\n  a = local.b\n  b = local.a\n}", None),
        ("each.value", "", None),
    ],
)
def test_a_value_is_followed_as_far_as_the_files_tell_it(expression: str, rest: str, text: str | None) -> None:
    assert memory_of(expression, rest).text == text


def test_what_is_a_variable_s_default_names_the_variable() -> None:
    assert memory_of("var.memory", 'variable "memory" { default = 128 }').names == ("var.memory",)
    assert memory_of("local.memory", "locals { memory = 128 }").names == ()


def test_unknown_parts_of_a_text_are_holes() -> None:
    source = lambda_function(
        'environment {\n variables = { URI = "mongodb+srv://${var.user}:${local.p}@h/?a=%{ if x }1%{ endif }" }\n}'
    )
    (variable,) = function_of(f'{source}locals {{ p = "s" }}').variables
    assert variable.value.text == "mongodb+srv://{}:s@h/?a={}"
    assert variable.value.names == ("var.user", "x")


def test_a_heredoc_keeps_its_lines_and_escapes_stand_for_what_they_mean() -> None:
    heredoc = lambda_function("environment {\n variables = {\n A = <<-EOT\n  one ${var.x}\n two $${y}\nEOT\n }\n}")
    assert [each.value.text for each in function_of(heredoc).variables] == ["  one {}\n two ${y}\n"]
    quoted = lambda_function('environment {\n variables = { A = "a\\"b\\u0041\\n" }\n}')
    assert [each.value.text for each in function_of(quoted).variables] == ['a"bA\n']


def test_the_files_of_a_folder_are_one_module() -> None:
    memory = function_of(
        lambda_function("memory_size = var.memory"), variables='variable "memory" {\n  default = 128\n}'
    ).memory_mb
    assert memory is not None
    assert (memory.text, place(memory)) == ("128", ("variables.tf", 2))


def test_an_argument_goes_through_two_levels_of_modules_and_stands_where_it_is_written() -> None:
    function = function_of(
        'module "api" {\n  source = "./wrap"\n  memory = 128\n  subnets = [aws_subnet.a.id]\n}',
        wrap__main='variable "memory" {}\nvariable "subnets" {}\n'
        'module "fn" {\n  source = "../fn"\n  size = var.memory\n  subnets = var.subnets\n}',
        fn__main='variable "size" { default = 512 }\nvariable "subnets" {}\n'
        + lambda_function("memory_size = var.size\n  vpc_config {\n    subnet_ids = var.subnets\n  }"),
    )
    assert function.location.path == "fn/main.tf"
    assert function.memory_mb is not None
    assert (function.memory_mb.text, function.memory_mb.names) == ("128", ())
    assert place(function.memory_mb) == ("main.tf", 3)
    assert function.vpc is not None
    assert function.vpc.subnets[0].names == ("aws_subnet.a.id",)


def test_an_output_of_a_module_names_the_resource_in_it() -> None:
    function = function_of(
        'module "vpc" {\n  source = "./vpc"\n}\n'
        + lambda_function("vpc_config {\n    subnet_ids = [module.vpc.subnet]\n  }"),
        vpc__main='resource "aws_subnet" "a" {\n  vpc_id = aws_vpc.main.id\n}\noutput "subnet" {\n'
        "  value = aws_subnet.a.id\n}",
    )
    assert function.vpc is not None
    assert function.vpc.subnets[0].names == ("module.vpc.aws_subnet.a.id",)


def test_what_is_deployed_together_has_one_module() -> None:
    facts = facts_of('module "a" {\n  source = "./a"\n}', a__main="locals {}", b__main="locals {}")
    assert {each.path: each.module for each in facts} == {"main.tf": "", "a/main.tf": "", "b/main.tf": "b"}


def test_modules_that_call_each_other_end() -> None:
    facts = facts_of(
        a__main='module "b" {\n  source = "../b"\n}\n' + lambda_function("memory_size = 128"),
        b__main='module "a" {\n  source = "../a"\n}',
    )
    assert {each.path for each in facts} == {"main.tf", "a/main.tf", "b/main.tf"}


def test_values_that_terraform_reads_by_itself_replace_defaults_and_others_make_them_unknown() -> None:
    source = lambda_function("memory_size = var.memory") + 'variable "memory" {\n  default = 128\n}'

    def read(path: str) -> Value | None:
        files = {"main.tf": source.encode(), path: b"memory = 1024\n"}
        return read_terraform(files)[0].functions[0].memory_mb

    assert [value.text if (value := read(path)) else value for path in ("terraform.tfvars", "x.auto.tfvars")] == [
        "1024",
        "1024",
    ]
    assert [value.text if (value := read(path)) else value for path in ("prod.tfvars", "env/prod.tfvars")] == [
        None,
        None,
    ]


def test_for_each_over_what_is_known_makes_one_of_each() -> None:
    source = lambda_function(
        "for_each = { a = { memory = 128 }, b = { memory = 512 } }\n  memory_size = each.value.memory"
    )
    (facts,) = facts_of(source)
    assert [each.memory_mb.text if each.memory_mb else None for each in facts.functions] == ["128", "512"]


@pytest.mark.parametrize(
    ("attribute", "conditional"),
    [
        ("count = 1", False),
        ("count = var.on ? 1 : 0", True),
        ("for_each = var.all", True),
        ("for_each = toset([])", True),
    ],
)
def test_a_resource_that_may_not_be_there_says_so(attribute: str, conditional: bool) -> None:
    assert function_of(lambda_function(attribute)).conditional is conditional


def test_a_resource_that_is_counted_to_none_is_none() -> None:
    assert facts_of(lambda_function("count = 0"))[0].functions == ()


def test_a_dynamic_block_makes_its_values_unknown() -> None:
    dynamic = 'dynamic "vpc_config" {\n  for_each = var.in_vpc ? [1] : []\n  content {\n    subnet_ids = []\n  }\n}'
    function = function_of(lambda_function(dynamic))
    assert function.vpc is not None
    assert function.vpc.subnets == ()
    assert function_of(lambda_function("vpc_config {\n subnet_ids = []\n}")).vpc is None


def test_the_code_is_the_folder_that_an_archive_is_made_of() -> None:
    archive = 'data "archive_file" "z" {\n  source_dir = "${path.module}/src"\n}\n'
    code = function_of(archive + lambda_function("filename = data.archive_file.z.output_path")).code
    assert code is not None
    assert code.text == "src"


def test_a_path_goes_from_the_module_that_it_is_written_in() -> None:
    archive = 'data "archive_file" "z" {\n  source_dir = var.code\n}\n'
    function = function_of(
        'module "wrap" {\n  source = "./wrap"\n}',
        wrap__main='module "fn" {\n  source = "../fn"\n  code = "${path.module}/src"\n}',
        fn__main='variable "code" {}\n' + archive + lambda_function("filename = data.archive_file.z.output_path"),
    )
    assert function.code is not None
    assert function.code.text == "../wrap/src"


def test_the_module_of_the_community_has_its_own_names() -> None:
    function = function_of(
        'module "api" {\n  source = "terraform-aws-modules/lambda/aws"\n  handler = "app.handler"\n'
        '  source_path = "../src"\n  environment_variables = { URI = "x" }\n  vpc_subnet_ids = ["subnet-1"]\n}'
    )
    assert (function.memory_mb, function.default_memory_mb) == (None, 128)
    assert function.code is not None
    assert function.code.text == "../src"
    assert [each.name for each in function.variables] == ["URI"]
    assert function.vpc is not None
    other = 'module "alias" {\n  source = "terraform-aws-modules/lambda/aws//modules/alias"\n}'
    assert facts_of(other)[0].functions == ()


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            "mongodbatlas_cluster",
            'cluster_type = "SHARDED"\n num_shards = 2\n provider_instance_size_name = "M30"',
            ("SHARDED", "M30", "2"),
        ),
        (
            "mongodbatlas_advanced_cluster",
            'cluster_type = "SHARDED"\n replication_specs {\n num_shards = 3\n region_configs {\n electable_specs {\n'
            ' instance_size = "M30"\n }\n }\n }',
            ("SHARDED", "M30", "3"),
        ),
        (
            "mongodbatlas_advanced_cluster",
            'cluster_type = "GEOSHARDED"\n replication_specs = [\n { region_configs = [{ electable_specs = '
            '{ instance_size = "M40" } }] },\n { region_configs = [] }]',
            ("GEOSHARDED", "M40", "2"),
        ),
        ("mongodbatlas_advanced_cluster", "replication_specs = var.specs", (None, None, None)),
        (
            "mongodbatlas_advanced_cluster",
            'dynamic "replication_specs" {\n for_each = var.s\n content {}\n}',
            (None, None, None),
        ),
        ("mongodbatlas_flex_cluster", "", ("REPLICASET", "Flex", None)),
    ],
)
def test_clusters_of_all_forms(kind: str, body: str, expected: tuple[str | None, ...]) -> None:
    ((cluster,),) = [each.clusters for each in facts_of(f'resource "{kind}" "c" {{\n {body}\n}}')]
    found = (cluster.kind, cluster.tier, cluster.shards)
    assert tuple(value.text if value is not None else None for value in found) == expected


def test_users_access_lists_and_networks_of_atlas() -> None:
    (facts,) = facts_of("""
resource "mongodbatlas_project_ip_access_list" "a" {
  cidr_block = "10.0.0.0/16"
}
resource "mongodbatlas_database_user" "role" {
  username     = "arn:aws:iam::1:role/api"
  aws_iam_type = "ROLE"
  roles {
    role_name     = "readWrite"
    database_name = "shop"
  }
}
resource "mongodbatlas_database_user" "person" {
  username     = "person"
  password     = var.password
  aws_iam_type = "NONE"
}
resource "mongodbatlas_network_peering" "p" {
  provider_name = "AWS"
  vpc_id        = aws_vpc.main.id
}
resource "mongodbatlas_privatelink_endpoint" "e" {
  provider_name = "AWS"
}
resource "aws_vpc_endpoint" "atlas" {
  vpc_id             = aws_vpc.main.id
  service_name       = mongodbatlas_privatelink_endpoint.e.endpoint_service_name
  security_group_ids = [aws_security_group.e.id]
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id       = aws_vpc.main.id
  service_name = "com.amazonaws.eu-west-1.s3"
}
resource "aws_nat_gateway" "n" {
  allocation_id = aws_eip.n.id
}
resource "mongodbatlas_network_peering" "azure" {
  provider_name = "AZURE"
}
""")
    assert [entry.address.text for entry in facts.access_entries] == ["10.0.0.0/16"]
    role, person = facts.database_users
    assert (role.iam.text if role.iam else None, role.password, role.roles[0].text) == ("ROLE", None, "readWrite@shop")
    assert (person.iam, person.password.names if person.password else None) == (None, ("var.password",))
    assert [(each.kind, each.name) for each in facts.networks] == [
        ("peering", "p"),
        ("private-endpoint", "atlas"),
        ("vpc-endpoint", "s3"),
        ("private-endpoint", "e"),
        ("nat-gateway", "n"),
    ]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('egress {\n from_port = 1024\n to_port = 65535\n protocol = "tcp"\n}', [(1024, 65535, "tcp")]),
        ('egress = [{ from_port = 0, to_port = 0, protocol = "-1" }]', [(0, 65535, "-1")]),
        ('egress {\n from_port = var.p\n to_port = 65535\n protocol = "tcp"\n}', None),
        (
            'dynamic "egress" {\n for_each = var.e\n content {\n from_port = 1\n to_port = 1\n protocol = "tcp"\n}\n}',
            None,
        ),
        ("", None),
    ],
)
def test_a_security_group_s_ports_are_those_that_are_wholly_known(rules: str, expected: object) -> None:
    ((group,),) = [each.security_groups for each in facts_of(f'resource "aws_security_group" "g" {{\n{rules}\n}}')]
    found = None if group.egress is None else [(port.low, port.high, port.protocol) for port in group.egress]
    assert found == expected


def test_a_group_has_the_rules_that_stand_elsewhere() -> None:
    group = 'resource "aws_security_group" "g" {}\n'
    rule = (
        'resource "aws_vpc_security_group_ingress_rule" "r" {{\n security_group_id = {}\n from_port = 27017\n'
        ' to_port = 27017\n ip_protocol = "tcp"\n}}\n'
    )
    assert facts_of(group + rule.format("aws_security_group.g.id"))[0].security_groups[0].ingress is not None
    # It may be a rule of this group as well as of another.
    both = group + rule.format("aws_security_group.g.id") + rule.format("var.group")
    assert facts_of(both.replace('"r"', '"s"', 1))[0].security_groups[0].ingress is None


def test_a_block_that_cannot_be_parsed_is_left_out_and_named() -> None:
    (facts,) = facts_of(lambda_function("memory_size = 128") + 'resource "x" "y" {\n  a = = 1\n}\n')
    assert [function.name for function in facts.functions] == ["api"]
    assert facts.problem == "line 5 can't be parsed as HCL; the block that it stands in is left out"


@pytest.mark.parametrize(
    "source",
    [
        "a = " + "[" * 5000,
        "a = " + "(" * 3000 + "1" + ")" * 3000,
        "x {" * 3000,
        "locals {\n" + "\n".join(f'  a{n} = "${{local.a{n + 1}}}${{local.a{n + 1}}}"' for n in range(300)) + "\n}",
        "locals {\n" + "\n".join(f"  a{n} = [local.a{n + 1}, local.a{n + 1}]" for n in range(300)) + "\n}",
        'resource {\n}\nmodule {\n}\nvariable {\n}\nresource "a" {\n}',
        "\x00\ufffd",
    ],
    ids=lambda source: source[:12],
)
def test_strange_files_end_without_an_exception(source: str) -> None:
    read_terraform({"main.tf": (source + "\n" + lambda_function("memory_size = local.a0")).encode()})


def test_one_file_is_read_as_if_it_were_the_only_one() -> None:
    facts = READER.read("a/main.tf", lambda_function("memory_size = 128").encode())
    assert facts is not None
    assert (facts.module, len(facts.functions)) == ("a", 1)
