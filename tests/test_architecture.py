"""
The rooms and the way the imports go: read from the source, so that a wrong import fails here by its name.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bson
import pymongo
import pytest

import warmline

SOURCE = Path(__file__).resolve().parents[1] / "src" / "warmline"

# What a room may import of the other rooms.
ALLOWED = {
    "facts": set(),
    "runtime": {"facts"},
    "check": {"facts"},
    "lab": {"facts", "runtime"},
    "testing": {"runtime", "lab"},
    "report": {"facts", "runtime", "check", "lab"},
    "cli": {"facts", "runtime", "check", "lab", "report"},
}

# What it may import of a room that is none of its own: the lab reads templates by the checker's reader.
PARTS = {"lab": ("warmline.check.infra.", "warmline.check.values")}

# dnspython is what PyMongo itself needs and asks for mongodb+srv:// with. Lambda's Python runtime brings the last one
# with it; it is imported under SnapStart alone.
THIRD_PARTY = {"facts": set(), "runtime": {"pymongo", "bson", "dns", "snapshot_restore_py"}}

# Loaded only where a function asks for it, and does without where it is not installed.
ASKED_FOR = {"runtime/metrics/otel.py": {"opentelemetry"}, "runtime/secret/sdk.py": {"botocore"}}

LAMBDA = {**os.environ, "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}


def modules(room: str) -> list[Path]:
    # The handlers below experiments/functions are users' code: they import what users import.
    return [path for path in (SOURCE / room).rglob("*.py") if "functions" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    """
    The absolute names of everything that a module imports, wherever in it.
    """
    package = ("warmline", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            yield name
            # `from warmline import runtime` names a room only in what it imports.
            yield from (f"{name}.{alias.name}" for alias in node.names if name == "warmline")


def test_every_room_is_known_here() -> None:
    assert {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ALLOWED)


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_go_one_way(room: str) -> None:
    upward = []
    for path in modules(room):
        for name in imported(path):
            parts = name.split(".")
            if name.startswith(PARTS.get(room, ())):
                continue
            if parts[0] == "warmline" and len(parts) > 1 and parts[1] in ALLOWED.keys() - ALLOWED[room] - {room}:
                upward.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert upward == []


@pytest.mark.parametrize("room", THIRD_PARTY)
def test_what_runs_in_the_function_needs_nothing_but_pymongo(room: str) -> None:
    foreign = []
    for path in modules(room):
        known = THIRD_PARTY[room] | ASKED_FOR.get(path.relative_to(SOURCE).as_posix(), set())
        for name in imported(path):
            top = name.split(".")[0]
            if top not in {*sys.stdlib_module_names, "warmline", *known}:
                foreign.append(f"{path.relative_to(SOURCE)} imports {name}")
    assert foreign == []


def test_importing_warmline_loads_no_third_party_module_but_pymongo_and_bson(tmp_path: Path) -> None:
    # PyMongo itself loads some packages if they happen to be installed, so there is nothing else here to be found.
    for package in (pymongo, bson, warmline):
        folder = Path(package.__path__[0])
        (tmp_path / folder.name).symlink_to(folder)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import warmline; print(*sys.modules)"
    command = [sys.executable, "-S", "-X", "importtime", "-c", script]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, env=LAMBDA).stdout.split()
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - sys.stdlib_module_names - {"__main__"} == {"warmline", "pymongo", "bson"}


def test_importing_warmline_loads_no_room_but_the_runtime() -> None:
    script = f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); import warmline; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, env=LAMBDA).stdout.split()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("warmline.")}
    assert rooms == {"runtime"}


def test_off_lambda_pymongo_waits_until_somebody_asks_for_it() -> None:
    script = f"""
import sys; sys.path.insert(0, {str(SOURCE.parent)!r})
import warmline
print("pymongo" in sys.modules)
warmline.connect
print("pymongo" in sys.modules, warmline.connect is sys.modules["warmline.runtime.client"].connect)
"""
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert output == "False\nTrue True\n"


def test_every_public_name_is_there() -> None:
    for name in warmline.__all__:
        assert getattr(warmline, name).__module__.startswith("warmline.runtime.")
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        warmline.conect  # noqa: B018


def test_the_public_names_are_these() -> None:
    assert warmline.__all__ == sorted(warmline.__all__)
    assert set(warmline.__all__) == {
        "ConfigurationError",
        "InvalidOptionError",
        "InvocationMetrics",
        "InvalidURIError",
        "MissingURIError",
        "SrvMaxHostsError",
        "UnknownOptionError",
        "UnreadableSecretError",
        "UnsupportedHandlerError",
        "UnusableSecretError",
        "WarmlineError",
        "connect",
        "connect_async",
        "event_loop",
        "handler",
        "invocation",
        "on_metrics",
    }


@pytest.mark.parametrize("path", modules("."), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_short_enough_to_read_in_one_go(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
