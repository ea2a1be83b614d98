from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pymongo.common
import pytest

from warmline.runtime.lean import LeanImport

# PyMongo 4.13 does not import the module, newer ones do.
takes_it = pytest.mark.skipif(
    not hasattr(pymongo.common, "requires"), reason="this PyMongo does not take anything of it"
)

LAMBDA = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}


def run(program: str, variables: dict[str, str]) -> Any:
    """
    Run a program in a new process and return what it prints as JSON.
    """
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    # Without site-packages' own start-up code, which may have imported what this is about.
    command = [sys.executable, "-S", "-c", f"import json, sys, gc\n{program}"]
    return json.loads(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)


IS_LOADED = "from warmline import connect; print(json.dumps('importlib.metadata' in sys.modules))"


def test_at_a_cold_start_what_pymongo_does_not_use_is_not_loaded() -> None:
    assert run(IS_LOADED, LAMBDA) is False


@takes_it
def test_elsewhere_it_is() -> None:
    assert run(IS_LOADED, {}) is True


@pytest.mark.parametrize(
    "ask",
    [
        "import importlib.metadata; answer = importlib.metadata.version('pymongo')",
        "from importlib.metadata import version; answer = version('pymongo')",
        pytest.param("from pymongo.common import version; answer = version('pymongo')", marks=takes_it),
        pytest.param(
            "from pymongo.common import requires; requires('pymongo'); answer = pymongo.version", marks=takes_it
        ),
        pytest.param(
            "from pymongo.common import check_for_min_version as check; check('dnspython'); answer = pymongo.version",
            marks=takes_it,
        ),
    ],
)
def test_and_later_it_is_there_for_pymongo_and_for_all_others(ask: str) -> None:
    program = f"import warmline, pymongo\n{ask}\nprint(json.dumps([answer, pymongo.version]))"
    answer, version = run(program, LAMBDA)
    assert answer == version


def test_garbage_is_collected_as_before_and_what_was_imported_is_looked_through_no_more() -> None:
    program = "{}; import warmline; print(json.dumps([gc.isenabled(), gc.get_freeze_count() > 10_000]))"
    assert run(program.format("gc.enable()"), LAMBDA) == [True, True]
    assert run(program.format("gc.disable()"), LAMBDA)[0] is False
    assert run(program.format("gc.enable()"), {}) == [True, False]


def test_where_pymongo_is_there_already_nothing_is_done() -> None:
    program = "import pymongo; import warmline; print(json.dumps([gc.isenabled(), gc.get_freeze_count()]))"
    assert run(program, LAMBDA) == [True, 0]


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch, on_lambda: None) -> Iterator[None]:
    """
    A process in which neither PyMongo nor the module has been imported, and nothing is frozen for good.
    """
    monkeypatch.setattr(gc, "freeze", lambda: None)
    real = importlib.import_module("importlib.metadata")
    monkeypatch.delitem(sys.modules, "pymongo")
    monkeypatch.delitem(sys.modules, "importlib.metadata")
    yield
    sys.modules["importlib.metadata"] = real
    vars(importlib)["metadata"] = real


@pytest.mark.usefixtures("lean")
def test_whatever_else_is_wanted_of_the_module_in_the_meantime_is_the_modules() -> None:
    with LeanImport():
        from importlib.metadata import requires, version

        assert not hasattr(sys.modules["importlib.metadata"], "__path__")
        from importlib.metadata import PackageNotFoundError, entry_points

        assert entry_points(group="console_scripts")
        assert importlib.metadata.entry_points is entry_points
        with pytest.raises(PackageNotFoundError):
            version("there-is-no-such-package")
        assert version("pymongo")
        assert requires("pymongo")
    assert sys.modules["importlib.metadata"].__file__ is not None


@pytest.mark.usefixtures("lean")
def test_an_import_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(ModuleNotFoundError), LeanImport():
        importlib.import_module("there_is_no_such_module")
    assert "importlib.metadata" not in sys.modules
    assert gc.isenabled()
