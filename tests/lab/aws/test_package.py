from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warmline.lab.aws.package import make_package
from warmline.lab.errors import UnusableFunction


def test_a_program_finds_what_is_in_the_package_and_nothing_beside_it(tmp_path: Path) -> None:
    package = make_package(tmp_path / "package", ["bson", "six"])
    program = f"import sys; sys.path.insert(0, {str(package)!r}); import bson, six; import pymongo"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True, text=True)
    assert "No module named 'pymongo'" in done.stderr


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableFunction, match="there_is_no_such_module, which is not installed"):
        make_package(tmp_path / "package", ["there_is_no_such_module"])
