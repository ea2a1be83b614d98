"""
Functions from a SAM or CloudFormation template, for the lab to run.

The checker's reader reads the template: what it takes from one the lab takes from it too.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...check.infra.facts import Function, Variable
from ...check.infra.readers import cloudformation
from ...check.values import Value
from ..aws import FunctionSpec
from ..errors import UnusableFunction
from .function import URI, own_function

# What a variable with a connection string is called. _URL alone is no sign: queues and other services have URLs.
_CONNECTION = re.compile(r"(?i)mongo|connection_?string|(db|database|atlas|cluster)\w*(uri|url|dsn)|^(uri|dsn)$")
_SCHEME = re.compile(r"mongodb(\+srv)?://")

# A managed instance's processes for each core of this machine: all of them start within Init. On Lambda it is 16 for
# each vCPU, unless the capacity provider is told less.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html
_WORKERS_PER_CORE = 2


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """
    A function of a template as the lab runs it; ``notes`` say in a line each what differs from the template.
    """

    spec: FunctionSpec
    notes: tuple[str, ...]


def read_template(
    path: Path,
    *,
    function: str | None = None,
    handler: str | None = None,
    code: Path | None = None,
    command: tuple[str, ...] | None = None,
    runtime: str | None = None,
    environment: Mapping[str, str] | None = None,
    memory_mb: int | None = None,
    timeout_seconds: float | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> tuple[TemplateFunction, ...]:
    """
    Read the functions of a template, or the one with this logical id. What is given beside it comes first.

    A variable with a connection string, or one that looks like it by its name and that only a deployment knows, gets
    the lab's cluster; others that only a deployment knows are left out.

    :raises UnusableFunction: it is no template, has no such function, or the function can't be run.
    """
    found = _functions(path)
    if function is not None:
        found = tuple(each for each in found if each.name == function)
    if not found:
        names = ", ".join(each.name for each in _functions(path))
        wanted = f"no function {function}" if function else "no function"
        raise UnusableFunction(f"{path} has {wanted}: {names or 'it has none'}")
    given = _Given(handler, code, command, runtime, environment or {}, memory_mb, timeout_seconds, on_step)
    return tuple(_function(each, path, given) for each in found)


@dataclass(frozen=True, slots=True)
class _Given:
    handler: str | None
    code: Path | None
    command: tuple[str, ...] | None
    runtime: str | None
    environment: Mapping[str, str]
    memory_mb: int | None
    timeout_seconds: float | None
    on_step: Callable[[str], None]


def _functions(path: Path) -> tuple[Function, ...]:
    try:
        facts = cloudformation.read(str(path), path.read_bytes())
    except OSError as error:
        raise UnusableFunction(f"can't read the template {path}: {error.strerror}; name another file") from None
    if facts is None:
        raise UnusableFunction(f"{path} is no SAM or CloudFormation template: it has no resources of AWS's")
    if facts.problem is not None:
        raise UnusableFunction(f"the template {path} can't be read: {facts.problem}")
    return facts.functions


def _function(function: Function, path: Path, given: _Given) -> TemplateFunction:
    notes: list[str] = []

    def number(what: str, value: Value | None, default: float) -> float:
        if value is None:
            return default
        if value.number is None:
            notes.append(f"{what} is {default:g}, Lambda's default: only a deployment knows the template's")
            return default
        return value.number

    runtime = given.runtime or _text(function.runtime)
    if runtime and runtime.startswith("python") and runtime != f"python3.{sys.version_info.minor}":
        notes.append(f"runs on this Python, 3.{sys.version_info.minor}, and not on {runtime}")
    environment = _environment(function.variables, given.environment, notes.append)
    spec = own_function(
        given.handler or _handler(function, given),
        name=function.name,
        code=given.code or _code(function, path),
        command=given.command,
        runtime=runtime,
        environment=environment,
        memory_mb=given.memory_mb or int(number("its memory in MB", function.memory_mb, function.default_memory_mb)),
        timeout_seconds=given.timeout_seconds
        or number("its timeout in seconds", function.timeout_seconds, function.default_timeout_seconds),
        on_step=given.on_step,
    )
    if function.layers:
        notes.append("its layers are left out: what it imports must be in its folder, or installed here")
    if function.managed_instances:
        notes.append("its managed instances have two workers for each core of this machine; on Lambda 16 for each vCPU")
    if URI not in environment.values():
        notes.append("MONGODB_URI is the lab's cluster: no variable looks like a connection string; --env NAME={uri}")
    return TemplateFunction(dataclasses.replace(spec, **_lifecycle(function, number)), tuple(notes))


def _lifecycle(function: Function, number: Callable[[str, Value | None, float], float]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if function.reserved_concurrency is not None and function.reserved_concurrency.number is not None:
        fields["reserved_concurrency"] = int(function.reserved_concurrency.number)
    fields["provisioned_concurrency"] = int(number("its provisioned concurrency", function.provisioned_concurrency, 0))
    if function.managed_instances:
        workers = _WORKERS_PER_CORE * (os.cpu_count() or 1)
        fields |= {"initialization": "lambda-managed-instances", "workers": workers}
    elif function.snapstart:
        fields["initialization"] = "snap-start"
    return fields


def _handler(function: Function, given: _Given) -> str | None:
    if function.package == "image" and given.command is None:
        raise UnusableFunction(
            f"{function.name} is an image, which the lab does not run: give its program with --command and its folder "
            "with --code"
        )
    return _text(function.handler)


def _code(function: Function, path: Path) -> Path:
    if function.code is None:
        return path.parent
    if function.code.text is None or not function.code.complete:
        raise UnusableFunction(
            f"the code of {function.name} is in no folder that {path} names: give it with --code, or build first and "
            "give the template that is built, .aws-sam/build/template.yaml"
        )
    folder = path.parent / function.code.text
    if not folder.is_dir():
        raise UnusableFunction(f"the code of {function.name} is no folder: {folder}; build it, or give it with --code")
    return folder


def _environment(
    variables: tuple[Variable, ...], given: Mapping[str, str], note: Callable[[str], None]
) -> dict[str, str]:
    environment = dict(given)
    for each in variables:
        if each.name in given:
            continue
        text = each.value.text
        known = text is not None and each.value.complete
        if _SCHEME.search(text or "") or each.name == "MONGODB_URI" or (not known and _CONNECTION.search(each.name)):
            environment[each.name] = URI
            note(f"{each.name} is the lab's cluster, whatever the template says")
        elif text is not None and known:
            environment[each.name] = text
        else:
            note(f"{each.name} is left out: only a deployment knows it; --env {each.name}=… sets it")
    return environment


def _text(value: Value | None) -> str | None:
    return value.text if value is not None and value.complete else None
