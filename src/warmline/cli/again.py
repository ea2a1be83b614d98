"""
The command line as a result shows it, to run it again: without the secrets that it may have.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

CLUSTER_URI_VARIABLE = "WARMLINE_LAB_CLUSTER_URI"


def again(arguments: Iterable[str]) -> str:
    """
    Return the command with the values of ``--env`` and ``--cluster-uri`` as variables of the shell.
    """
    return " ".join(("warmline", *_shown(iter(arguments))))


def _shown(arguments: Iterator[str]) -> Iterator[str]:
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if option not in {"--env", "--cluster-uri"}:
            yield shlex.quote(argument)
            continue
        if not equals:
            value = next(arguments, "")
        name = value.partition("=")[0]
        yield option
        yield f'{name}="${name}"' if option == "--env" else f'"${CLUSTER_URI_VARIABLE}"'
