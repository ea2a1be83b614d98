"""
Invocations with the code as it is at that moment.

The files are looked at when a function is invoked. A watcher (watchfiles, say) hears of a change some 50 ms after it,
so a script that edits and invokes would now and then run the code of before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..aws import FunctionSpec, InvokeResult
from ..aws.versions import Version
from ..errors import UnusableFunction
from .session import Session

# What tools keep beside the code, and what changes by running it.
_LEFT_OUT = frozenset({"__pycache__", "node_modules"})

_Files = frozenset[tuple[str, int, int]]


class Reloading:
    """
    A session's functions; one whose folder has changed gets new environments, and the old ones finish what they run.

    :param on_reload: hears a line about each change
    :param on_result: hears what comes of each invocation
    :raises UnusableFunction: two functions have one name, or one can't be deployed.
    """

    def __init__(
        self,
        session: Session,
        functions: Sequence[FunctionSpec],
        *,
        on_reload: Callable[[str], None],
        on_result: Callable[[FunctionSpec, InvokeResult], None],
    ) -> None:
        self._session = session
        self._functions = {function.name: function for function in functions}
        self._on_reload = on_reload
        self._on_result = on_result
        for function in functions:
            session.deploy(function)
        self._seen = {function.name: files(function.code) for function in functions}

    def version(self, name: str) -> Version:
        """
        Look up what a name with or without a qualifier leads to.

        :raises UnknownFunction: nothing.
        """
        return self._session.service.version(name)

    async def invoke(self, name: str, payload: bytes = b"{}", *, client_context: str | None = None) -> InvokeResult:
        """
        Invoke a function, after its folder has been looked at; as ``LambdaService.invoke``.
        """
        function = self._functions.get(name.partition(":")[0])
        if function is not None:
            self._reload(function)
        result = await self._session.service.invoke(name, payload, client_context=client_context)
        if function is not None:
            self._on_result(function, result)
        return result

    def _reload(self, function: FunctionSpec) -> None:
        now = files(function.code)
        changed = now ^ self._seen[function.name]
        if not changed:
            return
        try:
            self._session.update(function)
        except UnusableFunction as error:
            # In the middle of a build, say. The next invocation tries again.
            self._on_reload(f"{error}; the environments of before go on")
            return
        self._seen[function.name] = now
        first = min(os.path.relpath(path, function.code) for path, _time, _size in changed)
        self._on_reload(f"{function.name} has changed ({first}): new environments from now on")


def files(folder: Path) -> _Files:
    """
    Look at the files below a folder: path, time of the last change in nanoseconds, size.
    """
    return frozenset(_walk(str(folder)))


def _walk(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _LEFT_OUT:
                    continue
                if entry.is_dir():
                    yield from _walk(entry.path)
                else:
                    about = entry.stat()
                    yield entry.path, about.st_mtime_ns, about.st_size
    except OSError:
        # It has gone meanwhile, or may not be read: nothing of it is known.
        return
