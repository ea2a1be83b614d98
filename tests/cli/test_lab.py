from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import warmline
from warmline.cli import main
from warmline.cli.app import app

RUN = CliRunner()


def test_it_lists_the_experiments() -> None:
    result = RUN.invoke(app, ["lab", "list"])
    assert result.exit_code == 0
    assert "reuse-client" in result.stdout


def test_it_tells_its_version() -> None:
    assert RUN.invoke(app, ["--version"]).stdout == f"warmline {warmline.__version__}\n"


def test_help_shows_examples() -> None:
    assert "warmline lab run reuse-client --environments 300" in RUN.invoke(app, ["lab", "run", "--help"]).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "there is no experiment 'nonsense': `warmline lab list` shows them"),
        (["reuse-client", "--environments", "0"], "--environments"),
        (["reuse-client", "--start", "docker"], "--start"),
        (["reuse-client", "--mongod", "/nowhere/mongod"], "/nowhere/mongod"),
        (["reuse-client", "--html", "/proc/page.html"], "can't write /proc/page.html"),
        (["reuse-client", "--json", "."], "can't write ."),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    result = RUN.invoke(app, ["lab", "run", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_checking_that_a_file_can_be_written_leaves_none_behind(tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    assert RUN.invoke(app, ["lab", "run", "reuse-client", "--html", str(page), "--mongod", "/nowhere"]).exit_code == 2
    assert not page.exists()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "warmline.cli.app")
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "pip install 'warmline[all]'" in capsys.readouterr().err
    monkeypatch.undo()
    importlib.import_module("warmline.cli.app")
