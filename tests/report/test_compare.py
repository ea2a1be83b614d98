from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from warmline.cli.app import app
from warmline.lab.experiments.result import ExperimentResult, Metric
from warmline.report.compare import Compared, Difference, NotComparable, compare
from warmline.report.compare_text import MARK, print_comparison
from warmline.report.document import to_json
from warmline.report.page import to_comparison_page
from warmline.report.wording import MISSING, TIMES

from .results import reuse_client
from .test_report_page import Page


def with_values(variants: Mapping[str, Mapping[str, float]], **values: Any) -> ExperimentResult:
    return replace(reuse_client(), variants=variants, **values)


def compared(one: float, other: float, metric: str = "warm_ms_p50", **options: Any) -> Compared:
    comparison = compare(
        with_values({"warmline": {metric: one}}), with_values({"warmline": {metric: other}}), **options
    )
    found = {metric.label: value for metric in comparison.metrics for value in metric.values}
    (label,) = [each.label for each in reuse_client().metrics if each.name == metric]
    return found[label]


@pytest.mark.parametrize(
    ("one", "other", "ratio", "differs"),
    [
        (10.0, 10.0, f"1.00{TIMES}", False),
        (10.0, 11.9, f"1.19{TIMES}", False),
        (10.0, 12.1, f"1.21{TIMES}", True),
        (12.1, 10.0, f"0.83{TIMES}", True),
        (0.0, 0.0, MISSING, False),
        (0.0, 3.0, MISSING, True),
        (3.0, 0.0, f"0{TIMES}", True),
        (nan, nan, MISSING, False),
        (nan, 3.0, MISSING, True),
        (-1.0, 1.0, f"-1.00{TIMES}", True),
    ],
)
def test_a_value_is_marked_if_it_differs_by_more_than_the_threshold(
    one: float, other: float, ratio: str, differs: bool
) -> None:
    value = compared(one, other)
    assert (value.ratio, value.differs) == (ratio, differs)


def test_the_threshold_can_be_chosen() -> None:
    assert compared(10.0, 10.6, threshold_percent=5).differs
    assert not compared(10.0, 30.0, threshold_percent=500).differs


def test_words_differ_or_are_the_same() -> None:
    metric = Metric("outcome", "outcome", 0, "", ("ok", "error"))
    one = with_values({"a": {"outcome": 0}, "b": {"outcome": 1}}, metrics=(metric,))
    other = with_values({"a": {"outcome": 1}, "b": {"outcome": 1}}, metrics=(metric,))
    assert [
        (value.first, value.second, value.ratio, value.differs) for value in compare(one, other).metrics[0].values
    ] == [
        ("ok", "error", "", True),
        ("error", "error", "", False),
    ]


def test_machine_versions_and_parameters_that_differ_are_named() -> None:
    one = reuse_client()
    other = replace(
        one,
        machine={**one.machine, "cores": 8},
        versions={**one.versions, "pymongo": "4.13.0"},
        parameters={**one.parameters, "idle_seconds": 9.0, "tier": "M10"},
    )
    assert compare(one, other).differences == (
        Difference("cores", "2", "8"),
        Difference("pymongo", "4.20.0", "4.13.0"),
        Difference("idle seconds", "3.0", "9.0"),
        Difference("tier", "not told", "M10"),
    )
    assert compare(one, one).differences == ()


def test_a_variant_and_a_metric_of_one_run_only_have_a_dash_in_the_other() -> None:
    extra = Metric("hosts", "hosts known")
    one = with_values({"warmline": {"errors": 0}})
    other = with_values(
        {"warmline": {"errors": 0}, "new": {"errors": 1, "hosts": 3}}, metrics=(*one.metrics, extra), variant_labels={}
    )
    comparison = compare(one, other)
    assert comparison.metrics[-1].label == "hosts known"
    assert comparison.metrics[-1].values[-1] == Compared("new", MISSING, "3", MISSING, True)


def test_runs_of_two_experiments_do_not_compare() -> None:
    with pytest.raises(NotComparable, match="one is a run of reuse-client, the other of storm"):
        compare(reuse_client(), replace(reuse_client(), experiment="storm"))


def other_run() -> ExperimentResult:
    run = reuse_client()
    slower = {**run.variants["warmline"], "warm_ms_p50": 6.4}
    return replace(run, variants={**run.variants, "warmline": slower}, machine={**run.machine, "cores": 8})


def test_the_terminal_shows_the_differences_first_and_a_mark_without_colour() -> None:
    out = io.StringIO()
    print_comparison(compare(reuse_client(), other_run()), ("before", "after"), Console(file=out, width=100))
    text = out.getvalue()
    assert text.index("cores") < text.index("warm invocation, median (ms)")
    (marked,) = [line for line in text.splitlines() if line.endswith(MARK)]
    assert marked.split() == ["warmline", "3.2", "6.4", f"1.99{TIMES}", MARK]
    assert f"{MARK} 1 of 27 values differ by more than 20 %." in text


def test_the_page_holds_both_runs_and_needs_nothing_from_outside() -> None:
    text = to_comparison_page(compare(reuse_client(), other_run()), ("<b>before", "after"))
    page = Page(text)
    assert "://" not in text
    assert "<b>before" in page.texts
    assert f"1.99{TIMES}" in page.texts
    assert [attributes for attributes in page.tags("tr") if attributes.get("class") == "differs"] != []
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "img"})


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name, result in (("before", reuse_client()), ("after", other_run())):
        (tmp_path / f"{name}.json").write_text(to_json(result))
    return str(tmp_path / "before.json"), str(tmp_path / "after.json")


def test_the_command_shows_both_and_writes_a_page(files: tuple[str, str], tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    result = CliRunner().invoke(app, ["lab", "compare", *files, "--html", str(page)])
    assert result.exit_code == 0, result.output
    assert "1 of 27 values differ" in result.stdout
    assert f"1.99{TIMES}" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.json"], "can't read nowhere.json"),
        (["Makefile-like.txt"], "is not JSON"),
        (["storm.json"], "one is a run of reuse-client, the other of storm"),
        (["before.json", "--html", "/proc/page.html"], "can't write /proc/page.html"),
    ],
)
def test_what_does_not_compare_is_one_line_and_exit_code_2(
    files: tuple[str, str], arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Makefile-like.txt").write_text("all:")
    Path("storm.json").write_text(to_json(replace(reuse_client(), experiment="storm")))
    result = CliRunner().invoke(app, ["lab", "compare", "before.json", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
