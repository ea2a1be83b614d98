"""
What the processes of an environment write: read from a pipe, so that a handler which writes without end fills neither
the disk nor the memory.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from ..errors import WorkspaceFull

# Of each environment: the first half of its log, and of the rest the last part.
KEPT_BYTES = 8 * 1024 * 1024

# What an invocation's caller can have of it.
# Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (``LogType``)
TAIL_BYTES = 4096

_CHUNK_BYTES = 64 * 1024


class EnvironmentLog:
    """
    Keeps in ``path`` what is written into ``pipe``, which exists while it is open.

    ``written`` counts the bytes that have come.
    """

    def __init__(self, path: Path, pipe: Path) -> None:
        self.path = path
        self.pipe = pipe
        self.written = 0
        self._size = 0
        self._tail = b""
        self._descriptor: int | None = None
        self._fault: OSError | None = None

    def open(self) -> None:
        """
        Make the pipe and begin to read it.

        :raises WorkspaceFull: there is no room for it.
        """
        try:
            os.mkfifo(self.pipe)
            self.path.touch()
            # For writing too: else it would be at its end whenever nobody has it open.
            self._descriptor = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            self._fault = error
            self.check()
        else:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """
        Read what is there and remove the pipe.
        """
        if self._descriptor is None:
            return
        self.catch_up()
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        self.pipe.unlink(missing_ok=True)

    def catch_up(self) -> None:
        """
        Read what has been written so far; what somebody goes on to write meanwhile is for later.
        """
        for _ in range(2):
            if self._descriptor is None or not self._read():
                return

    def check(self) -> None:
        """
        See that all could be kept.

        :raises WorkspaceFull: it could not.
        """
        if self._fault is not None:
            raise WorkspaceFull(
                f"the log {self.path} can't be written: {self._fault.strerror}; free some space there, or set TMPDIR "
                "to another folder"
            )

    def since(self, written: int) -> str:
        """
        The end of what has come since that many bytes were written.
        """
        length = min(self.written - written, TAIL_BYTES)
        return self._tail[-length:].decode(errors="replace") if length else ""

    def _read(self) -> bool:
        assert self._descriptor is not None  # noqa: S101  for the type checker
        try:
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        self.written += len(chunk)
        self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        if self._fault is None:
            try:
                self._keep(chunk)
            except OSError as error:
                self._fault = error
        return True

    def _keep(self, chunk: bytes) -> None:
        with self.path.open("r+b") as file:
            if self._size + len(chunk) > KEPT_BYTES:
                left_out = self.written - len(chunk) - KEPT_BYTES // 2
                file.truncate(KEPT_BYTES // 2)
                chunk = f"\n[cut by the lab: {left_out} bytes of this log are left out here]\n".encode() + chunk
            file.seek(0, os.SEEK_END)
            file.write(chunk)
            file.flush()
            self._size = file.tell()
