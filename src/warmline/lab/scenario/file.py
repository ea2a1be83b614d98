"""
A scenario as a TOML file.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import tomllib
from pathlib import Path
from typing import Any, get_args

from ..atlas import AtlasSpec
from ..atlas.spec import Auth, Kind
from ..aws import FunctionSpec, Monotonic, NetworkKind, StartMode
from ..errors import LabError, UnusableScenario
from ..load import Load, parse_load
from ..own import MEMORY_MB, own_function, read_template
from .actions import numbers
from .events import ScenarioEvent, parse_event
from .keys import Table
from .spec import LoadedFunction, Scenario


def read_scenario(file: Path) -> Scenario:
    """
    Read a scenario; paths in it are relative to the file's folder.

    :raises UnusableScenario: it can't be read, or something in it is wrong: one line with file, key and what it may be.
    """
    try:
        values = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableScenario(f"can't read {file}: {getattr(error, 'strerror', None) or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UnusableScenario(f"{file} is not TOML: {error}") from None
    root = Table(file, "", values)
    name = root.text("name", file.stem)
    title = root.text("title", name)
    functions = tuple(_function(table) for table in root.tables("functions"))
    if not functions:
        raise root.wrong("functions", "there is none: describe one below [[functions]]")
    names = [function.name for function in functions]
    for function in functions:
        if names.count(function.name) > 1:
            raise root.wrong("functions", f"two are called {function.name}: give them names")
    ends = max(load.seconds for function in functions for load in function.loads)
    events = tuple(_event(table, names, ends) for table in root.tables("events"))
    cluster = _cluster(root.table("cluster"), events)
    for number, event in enumerate(events):
        problem = _problem(event, cluster)
        if problem:
            raise root.wrong(f"events[{number}].do", problem)
    root.finish()
    command = shlex.join(["warmline", "lab", "run", "--scenario", str(file)])
    return Scenario(name, title, functions, cluster, command, events)


def _function(table: Table) -> LoadedFunction:
    folder = table.file.parent
    try:
        described, notes = _described(table)
        concurrency = table.number("concurrency", described.reserved_concurrency or 0, 0, 2_000)
        idle = table.seconds("idle", "0s")
        spec = dataclasses.replace(
            described,
            reserved_concurrency=concurrency or None,
            provisioned_concurrency=table.number("provisioned", described.provisioned_concurrency, 0, 2_000),
            idle_seconds=idle or None,
            start=table.choice("start", get_args(StartMode), described.start),
            monotonic=table.choice("monotonic", get_args(Monotonic), described.monotonic),
            network=table.choice("network", get_args(NetworkKind), described.network),
        )
    except UnusableScenario:
        raise
    except (LabError, ValueError) as error:
        raise table.wrong("", str(error)) from None
    loads = _loads(table, folder)
    payload = _payload(table)
    table.finish()
    return LoadedFunction(spec, loads, payload, notes)


def _described(table: Table) -> tuple[FunctionSpec, tuple[str, ...]]:
    """
    The function itself, and how it differs from the template that it is read from.
    """
    folder = table.file.parent
    name, template = table.text("name", ""), table.text("template", "")
    given: dict[str, Any] = {
        "handler": table.text("handler", "") or None,
        "command": tuple(shlex.split(table.text("command", ""))) or None,
        "runtime": table.text("runtime", "") or None,
        "environment": table.texts("environment"),
        "memory_mb": table.number("memory", MEMORY_MB, 128, 10_240) if table.has("memory") else None,
        "timeout_seconds": table.seconds("timeout") if table.has("timeout") else None,
        "code": folder / table.text("code", ".") if table.has("code") or not template else None,
    }
    function = table.text("function", "") or None
    if not template:
        if function is not None:
            raise table.wrong("function", "it is a logical id, and needs its template: template = 'template.yaml'")
        return own_function(name=name or None, **given), ()
    found = read_template(folder / template, function=function, **given)
    if len(found) > 1:
        raise table.wrong("function", f"name one of {', '.join(each.spec.name for each in found)}")
    (only,) = found
    return dataclasses.replace(only.spec, name=name or only.spec.name), only.notes


def _loads(table: Table, folder: Path) -> tuple[Load, ...]:
    """
    One load as a text, or several as a list of them.
    """
    given = table.value("load", None)
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise table.wrong("load", f"a text such as 'constant:20/s for 30s', or a list of them, not {given!r}")
    try:
        return tuple(parse_load(text, folder) for text in texts)
    except LabError as error:
        raise table.wrong("load", str(error)) from None


def _payload(table: Table) -> bytes:
    event = table.value("event", {})
    try:
        return json.dumps(event).encode()
    except TypeError as error:
        raise table.wrong("event", f"it becomes JSON, and {str(error)[0].lower()}{str(error)[1:]}") from None


def _event(table: Table, functions: list[str], ends: float) -> ScenarioEvent:
    at = table.seconds("at")
    if at > ends:
        raise table.wrong("at", f"the load ends at {ends:g}s, before that; let it go on for longer")
    event = table.read("do", lambda text: parse_event(at, text, functions))
    table.finish()
    return event


def _cluster(table: Table, events: tuple[ScenarioEvent, ...]) -> AtlasSpec:
    try:
        spec = AtlasSpec(
            kind=table.choice("kind", get_args(Kind), "replica-set"),
            members=table.number("members", 3, 1, 7),
            tls=table.flag("tls", default=True),
            auth=table.choice("auth", get_args(Auth), "scram"),
            tier=table.text("tier", "") or None,
            faces=table.number("faces", 30, 1, 100),
            through_front=any(event.form.front for event in events),
        )
    except UnusableScenario:
        raise
    except LabError as error:
        raise table.wrong("", str(error)) from None
    table.finish()
    return spec


def _problem(event: ScenarioEvent, cluster: AtlasSpec) -> str | None:
    """
    Why an event can't happen to this cluster, if it can't.
    """
    where = event.groups.get("where", "all")
    mongos = event.form.front and cluster.kind == "sharded"
    if where != "primary":
        try:
            numbers(where, cluster.faces if mongos else cluster.members)
        except UnusableScenario as error:
            return str(error)
    if event.form.password and cluster.auth != "scram":
        return f"with auth = {cluster.auth!r} the functions have no password: take auth = 'scram'"
    return None
