"""
Lambda functions of Terraform: the AWS provider's resource, and the module that most people take instead.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function
https://registry.terraform.io/modules/terraform-aws-modules/lambda/aws/latest
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...values import Value
from ..facts import Function, Variable, Vpc
from .data import Data, Fields, Items, Resource, of, refers

_MODULE = re.compile(r"terraform-aws-modules/(terraform-aws-)?lambda(/aws|\.git)?(\?.*)?$")

# What stands for "as many as the account has".
_UNRESERVED = "-1"


def functions(resources: Iterable[Resource], everything: tuple[Resource, ...], *, folder: str) -> Iterator[Function]:
    """
    Yield the functions among some resources.

    :param everything: what they may refer to.
    :param folder: that of the module that is deployed.
    """
    for function in _functions(resources, everything):
        yield replace(function, code=_from_template(function, folder))


def _from_template(function: Function, folder: str) -> Value | None:
    """
    Return where the code is from the function's own file; Terraform's paths go from the module that is deployed.
    """
    code = function.code
    if code is None or not code.complete or code.text is None or posixpath.isabs(code.text):
        return code
    here = posixpath.dirname(function.location.path) or "."
    return replace(code, text=posixpath.relpath(posixpath.join(folder, code.text), here))


def _functions(resources: Iterable[Resource], everything: tuple[Resource, ...]) -> Iterator[Function]:
    for resource in of(resources, "aws_lambda_function"):
        yield _function(resource, everything)
    for resource in of(resources, "module"):
        source = resource.body.value("source")
        if source is not None and source.text is not None and _MODULE.search(source.text):
            create = resource.body.value("create_function")
            if create is None or create.text != "false":
                yield _module(resource, conditional=create is not None and create.text != "true")


def _function(resource: Resource, everything: tuple[Resource, ...]) -> Function:
    body = resource.body
    environment = body.first("environment")
    image = body.get("image_uri") is not None or _text(body, "package_type") == "Image"
    snapstart = body.first("snap_start")
    return Function(
        name=resource.name,
        location=resource.location,
        handler=body.value("handler"),
        code=None if image else _code(body, everything),
        runtime=body.value("runtime"),
        package="image" if image else "zip",
        memory_mb=body.value("memory_size"),
        timeout_seconds=body.value("timeout"),
        variables=_variables(environment.get("variables") if environment is not None else None),
        vpc=_vpc(body, "vpc_config"),
        role=body.value("role"),
        layers=body.values("layers"),
        reserved_concurrency=_limit(body, "reserved_concurrent_executions"),
        provisioned_concurrency=_provisioned(resource, everything),
        snapstart=snapstart is not None and _text(snapstart, "apply_on") == "PublishedVersions",
        managed_instances=body.get("capacity_provider_config") is not None,
        conditional=resource.conditional,
        properties=resource.inside,
        indent=resource.indent,
    )


def _module(resource: Resource, *, conditional: bool) -> Function:
    body = resource.body
    image = body.get("image_uri") is not None or _text(body, "package_type") == "Image"
    source = body.get("source_path")
    return Function(
        name=resource.name,
        location=resource.location,
        handler=body.value("handler"),
        code=source if isinstance(source, Value) else body.value("local_existing_package"),
        runtime=body.value("runtime"),
        package="image" if image else "zip",
        memory_mb=body.value("memory_size"),
        timeout_seconds=body.value("timeout"),
        variables=_variables(body.get("environment_variables")),
        vpc=_in_vpc(body, "vpc_subnet_ids", "vpc_security_group_ids"),
        # Without a role of one's own the module makes one.
        role=body.value("lambda_role") or Value(None, resource.location, (resource.address,)),
        layers=body.values("layers"),
        reserved_concurrency=_limit(body, "reserved_concurrent_executions"),
        provisioned_concurrency=_limit(body, "provisioned_concurrent_executions"),
        snapstart=_text(body, "snap_start") == "true",
        conditional=resource.conditional or conditional,
        properties=resource.inside,
        indent=resource.indent,
    )


def _variables(data: Data | None) -> tuple[Variable, ...]:
    if not isinstance(data, Fields):
        return ()
    values = ((name, data.value(name)) for name in data.fields)
    return tuple(Variable(name, value) for name, value in values if value is not None)


def _vpc(body: Fields, name: str) -> Vpc | None:
    block = body.first(name)
    if block is not None and block.complete:
        return _in_vpc(block, "subnet_ids", "security_group_ids")
    data = body.get(name)
    # One that may or may not be there is taken as there: nothing can be said against it.
    return Vpc(location=data.location) if data is not None and not body.known(name) else None


def _in_vpc(body: Fields, subnets: str, groups: str) -> Vpc | None:
    data = body.get(subnets)
    if data is None or (isinstance(data, Items) and data.complete and not data.items):
        return None
    return Vpc(location=data.location, subnets=body.values(subnets), security_groups=body.values(groups))


def _code(body: Fields, everything: tuple[Resource, ...]) -> Value | None:
    file = body.value("filename")
    if file is None:
        # An object in S3 says nothing of where its sources are.
        return None
    for archive in everything:
        if archive.kind == "archive_file" and refers(file, archive.address):
            # The archive is made of what is in the repository.
            return archive.body.value("source_dir") or archive.body.value("source_file") or file
    return file


def _provisioned(function: Resource, everything: tuple[Resource, ...]) -> Value | None:
    for resource in of(everything, "aws_lambda_provisioned_concurrency_config"):
        if refers(resource.body.value("function_name"), function.address):
            return resource.body.value("provisioned_concurrent_executions")
    return None


def _limit(body: Fields, name: str) -> Value | None:
    value = body.value(name)
    return None if value is not None and value.text == _UNRESERVED else value


def _text(body: Fields, name: str) -> str | None:
    value = body.value(name)
    return value.text if value is not None else None
