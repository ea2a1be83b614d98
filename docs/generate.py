"""
Writes the pages that are made from the code; `make docs` runs it, and a test fails when a page is stale.
"""

from __future__ import annotations

from pathlib import Path

from warmline.runtime.defaults import DEFAULTS, Default

OPTIONS_PAGE = Path(__file__).parent / "reference" / "options.md"


def value(default: Default) -> str:
    if callable(default.value):
        return "`function:version`"
    return "not set" if default.value is None else f"`{default.value}`"


def options_page() -> str:
    rows = [
        f"| `{default.name}` | {value(default)} | {default.reason} | [source]({default.source}) |"
        for default in DEFAULTS
    ]
    return "\n".join(
        [
            "# Option defaults",
            "",
            "<!-- Made by docs/generate.py from src/warmline/runtime/defaults.py: change it there. -->",
            "",
            "What `connect()` sets when neither you nor the URI does.",
            "Anything you set wins: `connect(maxPoolSize=20)`, or `?maxPoolSize=20` in the URI.",
            "All other options keep PyMongo's defaults.",
            "",
            "| option | value | why | |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    OPTIONS_PAGE.write_text(options_page())
