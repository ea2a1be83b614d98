"""
A snapshot as lines of a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..wording import clock
from .watch import NodeNow, Snapshot

_BAR = 32
_STYLES = {"starting": "yellow", "snapshot": "magenta", "busy": "green", "idle": "cyan", "frozen": "blue"}

# A node's bar changes its colour where it has used so much of its limit.
_NEAR, _FULL = 0.7, 0.9


def panel(title: str, doing: str, done: float, seconds: float, snapshot: Snapshot | None) -> RenderableType:
    """
    What is run, how far it is, and below it what the lab is doing, once there is one.
    """
    head = Table.grid(expand=True, padding=(0, 1))
    head.add_column(no_wrap=True, overflow="ellipsis")
    head.add_column(justify="right", no_wrap=True)
    head.add_row(Text(title, style="bold"), Text(clock(seconds)))
    # A text of its own line: what is done now may be long.
    lines: list[RenderableType] = [head, Text(doing, no_wrap=True, overflow="ellipsis"), _progress(done)]
    if snapshot is not None:
        lines += [Text(), _figures(snapshot)]
    return Group(*lines)


def _progress(done: float) -> Table:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(justify="right", width=5)
    grid.add_row(ProgressBar(total=1.0, completed=done), f"{done:.0%}")
    return grid


def _figures(snapshot: Snapshot) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    states = {state: count for state, count in snapshot.states.items() if count}
    total = sum(states.values())
    grid.add_row(Text("environments"), _stack(states, total), _states(states, total))
    scale = max([*(node.limit or node.open or 0 for node in snapshot.nodes), 1])
    for node in snapshot.nodes:
        grid.add_row(Text(node.name), _node_bar(node, scale), _node(node))
    grid.add_row(
        Text("invocations"), Text(f"{snapshot.invocations:,}, {snapshot.per_second:,.0f}/s"), _failures(snapshot)
    )
    return grid


def _stack(states: Mapping[str, int], total: int) -> Text:
    """
    A bar of all states, in the order of an environment's life; every state that there is has a cell at least.
    """
    bar = Text()
    for state, count in states.items():
        cells = max(1, round(_BAR * count / total))
        bar.append("█" * cells, style=_STYLES.get(state, "white"))
    bar.truncate(_BAR, pad=True)
    return bar


def _states(states: Mapping[str, int], total: int) -> Text:
    text = Text(f"{total:,}")
    for state, count in states.items():
        text.append("  ")
        text.append(f"{state} {count:,}", style=_STYLES.get(state, "white"))
    return text


def _node_bar(node: NodeNow, scale: int) -> Text:
    share = (node.open or 0) / scale
    style = "green"
    if node.limit is not None:
        style = "red" if share >= _FULL else "yellow" if share >= _NEAR else "green"
    cells = min(_BAR, max(round(_BAR * share), 1 if node.open else 0))
    bar = Text("█" * cells, style=style)
    bar.append("░" * (_BAR - cells), style="bright_black")
    return bar


def _node(node: NodeNow) -> Text:
    if node.open is None:
        return Text("down", style="red")
    unit = "connection" if node.open == 1 and node.limit is None else "connections"
    of_limit = f" of {node.limit:,}" if node.limit is not None else ""
    return Text(f"{node.open:,}{of_limit} {unit}")


def _failures(snapshot: Snapshot) -> Text:
    parts: Sequence[tuple[str, int]] = (("errors", snapshot.errors), ("throttled", snapshot.throttles))
    text = Text()
    for name, count in parts:
        if name == "errors" or count:
            text.append("  " if text else "")
            text.append(f"{name} {count:,}", style="red" if count else "")
    return text
