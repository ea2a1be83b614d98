from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import warmline
from warmline.cli import main
from warmline.cli.app import app

RUN = CliRunner()

AWS = ["--target", "aws", "--function", "app", "--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9"]

OWN = ["--function", "app.lambda_handler", "--code", str(Path(__file__).resolve().parents[2] / "examples" / "orders")]


def test_it_lists_the_experiments() -> None:
    result = RUN.invoke(app, ["lab", "list"])
    assert result.exit_code == 0
    assert "reuse-client" in result.stdout


def test_the_list_shows_whose_cost_an_experiment_measures_and_how_long_it_takes() -> None:
    lines = RUN.invoke(app, ["lab", "list"], env={"COLUMNS": "200"}).stdout.splitlines()
    (row,) = [line for line in lines if line.startswith("storm ")]
    assert re.search(r"retry-politely +\d+ (s|min)$", row.rstrip())


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
        (["reuse-client", "--csv", "/proc/values.csv"], "can't write /proc/values.csv"),
        (["reuse-client", "--json", "-", "--csv", "-"], "only one of --json and --csv can go to standard output"),
        ([], "name an experiment, `warmline lab list` shows them, your own function with --function, or a --scenario"),
        (["reuse-client", "--function", "app.handler"], "are three things to run: name one of them"),
        (["--scenario", "nowhere.toml"], "can't read nowhere.toml"),
        (["--scenario", "nowhere.toml", "--environments", "3"], "--environments is for --function"),
        (["--scenario", "nowhere.toml", *OWN], "are three things to run: name one of them"),
        (["reuse-client", "--load", "burst:2"], "--load is for --function: an experiment and a scenario say that"),
        ([*OWN, "--load", "constant:20"], "write constant:20/s for 30s"),
        ([*OWN, "--env", "SECRET"], "--env takes NAME=VALUE"),
        ([*OWN, "--event", "nowhere.json"], "can't read the event from nowhere.json"),
        ([*OWN, "--tier", "M11"], "M11"),
        ([*OWN, "--members", "2"], "1, 3, 5 or 7 members"),
        ([*OWN, "--mongod", "/nowhere/mongod"], "/nowhere/mongod"),
        (["--function", "app.lambda_handler", "--code", "nowhere"], "nowhere"),
        ([*OWN, "--target", "aws"], "--code is for what runs here, not for --target aws"),
        ([*OWN, "--region", "eu-west-1"], "--region is for --target aws"),
        (["--target", "aws"], "--target aws takes --function NAME, or an experiment with a --variant"),
        (["storm", "--target", "aws"], "storm can't be run against Lambda: only reuse-client needs nothing but"),
        (["reuse-client", "--target", "aws"], "--variant NAME=FUNCTION with per-invocation, documented, warmline"),
        (["reuse-client", "--target", "aws", "--variant", "mine=f"], "the name one of per-invocation, documented,"),
        ([*AWS, "--load", "burst"], "write burst:200"),
        (AWS, "app can't be invoked: Could not connect to the endpoint URL"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    result = RUN.invoke(app, ["lab", "run", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_function_of_ones_own_is_reported_like_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os\nfrom warmline import connect, handler\n"
        "client = connect(os.environ['DATABASE'])\n"
        "@handler\ndef lambda_handler(event, context):\n"
        "    return client['shop']['orders'].count_documents(event)\n"
    )
    (tmp_path / "event.json").write_text('{"total": 7}')
    arguments = ["--function", "app.lambda_handler", "--code", str(tmp_path), "--event", str(tmp_path / "event.json")]
    arguments += [
        "--env",
        "DATABASE={uri}",
        "--concurrency",
        "2",
        "--load",
        "burst:2",
        "--load",
        "constant:20/s for 1s",
    ]
    arguments += ["--members", "1", "--timeout", "30", "--html", str(tmp_path / "page.html"), "--json", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "warmline.cli", "lab", "run", *arguments], capture_output=True, text=True, check=True
    )
    document = json.loads(done.stdout)
    metrics = document["variants"]["app"]
    assert metrics["invocations"] == 22
    assert metrics["failed_invocations"] == 0
    assert document["parameters"]["load"] == "burst:2 + constant:20/s for 1s"
    assert document["command"].startswith("warmline lab run --function app.lambda_handler")
    assert "app answered" in (tmp_path / "page.html").read_text()


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
