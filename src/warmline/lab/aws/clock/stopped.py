"""
The clock of one environment: a library that is loaded before the C library, and a file that tells it of freezes.

Reports that Lambda's monotonic clock does not count frozen time, which AWS does not document:
https://github.com/hashicorp/vault-lambda-extension/issues/150 and
https://github.com/mongodb/node-mongodb-native/issues/2551.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from ...errors import ClockUnavailable

CLOCK_VARIABLE = "WARMLINE_CLOCK"

_SOURCE = Path(__file__).with_name("stopped.c")


def clock_library(directory: Path) -> Path:
    """
    Compile the library into the directory, unless it is there, and return its path.

    :raises ClockUnavailable: there is no C compiler, or it can't compile it (the source is for Linux and glibc).
    """
    library = directory / "stopped-clock.so"
    if library.exists():
        return library
    compiler = shutil.which("cc")
    if compiler is None:
        raise ClockUnavailable(
            "a monotonic clock that stands still needs a C compiler, and there is no `cc` on PATH: install gcc or clang"
        )
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl", "-pthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), f"status {done.returncode}")
        raise ClockUnavailable(f"{compiler} can't compile the clock that stands still, which needs Linux: {first}")
    return library


class StoppedClock:
    """
    Tells one environment's processes how long they have been frozen.

    :param library: from ``clock_library``
    :param file: holds the time frozen so far, in nanoseconds; it is made here
    """

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self._frozen = 0
        self._stopped: int | None = None
        self._write()

    def environ(self) -> dict[str, str]:
        """
        Return the variables with which an environment has this clock.
        """
        return {"LD_PRELOAD": str(self._library), CLOCK_VARIABLE: str(self._file)}

    def stop(self) -> None:
        """
        Stand still from now on; the environment has just been frozen.
        """
        self._stopped = time.monotonic_ns()

    def go_on(self) -> None:
        """
        Go on from where it stopped; the environment is about to be thawed.
        """
        if self._stopped is not None:
            self._frozen += time.monotonic_ns() - self._stopped
            self._stopped = None
            self._write()

    def _write(self) -> None:
        # In place: the library has this very file in its memory.
        with self._file.open("r+b" if self._frozen else "xb") as file:
            file.write(self._frozen.to_bytes(8, sys.byteorder))
