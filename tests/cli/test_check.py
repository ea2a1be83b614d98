from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from warmline.check.rules import RULES
from warmline.cli.app import app
from warmline.facts.figures import measured

BAD = """from pymongo import MongoClient

def lambda_handler(event, context):
    client = MongoClient("mongodb://db.example.com/?maxIdleTimeMS=60000")
    return client.shop.orders.find_one()
"""

GOOD = """from pymongo import MongoClient

client = MongoClient("mongodb://db.example.com/?maxIdleTimeMS=60000")

def lambda_handler(event, context):
    return client.shop.orders.find_one()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], input=given)


def test_nothing_found_is_0_and_a_finding_is_1(folder: Path) -> None:
    (folder / "app.py").write_text(GOOD)
    result = run()
    assert (result.exit_code, result.output) == (0, "No findings in 1 file.\n")
    (folder / "app.py").write_text(BAD)
    result = run("--select", "WL101")
    assert result.exit_code == 1
    assert result.output.startswith("app.py:4:14: WL101 MongoClient constructs a client in every invocation")
    assert run("--select", "WL101", "--exit-zero").exit_code == 0


def test_a_file_that_can_not_be_read_is_named_and_2_only_if_nothing_else_was_checked(folder: Path) -> None:
    (folder / "latin.py").write_bytes(GOOD.encode() + b"# caf\xe9")
    result = run("latin.py")
    assert result.exit_code == 2
    assert "warmline: latin.py: not UTF-8: byte 0xe9 in line 7\n" in result.stderr
    (folder / "app.py").write_text(GOOD)
    result = run("latin.py", "gone.py", "app.py")
    assert (result.exit_code, result.stdout) == (0, "No findings in 1 file.\n")
    assert "warmline: gone.py: No such file or directory\n" in result.stderr


def test_rules_are_selected_and_ignored_by_id_or_name_with_commas_or_again(folder: Path) -> None:
    (folder / "app.py").write_text(BAD)
    assert run("--select", "client-per-invocation").exit_code == 1
    assert run("--select", "WL191,WL192").exit_code == 0
    assert run("--select", "WL101", "--ignore", "WL101", "--ignore", "WL191").exit_code == 0


def test_a_rule_that_is_not_there_is_an_error_with_the_nearest_name() -> None:
    result = run("--select", "client-per-invocatoin")
    assert result.exit_code == 2
    assert "did you mean 'client-per-invocation'?; `warmline rule` lists them" in result.output


def test_a_wrong_setting_is_an_error_before_anything_is_checked(folder: Path) -> None:
    (folder / "warmline.toml").write_text("excude = []")
    result = run()
    assert result.exit_code == 2
    assert "did you mean 'exclude'?" in result.output


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_report_goes_to_a_file(folder: Path, form: str) -> None:
    (folder / "app.py").write_text(BAD)
    result = run("--format", form, "--output", "report", "--select", "WL101")
    assert (result.exit_code, result.output) == (1, "")
    assert "WL101" in json.dumps(json.loads((folder / "report").read_text()))


def test_a_file_that_can_not_be_written_is_an_error(folder: Path) -> None:
    result = run("--output", "no/such/folder/report")
    assert result.exit_code == 2
    assert "can't write no/such/folder/report: No such file or directory; choose another file" in result.output


def test_standard_input_is_checked_under_the_name_that_is_given() -> None:
    result = run("--select", "WL101", "--stdin-filename", "src/app.py", "-", given=BAD)
    assert result.exit_code == 1
    assert result.output.startswith("src/app.py:4:14: WL101")
    result = run("-", given=BAD)
    assert result.exit_code == 2
    assert "--stdin-filename" in result.output


def test_comments_do_not_count_in_an_audit(folder: Path) -> None:
    (folder / "app.py").write_text(BAD.replace('60000")', '60000")  # warmline: ignore[WL101] a test'))
    result = run("--select", "WL101")
    assert (result.exit_code, result.output) == (0, "No findings in 1 file; 1 ignored.\n")
    assert run("--select", "WL101", "--no-ignore").exit_code == 1


def test_a_baseline_hides_what_it_has_and_not_what_is_new(folder: Path) -> None:
    (folder / "app.py").write_text(BAD)
    arguments = ("--select", "WL101", "--baseline", "baseline.json")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "can't read the baseline baseline.json: No such file or directory" in result.output
    assert run(*arguments, "--write-baseline").exit_code == 0
    assert run(*arguments).exit_code == 0
    (folder / "new.py").write_text(BAD)
    result = run(*arguments)
    assert result.exit_code == 1
    assert "new.py:4:14" in result.output
    assert "app.py:4:14" not in result.output


def test_a_baseline_shrinks_by_itself_and_fails_once_when_it_does(folder: Path) -> None:
    (folder / "app.py").write_text(BAD)
    arguments = ("--select", "WL101", "--baseline", "baseline.json")
    run(*arguments, "--write-baseline")
    (folder / "app.py").write_text(GOOD)
    result = run(*arguments)
    assert result.exit_code == 1
    assert (
        "warmline: app.py: the baseline has 1 of WL101, and there are 0; the baseline was shrunk, commit it"
        in result.output
    )
    assert json.loads((folder / "baseline.json").read_text())["files"] == {}
    assert run(*arguments).exit_code == 0


def test_a_fix_is_shown_or_done(folder: Path) -> None:
    (folder / "app.py").write_text(BAD)
    shown = run("--select", "WL101", "--fix", "--diff")
    assert shown.exit_code == 1
    assert "+client = MongoClient(" in shown.output
    assert (folder / "app.py").read_text() == BAD
    done = run("--select", "WL101", "--fix")
    assert done.exit_code == 0
    assert (folder / "app.py").read_text() != BAD
    assert "No findings in 1 file." in done.output


def test_help_shows_examples_and_exit_codes() -> None:
    output = run("--help").output
    assert "warmline check --format sarif --output warmline.sarif" in output
    assert "2 nothing could be checked" in output


def test_the_rules_are_listed_and_explained() -> None:
    listed = CliRunner().invoke(app, ["rule"]).output
    assert all(rule.id in listed and rule.name in listed for rule in RULES)
    for name in ("WL101", "wl101", "client-per-invocation"):
        explained = CliRunner().invoke(app, ["rule", name])
        assert explained.exit_code == 0
        assert "practice reuse-client" in explained.output
        assert "warmline: ignore[WL101] reason" in explained.output
    wrong = CliRunner().invoke(app, ["rule", "client-per-invocaton"])
    assert wrong.exit_code == 2
    assert "did you mean 'client-per-invocation'?" in wrong.output


def test_a_check_loads_neither_the_driver_nor_the_lab_nor_grammars_that_it_does_not_need(folder: Path) -> None:
    (folder / "app.py").write_text(BAD)
    script = """
import sys
sys.argv = ["warmline", "check", "app.py"]
from warmline.cli import main
try:
    main()
except SystemExit:
    print(*sys.modules)
"""
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in output.splitlines()[-1].split()}
    assert "tree_sitter_python" in loaded
    assert loaded.isdisjoint(
        {
            "typer",
            "pydantic",
            "multiprocessing",
            "pymongo",
            "bson",
            "rich",
            "matplotlib",
            "jinja2",
            "asyncio",
            "tree_sitter_c_sharp",
        }
    )


def test_a_rule_tells_what_breaking_its_practice_was_measured_to_cost() -> None:
    explained = CliRunner().invoke(app, ["rule", "WL101"]).output
    run = measured("reuse-client")
    assert run is not None
    assert f"Measured: {run.answer} (experiment reuse-client; {run.where})" in explained
    assert "Measured:" not in CliRunner().invoke(app, ["rule", "WL001"]).output
