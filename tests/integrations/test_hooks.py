"""
The pre-commit hook and the GitHub Action: what they say is parsed, and the commands in them are run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from warmline.check.infra.readers import READERS
from warmline.check.source.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]

BAD = """from pymongo import MongoClient

def lambda_handler(event, context):
    return MongoClient("mongodb://db.example.com/?maxIdleTimeMS=60000").shop.orders.find_one()
"""


def parsed(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # Where the wheel under test has its command.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "RUNNER_TEMP": str(folder), **variables}
    # As GitHub starts a composite step's shell.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def steps() -> dict[str, Any]:
    return {step["name"]: step for step in parsed("action.yml")["runs"]["steps"]}


@pytest.mark.parametrize("arguments", ["", "--select WL101"])
def test_the_action_writes_sarif_and_then_fails_with_annotations(tmp_path: Path, arguments: str) -> None:
    (tmp_path / "app.py").write_text(BAD)
    output = tmp_path / "output"
    variables = {"PATHS": "app.py", "ARGUMENTS": arguments, "GITHUB_OUTPUT": str(output)}
    checked = run(steps()["Check"]["run"], tmp_path, **variables)
    assert checked.returncode == 0, checked.stderr
    sarif = Path(output.read_text().removeprefix("sarif=").strip())
    (results,) = (each["results"] for each in json.loads(sarif.read_text())["runs"])
    assert "WL101" in {result["ruleId"] for result in results}
    reported = run(steps()["Report"]["run"], tmp_path, **variables)
    assert reported.returncode == 1
    assert "::error file=app.py,line=4,endLine=4,title=warmline WL101" in reported.stdout


def test_the_action_installs_itself_with_what_the_checker_needs() -> None:
    install = steps()["Install"]["run"]
    assert "$GITHUB_ACTION_PATH[check]" in install
    assert subprocess.run(["bash", "-n", "-c", install], check=False).returncode == 0


def test_no_input_of_the_action_is_put_into_a_script() -> None:
    # Whoever opens a pull request would write a part of the script.
    assert [step["name"] for step in steps().values() if "${{" in step.get("run", "")] == []


def test_the_hook_runs_the_command_that_it_names(tmp_path: Path) -> None:
    (hook,) = parsed(".pre-commit-hooks.yaml")
    (tmp_path / "app.py").write_text(BAD)
    done = run(hook["entry"], tmp_path)
    assert done.returncode == 1
    assert "app.py:4:12: WL101" in done.stdout


def test_the_hook_is_called_for_every_kind_of_file_that_is_read() -> None:
    (hook,) = parsed(".pre-commit-hooks.yaml")
    # As the library `identify`, which pre-commit uses, tags files by their suffixes.
    tags = {"cs": "c#", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "py": "python", "rs": "rust"}
    tags |= {"mts": "ts", "cts": "ts", "rb": "ruby", "yml": "yaml", "tf": "terraform", "template": "yaml"}
    suffixes = {suffix for language in LANGUAGES for suffix in language.extensions}
    suffixes |= {suffix for reader in READERS for suffix in reader.suffixes}
    kinds = {tags.get(last, last) for suffix in suffixes if (last := suffix.rpartition(".")[2])}
    assert kinds - {"tfvars", "tofu"} <= set(hook["types_or"])


def test_both_need_no_more_than_the_extra_of_the_checker() -> None:
    (hook,) = parsed(".pre-commit-hooks.yaml")
    assert hook["additional_dependencies"] == [".[check]"]
    assert re.search(r"^check = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
