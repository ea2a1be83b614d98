"""
Files read in as many processes as there are cores.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from .guard import Reader, Result, guarded
from .read import Facts


def in_processes(read: Reader[Facts], files: Mapping[str, bytes]) -> Iterator[Result[Facts]]:
    """
    Yield what the readers make of the files, in the order in which they are done.
    """
    left = dict(files)
    try:
        with _pool(os.cpu_count() or 1) as pool:
            futures: list[Future[Result[Facts]]] = [
                pool.submit(guarded, read, path, data) for path, data in files.items()
            ]
            for future in as_completed(futures):
                result = future.result()
                del left[result[0]]
                yield result
    except BrokenProcessPool:
        # One file has ended its process, and the pool with it. Which one, each alone will tell.
        for path, data in left.items():
            try:
                with _pool(1) as alone:
                    last: Future[Result[Facts]] = alone.submit(guarded, read, path, data)
                    yield last.result()
            except BrokenProcessPool:
                yield path, None, "the process that parsed it has crashed"


def _pool(workers: int) -> ProcessPoolExecutor:
    # A forked process has the grammars loaded; where that is not safe, it takes half a second to start.
    forks = sys.platform == "linux" and threading.active_count() == 1
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork" if forks else "spawn"))
