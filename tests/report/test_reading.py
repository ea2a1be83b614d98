from __future__ import annotations

import json
from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import pytest

from warmline.lab.experiments.result import Metric
from warmline.report.document import to_document, to_json
from warmline.report.reading import UnreadableResult, read_result

from .results import reuse_client


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_result_comes_back_from_its_json(tmp_path: Path) -> None:
    words = Metric("outcome", "outcome", 0, "Outcomes", ("ok", "error"))
    result = reuse_client()
    result = replace(
        result,
        metrics=(*result.metrics, words),
        date="2026-11-25T04:00:00Z",
        seconds=61.5,
        connections=tuple(replace(series, limit=1500) for series in result.connections),
    )
    again = read_result(written(tmp_path / "a.json", to_json(result)))
    assert to_document(again) == to_document(result)
    assert again.metrics == result.metrics


def test_what_was_no_number_is_none_again(tmp_path: Path) -> None:
    result = replace(reuse_client(), variants={"warmline": {"warm_ms_p50": nan}})
    again = read_result(written(tmp_path / "a.json", to_json(result)))
    assert isnan(again.variants["warmline"]["warm_ms_p50"])


def without(key: str) -> str:
    document = to_document(reuse_client())
    del document[key]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("\x00\xff", "is not JSON"),
        ("[]", "has another form"),
        ("null", "has another form"),
        ('{"experiment": 1}', "has another form"),
        ("{}", "it lacks 'experiment'"),
        (without("metrics"), "it lacks 'metrics'"),
    ],
)
def test_another_file_is_one_line_with_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableResult, match=says) as caught:
        read_result(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert "--json" in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere.json", "."])
def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnreadableResult, match="can't read"):
        read_result(tmp_path / path)


def changed(**values: Any) -> str:
    return json.dumps({**to_document(reuse_client()), **values})


@pytest.mark.parametrize(
    "values",
    [
        {"variants": {"warmline": {"errors": "none"}}},
        {"metrics": [{"name": "a"}]},
        {"metrics": None},
        {"seconds": "long"},
        {"events": {"warmline": [{"seconds": 1}]}},
        {"title": None},
    ],
)
def test_a_document_that_is_damaged_inside_is_one_line_too(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(UnreadableResult, match="is no result of an experiment"):
        read_result(written(tmp_path / "a.json", changed(**values)))
