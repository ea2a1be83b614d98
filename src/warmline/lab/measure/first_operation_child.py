"""
A cold start in a process of its own, from the handler's import to its first answer.

Run as a script by ``first_operation``, with nothing of what is installed: ``python -I -S``. What it imports before it
measures is what the real runtime client has imported when it comes to the handler.

    argv    the handler's package, its module, the runtime's folder, a cgroup to be in or "", the names' hook
    stdout  milliseconds of wall clock, milliseconds of CPU
"""

from __future__ import annotations

import os
import sys
import time


class Context:
    """
    What a handler is given.
    """

    def get_remaining_time_in_millis(self) -> int:
        """
        As when an invocation begins, with Lambda's default timeout.
        """
        return 3_000


def main(package: str, module: str, runtime: str, group: str, hook: str) -> None:
    """
    Be as an environment is before it imports the handler, and measure from there on.
    """
    if "WARMLINE_NAMES" in os.environ:
        # Without site-packages there is no sitecustomize to do it.
        sys.path.insert(0, hook)
        from warmline_hook import activate  # type: ignore[import-not-found]

        activate(os.environ)
        sys.path.remove(hook)
    sys.path[:0] = [package, runtime]
    __import__("awslambdaric.bootstrap")
    if group:
        with open(group + "/cgroup.procs", "w") as file:  # noqa: PTH123  pathlib is not imported here
            file.write("0")
    wall, cpu = time.perf_counter(), time.process_time()
    handler = __import__(module).lambda_handler
    # As the runtime client does it when Init is over.
    os.environ["_X_AMZN_TRACE_ID"] = "Root=1-00000000-000000000000000000000000"
    answer = handler({}, Context())
    milliseconds = [(time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000]
    if answer["ok"] != 1:
        sys.exit(f"the first operation failed: {answer}")
    print(*milliseconds, flush=True)
    # The threads of a driver that was never closed are no part of it.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
