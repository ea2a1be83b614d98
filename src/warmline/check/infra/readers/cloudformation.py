"""
CloudFormation and SAM, in YAML and JSON; also what CDK writes.
"""

from __future__ import annotations

import re

from .. import yaml
from ..cloudformation.atlas import access_entries, clusters, database_users
from ..cloudformation.functions import functions
from ..cloudformation.intrinsics import Values, parameters, texts
from ..cloudformation.network import networks, security_groups, subnets
from ..cloudformation.resource import resources
from ..facts import InfraFacts
from ..reader import Reader

CONNECTION_STRING = re.compile(r"mongodb(\+srv)?://")

# Macros that leave alone what is read here.
_HARMLESS = re.compile(r"AWS::(Serverless-|LanguageExtensions|SecretsManager-|CodeDeployBlueGreen)")

# A file that can't be parsed is one of ours if it has a resource.
_RESOURCE = re.compile(rb"(AWS::(Serverless|Lambda|EC2)|MongoDB::Atlas)::\w")


def read(path: str, data: bytes) -> InfraFacts | None:
    """
    Read a template; ``None``: it is none of CloudFormation's.
    """
    document = yaml.read(path, data)
    root = document.root
    if root is None:
        if document.problem is None or not _RESOURCE.search(data):
            return None
        return InfraFacts(path=path, kind="cloudformation", module=path, problem=document.problem)
    if not isinstance(root, yaml.Mapping):
        return None
    section = root.mapping("Resources")
    if section is None or not any(_is_resource(resource) for _, resource in section):
        return None
    return read_template(document, root, section)


def read_template(
    document: yaml.Document, root: yaml.Mapping, section: yaml.Mapping, make_values: type[Values] = Values
) -> InfraFacts:
    """
    Read a template that is a whole file or, with the Serverless Framework, a part of one.
    """
    declared = parameters(document, root.mapping("Parameters"))
    values = make_values(document, {parameter.name: parameter.default for parameter in declared})
    shared = root.mapping("Globals")
    found = resources(values, section)
    transforms = [value.text or "" for value in values.all(root.get("Transform"))]
    serverless = any(text.startswith("AWS::Serverless-") for text in transforms)
    opaque = not all(_HARMLESS.match(text) for text in transforms)
    return InfraFacts(
        path=document.path,
        kind="sam" if serverless else "cloudformation",
        module=document.path,
        functions=tuple(functions(found, shared.mapping("Function") if shared is not None else None, opaque=opaque)),
        clusters=tuple(clusters(found)),
        access_entries=tuple(access_entries(found)),
        database_users=tuple(database_users(found)),
        parameters=declared,
        security_groups=tuple(security_groups(found)),
        subnets=tuple(subnets(found)),
        networks=tuple(networks(found)),
        strings=tuple(texts(values, root, CONNECTION_STRING)),
        problem=document.problem,
    )


def _is_resource(node: yaml.Node) -> bool:
    kind = node.get("Type") if isinstance(node, yaml.Mapping) else None
    return isinstance(kind, yaml.Scalar) and "::" in kind.text


READER = Reader(
    name="cloudformation",
    kinds=("sam", "cloudformation"),
    suffixes=(".yaml", ".yml", ".json", ".template"),
    mentions=(b"AWS::", b"MongoDB::Atlas::"),
    comment="#",
    read=read,
)
