"""
A function's package: a folder with what is deployed, and none of what happens to be installed beside it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from ..errors import UnusableFunction


def make_package(directory: Path, modules: Iterable[str]) -> Path:
    """
    Make a folder of links to installed modules, so that a program that has only this folder finds them and no others.

    Their compiled files are beside them, as a function's are when it has run before, or is built with them.

    :param modules: top-level names
    :raises UnusableFunction: one is not installed.
    """
    directory.mkdir()
    for name in modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise UnusableFunction(f"the function needs {name}, which is not installed: pip install 'warmline[lab]'")
        source = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
        (directory / source.name).symlink_to(source)
    return directory
