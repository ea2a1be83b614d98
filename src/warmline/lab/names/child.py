"""
The child's side of a resolver, called between a fork and what the child then runs.

Standard library only: the process that forks environments imports it once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import namespace
from .hook import warmline_hook

NAMESPACE_VARIABLE = "WARMLINE_NAMESPACE"


def enter(environ: Mapping[str, str]) -> None:
    """
    Do what the variables of `Resolver.environ` say, in this process: before an ``exec``, or before it runs a handler.

    Without such variables it does nothing.
    """
    directory = environ.get(NAMESPACE_VARIABLE)
    if directory:
        namespace.enter(directory)
    # For a program that is exec'd, Python does this again: the folder of the hook is on its PYTHONPATH.
    warmline_hook.activate(environ)
