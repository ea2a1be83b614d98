"""
The command line: arguments and exit codes.

Exit codes: 0 nothing found, 1 findings, 2 the command could not do its work.
"""

from __future__ import annotations

import sys


def main() -> None:
    """
    Run ``warmline``; the console script's entry point.
    """
    try:
        if sys.argv[1:2] == ["check"]:
            # Before anything that a check does not need is imported.
            from .check import check

            sys.exit(check(sys.argv[2:]))
        from .app import app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "warmline":
            raise
        print(
            f"warmline: the command line needs {error.name}, which is not installed: pip install 'warmline[all]'",
            file=sys.stderr,
        )
        sys.exit(2)
    app(prog_name="warmline")
