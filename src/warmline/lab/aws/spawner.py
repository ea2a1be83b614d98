"""
Starts the execution environments: a process of its own, run as a script, that forks one child per request line.

It imports what every environment needs once (the zygote), so that a fork has it for nothing; a child that is to be
``exec``'d throws that away and starts a new interpreter. It never starts a thread, since it forks.

    stdin   {"argv": [...] or null, "handler": "app.handler", "env": {...}, "cwd": "...", "log": "...",
             "cgroups": [...], "network": ..., "managed": false}
    stdout  {"ready": true} | {"pid": 123} | {"exited": 123, "status": 0}
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any

# Of linux/prctl.h and linux/sched.h.
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNET = 0x40000000

# How many files an environment may have open.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_FILES = 1024


def main(preload: list[str]) -> None:
    """
    Serve requests until stdin ends.
    """
    for name in preload:
        importlib.import_module(name)
    # The objects imported so far stay in pages that all children share.
    gc.collect()
    gc.freeze()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    say({"ready": True})
    pending = b""
    while True:
        readable, _, _ = select.select([0, wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            reap()
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    for descriptor in (wake_read, wake_write):
                        os.close(descriptor)
                    become_environment(request)
                    return
                say({"pid": pid})


def say(message: dict[str, Any]) -> None:
    """
    Write one message; a pipe takes a line this short in one piece.
    """
    os.write(1, json.dumps(message).encode() + b"\n")


def reap() -> None:
    """
    Report every child that has ended.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        # What it has started and left behind ends with it.
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        say({"exited": pid, "status": os.waitstatus_to_exitcode(status)})


def become_environment(request: dict[str, Any]) -> None:
    """
    Turn this forked child into an execution environment; it returns when the runtime client ends.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    files = min(_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)
    try:
        for group in request["cgroups"]:
            with open(group + "/cgroup.procs", "w") as file:  # noqa: PTH123  pathlib is not imported here
                file.write("0")
        if request["network"]:
            enter_network(request["network"])
        os.chdir(request["cwd"])
    except OSError as error:
        os.write(2, f"can't start in {request['cwd']}: {error}\n".encode())
        os._exit(127)
    if request["managed"]:
        stay_for_the_workers()
    # The lab's host names, if the function is to know them.
    from warmline.lab.names.child import enter

    enter(request["env"])
    if request["argv"]:
        # A clock that stands still comes with the program: its variables name the library and the file.
        try:
            os.execve(request["argv"][0], request["argv"], request["env"])  # noqa: S606
        except OSError as error:
            os.write(2, f"can't start {request['argv'][0]}: {error}\n".encode())
            os._exit(127)
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    if "WARMLINE_CLOCK" in request["env"]:
        use_clock(request["env"]["WARMLINE_CLOCK"])
    sys.path.insert(0, request["cwd"])
    sys.argv = ["awslambdaric", request["handler"]]
    # Only now: both read the environment's variables while they are imported.
    from awslambdaric.__main__ import main as run

    run(sys.argv)


def enter_network(namespace: str) -> None:
    """
    Move this process, which has one thread, into a network namespace.
    """
    descriptor = os.open(namespace, os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
    os.close(descriptor)


def use_clock(file: str) -> None:
    """
    Have the clock library, which this process was started with, read this environment's file.
    """
    error = ctypes.CDLL(None).warmline_clock(os.fsencode(file))
    if error:
        raise OSError(error, os.strerror(error), file)


def stay_for_the_workers() -> None:
    """
    Go on in a child, and let this process end when that and the workers it will fork have all ended.

    SIGTERM, sent to the group, ends the runtime client's first process at once, and its workers are on their own.
    """
    # Orphans become children of this process, where the system can do that: Linux.
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    client = os.fork()
    if client == 0:
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    exit_code = 0
    with suppress(ChildProcessError):
        while True:
            pid, status = os.wait()
            if pid == client:
                exit_code = os.waitstatus_to_exitcode(status)
    # Like a shell: 128 and the signal's number.
    os._exit(exit_code if exit_code >= 0 else 128 - exit_code)


if __name__ == "__main__":
    main(sys.argv[1:])
