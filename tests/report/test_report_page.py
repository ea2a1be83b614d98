from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from warmline.lab.experiments.result import ExperimentResult, Metric
from warmline.report.page import to_page

from .results import LABELS, METRICS, reuse_client

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """
    What a page's text holds: its elements, checked for being closed in order, and its words.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture(scope="module")
def text() -> str:
    return to_page(reuse_client())


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_has_a_language_a_title_and_one_main_heading(page: Page) -> None:
    assert page.tags("html") == [{"lang": "en"}]
    assert "One client, or many - warmline lab" in page.texts
    assert len(page.tags("h1")) == 1


def test_the_page_holds_question_answer_notes_and_command(page: Page) -> None:
    result = reuse_client()
    for expected in (result.question, result.answer, *result.notes, result.command):
        assert expected in page.texts


def test_every_metric_ratio_and_setting_is_on_the_page(page: Page) -> None:
    for metric in METRICS:
        assert metric.label in page.texts
    for expected in (
        "56.0\N{MULTIPLICATION SIGN}",
        "4,480",
        "Machine",
        "x86_64",
        "Versions",
        "4.20.0",
        "rounds",
        "zygote",
    ):
        assert expected in page.texts


def test_the_page_needs_nothing_from_outside(text: str, page: Page) -> None:
    assert "://" not in text
    assert "@import" not in text
    assert {"script", "link", "iframe", "img", "object", "metadata"}.isdisjoint(tag for tag, _ in page.elements)
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert (attributes.get(name) or "#").startswith("#")
    assert set(re.findall(r"url\((.)", text)) == {"#"}


def test_ids_are_unique_and_what_refers_to_one_finds_it(text: str, page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    references = re.findall(r"url\(#([^)]+)\)", text) + re.findall(r'(?:href="#|labelledby=")([^"]+)"', text)
    assert set(references) <= set(ids)


def test_charts_name_their_axes_and_lines(page: Page) -> None:
    for expected in (
        "open connections",
        "seconds since the variant's start",
        "milliseconds until the answer (log scale)",
        "primary",
        "secondary 1",
        "secondary 2",
        "burst",
        "scale-in",
    ):
        assert expected in page.texts


def test_every_chart_is_an_image_with_a_description_in_a_figure_with_a_caption(page: Page) -> None:
    charts = page.tags("svg")
    assert len(charts) == 8
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert len(page.tags("figure")) == len(page.tags("figcaption")) == 5


def test_tables_have_captions_and_header_cells_with_a_scope(page: Page) -> None:
    assert len(page.tags("table")) == len(page.tags("caption"))
    assert {cell.get("scope") for cell in page.tags("th")} == {"row", "col"}


def test_what_scrolls_sideways_can_be_reached_by_keyboard(page: Page) -> None:
    reachable = [attributes for _, attributes in page.elements if attributes.get("tabindex") == "0"]
    assert [attributes.get("class") for attributes in reachable] == ["scroll", None]


def test_the_page_follows_light_dark_and_print(text: str) -> None:
    for expected in ("@media (prefers-color-scheme: dark)", "@media print", 'content="light dark"'):
        assert expected in text


@pytest.mark.parametrize("place", ["label", "title", "answer", "node", "event", "note", "command"])
def test_text_from_a_result_is_never_markup(place: str) -> None:
    hostile = "<script>alert(1)</script>"
    result = reuse_client()
    first = result.connections[0]
    hostiles = {
        "label": replace(result, variant_labels={**LABELS, "warmline": hostile}),
        "title": replace(result, title=hostile),
        "answer": replace(result, answer=hostile),
        "node": replace(result, connections=(replace(first, node=hostile),)),
        "event": replace(result, events={"warmline": (replace(result.events["warmline"][0], label=hostile),)}),
        "note": replace(result, notes=(hostile,)),
        "command": replace(result, command=hostile),
    }
    text = to_page(hostiles[place])
    assert "<script" not in text
    assert any(hostile in found for found in Page(text).texts)


def test_a_quote_in_a_label_does_not_end_an_attribute() -> None:
    label = 'warmline" onload="alert(1)'
    page = Page(to_page(reuse_client({**LABELS, "warmline": label})))
    assert label in page.texts
    assert all("onload" not in attributes for _, attributes in page.elements)


def test_a_dollar_sign_is_no_formula() -> None:
    assert "costs $1, not $2" in Page(to_page(reuse_client({**LABELS, "warmline": "costs $1, not $2"}))).texts


def test_the_same_result_gives_the_same_page(text: str) -> None:
    assert to_page(reuse_client()) == text


def test_the_page_stays_small(text: str) -> None:
    assert len(text.encode()) < 500_000


def test_the_first_metrics_are_bars_as_long_as_their_share_of_the_longest(text: str) -> None:
    assert [float(share) for share in re.findall(r'style="width: ([\d.]+)%"', text)[:3]] == [100.0, 25.2, 25.2]


GROUPED = (
    Metric("worst_ms", "worst (ms)", 1),
    Metric("first_ms_reset", "connections reset", 1, "First operation (ms)"),
    Metric("outcome_reset", "connections reset", 0, "Outcome", ("ok", "error in time")),
)


def grouped() -> ExperimentResult:
    values = {"worst_ms": 7.5, "first_ms_reset": 7.5, "outcome_reset": 1}
    return replace(reuse_client(), metrics=GROUPED, variants=dict.fromkeys(LABELS, values))


def test_metrics_of_a_group_are_a_table_with_its_name_and_no_bars() -> None:
    text = to_page(grouped())
    page = Page(text)
    assert [page.texts.count(group) for group in ("First operation (ms)", "Outcome")] == [1, 1]
    assert len(re.findall('<table class="figures">', text)) == 3
    assert len(re.findall('<div class="card">', text)) == 1


def test_a_value_that_is_no_quantity_is_a_word() -> None:
    assert Page(to_page(grouped())).texts.count("error in time") == len(LABELS)


@pytest.mark.parametrize(
    ("result", "heading"),
    [
        (replace(reuse_client(), latencies=()), "What the callers waited"),
        (replace(reuse_client(), connections=(), environments=()), "Over time"),
        (reuse_client(samples=0), "Over time"),
        (replace(reuse_client(), notes=()), "What this run can't show"),
    ],
    ids=["no latencies", "no series", "empty series", "no notes"],
)
def test_a_page_leaves_out_a_section_that_has_nothing_in_it(result: ExperimentResult, heading: str) -> None:
    assert heading in Page(to_page(reuse_client())).texts
    assert heading not in Page(to_page(result)).texts


def of_one_variant(result: ExperimentResult) -> ExperimentResult:
    return replace(
        result, variants={"warmline": result.variants["warmline"]}, connections=result.connections[-3:], ratios={}
    )


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (reuse_client(samples=1), "At most 0 on the primary, 0 at the end."),
        (of_one_variant(reuse_client()), "At most 40 on the primary, 0 at the end."),
        (replace(reuse_client(), events={}), "At most 40 on the primary, 0 at the end."),
        (replace(reuse_client(), variants={name: {} for name in LABELS}), "\N{EN DASH}"),
        (
            replace(
                reuse_client(),
                connections=tuple(
                    replace(series, counts=(0,) * len(series.counts)) for series in reuse_client().connections
                ),
            ),
            "At most 0 on the primary, 0 at the end.",
        ),
    ],
    ids=[
        "one sample",
        "a single variant",
        "no events",
        "no values",
        "zero counts",
    ],
)
def test_a_page_says_what_is_missing(result: ExperimentResult, says: str) -> None:
    assert says in Page(to_page(result)).texts


def test_a_metric_that_only_one_of_several_variants_has_is_in_the_table_alone() -> None:
    values = {"warmline": {"errors": 3, "warm_ms_p50": 1}, "documented": {"errors": 6}, "per-invocation": {}}
    metrics = (Metric("errors", "failed"), Metric("warm_ms_p50", "warm"), Metric("cold_ms_p50", "cold"))
    text = to_page(replace(reuse_client(), variants=values, metrics=metrics))
    assert re.findall(r'style="width: ([\d.]+)%"', text) == ["50.0", "100.0", "0.0"]
    assert text.count('<div class="card">') == 1
    assert '<th scope="row">warm</th>' in text


def test_an_option_keeps_its_name_where_a_heading_begins_with_it() -> None:
    metrics = (Metric("errors", "maxIdleTimeMS lost"), Metric("warm_ms_p50", "warm, median (ms)"))
    texts = Page(to_page(replace(reuse_client(), metrics=metrics))).texts
    assert "maxIdleTimeMS lost" in texts
    assert "Warm, median (ms)" in texts


def test_many_variants_of_few_metrics_are_rows_so_that_the_table_fits() -> None:
    labels = {f"v{number}": f"variant {number}" for number in range(8)}
    result = replace(
        reuse_client(), variants={name: {"errors": 1} for name in labels}, variant_labels=labels, metrics=METRICS[-2:]
    )
    text = to_page(result)
    assert '<th scope="col">warm invocation, p99 (ms)</th>' in text
    assert '<th scope="row">variant 7</th>' in text


def test_metrics_outside_of_groups_are_one_table_wherever_they_stand() -> None:
    metrics = (Metric("errors", "failed"), Metric("a", "a", 0, "Group"), Metric("warm_ms_p50", "warm"))
    assert len(re.findall('<table class="figures">', to_page(replace(reuse_client(), metrics=metrics)))) == 2
