from __future__ import annotations

from dataclasses import replace

import pytest

from warmline.lab.experiments.result import ConnectionSeries, Event, ExperimentResult, Latencies, StateSeries
from warmline.report.charts import Chart, latency_charts, scale_is_logarithmic, timeline
from warmline.report.charts.environments import _steps
from warmline.report.charts.phases import TimeAxis, lanes, time_axis
from warmline.report.charts.steps import step_points

from .results import VALUES, reuse_client


def charts_of(result: ExperimentResult, title: str) -> list[Chart]:
    return [chart for panel in timeline(result) for chart in panel.charts if chart.title == title]


def connection_charts(result: ExperimentResult) -> list[Chart]:
    return charts_of(result, "Open connections")


def environment_charts(result: ExperimentResult) -> list[Chart]:
    return charts_of(result, "Environments by state")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((), ([], [])),
        ((7,), ([0], [7])),
        ((7, 7, 7), ([0, 2], [7, 7])),
        ((0, 0, 4, 4, 0), ([0, 2, 4], [0, 4, 0])),
    ],
)
def test_a_step_line_keeps_only_the_points_where_it_turns(
    counts: tuple[int, ...], expected: tuple[list[float], list[int]]
) -> None:
    assert step_points(tuple(range(len(counts))), counts) == expected


def test_a_long_noisy_series_is_thinned_but_keeps_its_peak_its_trough_and_its_end() -> None:
    counts = [20 + number % 3 for number in range(20_000)]
    counts[7_777] = 99
    counts[8_888] = 1
    seconds, kept = step_points([number / 10 for number in range(20_000)], counts)
    assert len(kept) < 700
    assert (max(kept), min(kept)) == (99, 1)
    assert seconds == sorted(seconds)
    assert seconds[-1] == 1999.9


def test_labels_of_events_far_apart_stand_in_one_lane() -> None:
    assert lanes([Event(0, "burst"), Event(30, "idle")], TimeAxis(60, 300)) == [0, 0]


def test_a_label_that_would_reach_the_next_line_goes_above_the_next_label() -> None:
    assert lanes([Event(0, "a long label"), Event(5, "burst"), Event(7, "steady")], TimeAxis(60, 300)) == [2, 1, 0]


def test_the_time_axis_leaves_room_for_a_label_at_its_end() -> None:
    axis = time_axis(60, [Event(60, "shutdown")], 300)
    assert axis.position(60) + 50 < 300


def test_there_is_a_chart_for_each_variant_with_its_axes_and_lines_named() -> None:
    panels = timeline(reuse_client())
    assert [panel.label for panel in panels] == ["client per invocation", "MongoDB's documented example", "warmline"]
    for chart in connection_charts(reuse_client()):
        for text in (
            "open connections",
            "seconds since the variant's start",
            "primary",
            "secondary 2",
            "scale-in",
        ):
            assert f">{text}<" in chart.svg


def test_a_chart_is_described_to_those_who_do_not_see_it() -> None:
    chart = connection_charts(reuse_client())[2]
    assert (
        'role="img" aria-label="Open connections over time, warmline. primary: at most 40, at the end 0; '
        'secondary 1: at most 20, at the end 0; secondary 2: at most 20, at the end 0."'
    ) in chart.svg
    assert chart.summary == "At most 40 on the primary, 0 at the end."


def test_peaks_up_to_ten_times_apart_share_a_linear_scale() -> None:
    result = reuse_client()
    assert not scale_is_logarithmic(result)
    assert "log scale" not in connection_charts(result)[0].svg


def test_peaks_further_apart_share_a_logarithmic_scale_that_says_so() -> None:
    high = ConnectionSeries("per-invocation", "primary", (0.0, 1.0), (0, 2000))
    low = ConnectionSeries("warmline", "primary", (0.0, 1.0), (0, 40))
    result = replace(reuse_client(), connections=(high, low))
    assert scale_is_logarithmic(result)
    assert all("open connections (log scale)" in chart.svg for chart in connection_charts(result) if chart.svg)


def test_a_variant_without_samples_has_a_panel_without_charts() -> None:
    result = reuse_client()
    panels = timeline(replace(result, connections=result.connections[:3], environments=()))
    assert [len(panel.charts) for panel in panels] == [1, 0, 0]


def test_without_any_sample_there_is_no_panel() -> None:
    assert timeline(replace(reuse_client(), connections=(), environments=())) == ()


