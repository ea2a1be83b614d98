"""
From a matplotlib figure to SVG that lives in a page: no ids that clash, no fonts, the page's colours.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import style
from matplotlib.figure import Figure

# One unit of a chart is one CSS pixel in a panel of this width, and stays close to it at any width of the window.
PANEL_WIDTH = 344
TEXT_SIZE = 11

# Colours that nothing else has: in the SVG each becomes a variable of the style sheet, which knows light and dark.
INK = "#a10001"
MUTED = "#a10002"
GRID = "#a10003"
ACCENT = "#a10004"
SERIES = ("#a10011", "#a10012", "#a10013", "#a10014", "#a10015")
STATES = ("#a10021", "#a10022", "#a10023", "#a10024", "#a10025", "#a10026")

_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    ACCENT: "var(--accent)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, 1)},
    **{colour: f"var(--state-{number})" for number, colour in enumerate(STATES, 1)},
}

_STYLE = {
    "svg.fonttype": "none",
    # Labels come from results: a dollar sign is a dollar sign.
    "text.parse_math": False,
    # Only measures: the style sheet sets the font, and this one is wider than those of most systems.
    "font.family": "DejaVu Sans",
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": TEXT_SIZE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.edgecolor": MUTED,
    "grid.color": GRID,
    "axes.unicode_minus": False,
}


@contextmanager
def chart_style(name: str) -> Iterator[None]:
    """
    Draw and save a chart inside: no matplotlibrc counts, and ids depend on the chart's name alone.
    """
    with style.context(["default", {**_STYLE, "svg.hashsalt": name}]):
        yield


def new_figure(height: float) -> Figure:
    """
    An empty figure of a panel's width, in pixels.
    """
    return Figure(figsize=(PANEL_WIDTH / 72, height / 72), dpi=72, facecolor="none")


def to_svg(figure: Figure, description: str) -> str:
    """
    The figure as an ``<svg>`` element that fills its container, described to those who don't see it.
    """
    buffer = io.StringIO()
    # Without these there is no date and no <metadata>, which names web addresses.
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    height = round(figure.get_size_inches()[1] * 72)
    _, _, body = buffer.getvalue().partition("<svg")
    _, _, body = body.partition(">")
    # The style sheet in it would hold for the whole page; ids of groups repeat from chart to chart.
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'\bd="[^"]*"', lambda path: _shortened(path[0]), body)
    body = body.replace("xlink:href=", "href=")
    body = re.sub("|".join(_VARIABLES), lambda colour: _VARIABLES[colour[0]], body)
    body = re.sub(r"\n\s*", "\n", body)
    label = html.escape(description)
    return f'<svg viewBox="0 0 {PANEL_WIDTH} {height}" role="img" aria-label="{label}">{body.strip()}'


def text_width(text: str, size: float = TEXT_SIZE) -> float:
    """
    About how wide the text is, in pixels, on the wide side.
    """
    return 0.6 * size * len(text)


def _shortened(path: str) -> str:
    # A hundredth of a pixel is finer than any screen; matplotlib writes a millionth.
    return re.sub(r"(\.\d\d)\d+", r"\1", path).replace(" \n", "\n").replace("\n", " ")
