"""
One run of the lab: its directory, the mark on its processes, and the end of both.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Self

from warmline.lab.errors import JanitorLost, LabError

if TYPE_CHECKING:
    from types import TracebackType

TOKEN_VARIABLE = "WARMLINE_LAB"  # noqa: S105 - a mark to find processes by, no secret


class Workspace:
    """
    Owns one run of the lab; inside its `with` block there is a directory, and after it nothing is left.

    A process that belongs to the run must get `environ()` in its environment. A janitor process kills those that are
    left when the block ends, or when this process is killed, and removes the directory. If an error ends the block,
    the log files stay, and the error carries a note that says where.

    - `directory`: for everything that is thrown away at the end
    - `logs`: in it, for `*.log` files
    - `token`: the random mark of this run
    - `swept`: after the end, how many processes the janitor had to kill
    """

    directory: Path
    logs: Path

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.swept: int | None = None
        self._janitor: _Janitor | None = None

    def __enter__(self) -> Self:
        self.directory = Path(tempfile.mkdtemp(prefix="warmline-lab-"))
        try:
            self._janitor = _Janitor(self.directory, f"{TOKEN_VARIABLE}={self.token}")
        except OSError:
            self.directory.rmdir()
            raise
        self.logs = self.directory / "logs"
        self.logs.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        janitor, self._janitor = self._janitor, None
        if janitor is None or janitor.belongs_to_parent:
            return
        # KeyboardInterrupt, CancelledError and SystemExit are wishes, not errors: no Exception among them.
        if isinstance(error, Exception) and any(self.logs.glob("*.log")):
            janitor.tell("keep-logs")
            error.add_note(f"logs are kept in {self.logs}")
        self.swept = janitor.sweep()

    def environ(self) -> dict[str, str]:
        """
        Return the variables that mark a process as one of this run.
        """
        return {TOKEN_VARIABLE: self.token}

    def remove_at_end(self, directory: Path) -> None:
        """
        Have a directory outside the workspace removed at the end, with those inside it but no files: a cgroup.
        """
        self._tell("remove-at-end", str(directory))

    def remove_link_at_end(self, name: str) -> None:
        """
        Have a network link of this machine removed at the end.
        """
        self._tell("remove-link-at-end", name)

    def _tell(self, order: str, what: str) -> None:
        if self._janitor is None:
            msg = f"the workspace is not open, so nothing would remove {what}: use it in its `with` block"
            raise LabError(msg)
        self._janitor.tell(order, what)


class _Janitor:
    """
    The process that cleans up, from the lab's side.
    """

    def __init__(self, directory: Path, mark: str) -> None:
        self._directory = directory
        self._mark = mark
        self.belongs_to_parent = False
        read_end, write_end = os.pipe()
        self._orders = open(write_end, "wb", buffering=0)  # noqa: PTH123, SIM115 - a descriptor, kept until the end
        # A lab inside a lab: the outer janitor must not kill the inner one before it has done its work.
        environ = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
        script = Path(__file__).with_name("janitor.py")
        try:
            self._process = subprocess.Popen(
                # -I and -S: neither the user's settings nor site-packages matter to it, and it starts sooner.
                [sys.executable, "-I", "-S", str(script), str(directory), mark],
                stdin=read_end,
                stdout=subprocess.PIPE,
                env=environ,
                cwd="/",
                # Out of the terminal's reach: Ctrl-C ends the lab, not the one who cleans up after it.
                start_new_session=True,
            )
        finally:
            os.close(read_end)
        _janitors.add(self)

    def tell(self, *order: str) -> None:
        """
        Send an order to be carried out at the end.
        """
        try:
            self._orders.write(json.dumps(order).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._lost() from error

    def sweep(self) -> int:
        """
        Close the pipe, which is the order to sweep, and wait for the number of processes it killed.
        """
        self._orders.close()
        answer, _ = self._process.communicate()
        swept = re.fullmatch(rb"swept (\d+)\n", answer)
        if swept is None:
            raise self._lost()
        return int(swept[1])

    def let_go(self) -> None:
        """
        Close a forked child's copy of the pipe: it would keep the pipe open after the lab's end.
        """
        self.belongs_to_parent = True
        self._orders.close()

    def _lost(self) -> JanitorLost:
        return JanitorLost(
            f"the lab's janitor (pid {self._process.pid}) ended before the lab:"
            f" end the processes with {self._mark} in their environment and remove {self._directory}"
        )


_janitors: weakref.WeakSet[_Janitor] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for janitor in _janitors:
        janitor.let_go()


# The pipe is closed on exec, but a plain fork has it open.
os.register_at_fork(after_in_child=_let_go_in_child)