def test_a_nodes_limit_is_a_line_where_the_counts_come_near_it() -> None:
    result = reuse_client()
    limited = tuple(replace(series, limit=200) for series in result.connections)
    charts = connection_charts(replace(result, connections=limited))
    assert all(">limit of a node: 200<" in chart.svg for chart in charts)
    assert charts[2].summary == "At most 40 on the primary, 0 at the end. A node admits 200."


def test_a_limit_far_above_the_counts_is_told_and_does_not_press_them_flat() -> None:
    result = reuse_client()
    limited = tuple(replace(series, limit=1500) for series in result.connections)
    charts = connection_charts(replace(result, connections=limited))
    assert all("limit of a node" not in chart.svg for chart in charts)
    assert charts[2].summary.endswith("A node admits 1,500.")


def test_environments_are_stacked_by_state_below_the_connections() -> None:
    chart = environment_charts(reuse_client())[0]
    for text in ("starting", "busy", "frozen", "environments", "seconds since the variant's start"):
        assert f">{text}<" in chart.svg
    assert ">burst<" not in chart.svg
    assert chart.summary == "At most 20 environments at once, 0 at the end."
    assert "busy: at most 20; frozen: at most 20." in chart.svg


def test_events_are_labelled_over_the_environments_where_there_are_no_connections() -> None:
    assert ">burst<" in environment_charts(replace(reuse_client(), connections=()))[0].svg


def test_a_state_that_the_charts_do_not_know_has_a_layer_too() -> None:
    series = StateSeries("warmline", "shutting down", (0.0, 1.0), (3, 3))
    (chart,) = environment_charts(replace(reuse_client(), environments=(series,)))
    assert ">shutting down<" in chart.svg


def test_many_samples_become_few_steps_that_still_add_up() -> None:
    seconds = [number / 10 for number in range(5000)]
    busy = [number % 3 for number in range(5000)]
    moments, layers = _steps(seconds, [busy, [20 - count for count in busy]])
    assert len(moments) < 200
    assert layers.sum(axis=0) == pytest.approx(20)
    assert layers[0][:-1].mean() == pytest.approx(1, abs=0.01)


def test_many_nodes_share_one_legend_entry() -> None:
    nodes = [f"mongos {number}" for number in range(30)]
    series = tuple(ConnectionSeries("warmline", node, (0.0, 1.0), (0, 6)) for node in nodes)
    (chart,) = connection_charts(replace(reuse_client(), variants={"warmline": {}}, connections=series))
    assert ">30 nodes<" in chart.svg
    assert "mongos 3<" not in chart.svg
    assert chart.summary == "At most 6 on a node."


def test_the_primary_keeps_its_line_among_many_nodes() -> None:
    nodes = ["secondary 1", "secondary 2", "primary", "analytics 1", "analytics 2", "hidden"]
    series = tuple(ConnectionSeries("warmline", node, (0.0, 1.0), (0, 6)) for node in nodes)
    (chart,) = connection_charts(replace(reuse_client(), variants={"warmline": {}}, connections=series))
    assert ">primary<" in chart.svg
    assert ">5 other nodes<" in chart.svg


def test_cold_and_warm_latencies_are_charts_of_their_own_with_labelled_percentiles() -> None:
    cold, warm = latency_charts(reuse_client())
    assert (cold.label, warm.label) == ("Cold starts", "Warm invocations")
    assert warm.svg.count(">p50 ") == warm.svg.count(">p99 ") == len(VALUES)
    assert ">milliseconds until the answer (log scale)<" in cold.svg


def test_twenty_samples_have_a_slowest_one_but_no_99th_percentile() -> None:
    cold, _ = latency_charts(reuse_client())
    assert cold.svg.count(">slowest ") == len(VALUES)
    assert "p99" not in cold.svg


def test_a_kind_without_samples_has_no_chart() -> None:
    result = replace(reuse_client(), latencies=(Latencies("warmline", (), (3.1,)),))
    (warm,) = latency_charts(result)
    assert warm.label == "Warm invocations"
    assert ">1 sample<" in warm.svg
    assert warm.svg.count(">no samples<") == 2


def test_a_latency_of_zero_has_a_place() -> None:
    (warm,) = latency_charts(replace(reuse_client(), latencies=(Latencies("warmline", (), (0.0, 3.1)),)))
    assert "p50 1.6 ms" in warm.svg


def test_colours_are_left_to_the_style_sheet() -> None:
    result = reuse_client()
    svgs = [chart.svg for panel in timeline(result) for chart in panel.charts]
    svgs += [chart.svg for chart in latency_charts(result)]
    for svg in svgs:
        assert "#a1" not in svg
        assert "var(--muted)" in svg
