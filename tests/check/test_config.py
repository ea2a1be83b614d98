from __future__ import annotations

from pathlib import Path

import pytest

from warmline.check.config import Config, ConfigError, load_config, rule_ids
from warmline.check.finding import Confidence, Severity
from warmline.check.rules import RULES


def loaded(folder: Path, text: str, name: str = "warmline.toml") -> Config:
    (folder / name).write_text(text)
    return load_config(folder)


ALL_SETTINGS = """
select = ["WL101", "memory-default"]
ignore = ["WL192"]
exclude = ["legacy/"]
min-confidence = "high"
min-severity = "warning"
[per-file-ignores]
"tests/**" = ["WL101"]
[severity]
WL101 = "info"
"""


def test_all_settings_are_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    config = loaded(tmp_path, ALL_SETTINGS)
    assert config.select == ("WL101", "WL191")
    assert config.ignore == ("WL192",)
    assert config.severity == {"WL101": Severity.INFO}
    assert config.min_confidence is Confidence.HIGH
    assert config.min_severity is Severity.WARNING
    assert config.exclude.match(str(tmp_path / "legacy"), folder=True)
    assert config.ignored_in("tests/unit/test_app.py", "WL101")
    assert not config.ignored_in("src/app.py", "WL101")


def test_pyproject_has_a_table_for_it_that_holds_in_folders_below(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    loaded(tmp_path, '[tool.warmline]\nper-file-ignores = {"service/old.py" = ["WL101"]}\n', "pyproject.toml")
    config = load_config(tmp_path / "service")
    assert config.ignored_in("old.py", "WL101")
    assert not config.ignored_in("new.py", "WL101")


def test_a_project_without_settings_runs_the_default_rules(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[tool.other]\n", "pyproject.toml")
    assert config.rules() == tuple(rule for rule in RULES if rule.default)


def test_selecting_replaces_and_ignoring_takes_away() -> None:
    assert [rule.id for rule in Config(select=("WL101",)).rules()] == ["WL101"]
    assert Config(select=("WL101",), ignore=("WL101",)).rules() == ()
    assert Config(select=rule_ids(["ALL"], where="")).rules() == RULES
    assert [rule.id for rule in Config(select=rule_ids(["WL19"], where="")).rules()] == ["WL191", "WL192"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", r"warmline\.toml: there is no setting 'selct'; did you mean 'select'\?"),
        (
            'select = ["memory-defualt"]',
            r"select: there is no rule 'memory-defualt'; did you mean 'memory-default'\?; `warmline rule` lists them",
        ),
        ('ignore = "WL101"', r"ignore must be a list, and is 'WL101'"),
        ("ignore = [101]", r"ignore must be a list of texts"),
        ('min-confidence = "sure"', r"min-confidence: 'sure' is none of low, medium, high"),
        ('[severity]\nWL101 = "fatal"', r"severity: 'fatal' is none of info, warning, error"),
        ("select = [", r"warmline\.toml: "),
    ],
)
def test_a_setting_that_can_not_be_understood_is_an_error_with_the_nearest_name(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, text)
