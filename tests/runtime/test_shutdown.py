"""
The end of real environments: AWS's own runtime client, a real server, SIGTERM and what is left after it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pymongo
import pytest

from warmline.lab.aws import CgroupFreezer, Environment, Freezer, FunctionSpec, SignalFreezer, best_freezer
from warmline.lab.aws.invocation import Invocation
from warmline.lab.aws.processes import Spawner
from warmline.lab.cluster import Cluster
from warmline.lab.workspace import Workspace

FUNCTION = """
from warmline import connect, handler

client = connect()

@handler
def lambda_handler(event, context):
    return client["ending"]["orders"].find_one({"_id": 1})
"""

# The runtime client waits for the next event in a thread of its own, or in libcurl in the main one.
both_ways_of_polling = pytest.mark.parametrize("runtime", ["python3.13", "python3.11"])


@dataclass(frozen=True)
class Ended:
    """
    What an environment left: its exit code (-9 if it had to be killed), its log, the extensions that it had
    registered, its answers, and how many connections the server still has of it.
    """

    exit_code: int
    log: str
    extensions: list[str]
    answers: list[Any]
    connections: int


class End(Protocol):
    """
    Start an environment, have it serve the events, and end it.

    With ``freezer`` SIGTERM comes right after a thaw. ``during`` is an event that it is still serving then.
    """

    def __call__(
        self,
        source: str,
        *,
        events: tuple[Any, ...] = ({},),
        freezer: Freezer | None = None,
        during: Any = None,
        **fields: Any,
    ) -> Ended: ...


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace
    assert workspace.swept == 0


@pytest.fixture
def end(single: Cluster, workspace: Workspace, tmp_path: Path) -> Iterator[End]:
    name = f"{tmp_path.name}-{os.getpid()}"
    app = f"{name}:$LATEST"
    asking = pymongo.MongoClient[dict[str, Any]](single.uri, appName="asking")
    pipeline: list[dict[str, Any]] = [
        {"$currentOp": {"idleConnections": True, "allUsers": True}},
        {"$match": {"appName": app}},
    ]

    def operations() -> list[dict[str, Any]]:
        return list(asking.admin.aggregate(pipeline))

    def end(
        source: str,
        *,
        events: tuple[Any, ...] = ({},),
        freezer: Freezer | None = None,
        during: Any = None,
        **fields: Any,
    ) -> Ended:
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        variables = {"MONGODB_URI": single.uri, **fields.pop("environment", {})}
        function = FunctionSpec(name, tmp_path, environment=variables, timeout_seconds=30, **fields)

        async def scenario() -> Ended:
            async with Spawner(workspace.environ()) as spawner:
                opened = Environment(
                    name,
                    function,
                    spawner=spawner,
                    freezer=freezer or best_freezer(workspace),
                    workspace=workspace,
                )
                failed = await opened.start()
                assert failed is None, failed
                answers = []
                for event in events:
                    outcome = await opened.invoke(Invocation(json.dumps(event).encode()))
                    assert not outcome.error, outcome.payload
                    answers.append(json.loads(outcome.payload))
                serving = None
                if during is not None:
                    serving = asyncio.create_task(opened.invoke(Invocation(json.dumps(during).encode())))
                    await until(lambda: any(operation.get("active") for operation in operations()))
                elif freezer is not None:
                    await opened.settle()
                extensions = list(opened._domain.api.extensions.names)
                ending = await opened.shutdown()
                if serving is not None:
                    await serving
                await until(lambda: not operations())
                return Ended(ending.exit_code, opened.log.read_text(), extensions, answers, len(operations()))

        return asyncio.run(scenario())

    yield end
    asking.close()


async def until(condition: Callable[[], object]) -> None:
    """
    Wait for something that comes true soon, or else let the assertion after it fail.
    """
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.01)


@pytest.fixture(params=["never", "cgroup", "signal"])
def freezer(request: pytest.FixtureRequest, workspace: Workspace) -> Freezer | None:
    if request.param == "never":
        return None
    best = best_freezer(workspace)
    if request.param == "cgroup" and not isinstance(best, CgroupFreezer):
        pytest.skip("no cgroup v2 hierarchy that this user may write to")
    return best if request.param == "cgroup" else SignalFreezer()


@both_ways_of_polling
def test_an_environment_registers_once_and_ends_by_itself_with_its_connections_closed(
    end: End, runtime: str, freezer: Freezer | None
) -> None:
    # Armed when warmline is imported, or at connect() in a fork of a process that had imported it.
    ended = end(FUNCTION, runtime=runtime, start="exec" if freezer is None else "zygote", freezer=freezer)
    assert ended.extensions == ["warmline"]
    assert (ended.exit_code, ended.connections, ended.log) == (0, 0, "")


@both_ways_of_polling
def test_it_does_so_in_the_middle_of_an_operation(end: End, runtime: str) -> None:
    source = """
        from warmline import connect, handler

        orders = connect()["ending"]["orders"]

        @handler
        def lambda_handler(event, context):
            orders.insert_one({})
            if event.get("slow"):
                orders.find_one({"$where": "sleep(20000) || true"})
    """
    ended = end(source, runtime=runtime, during={"slow": True})
    assert (ended.exit_code, ended.connections) == (0, 0)


@both_ways_of_polling
def test_an_asynchronous_client_is_closed_in_its_loop_which_stands_still(end: End, runtime: str) -> None:
    source = """
        import os
        import pymongo
        from warmline import connect_async, handler

        class Listener(pymongo.monitoring.CommandListener):
            def started(self, event):
                os.write(2, f"{event.command_name}\\n".encode())

            def succeeded(self, event): ...

            def failed(self, event): ...

        client = connect_async(event_listeners=[Listener()])

        @handler
        async def lambda_handler(event, context):
            return await client["ending"]["orders"].find_one({"_id": 1})
    """
    ended = end(source, runtime=runtime)
    assert (ended.exit_code, ended.connections) == (0, 0)
    # Closed, and not merely ended with the process.
    assert ended.log.split()[-1] == "endSessions"


def test_an_asynchronous_client_is_closed_in_its_running_loop(end: End) -> None:
    source = """
        from warmline import connect_async, handler

        orders = connect_async()["ending"]["orders"]

        @handler
        async def lambda_handler(event, context):
            await orders.insert_one({})
            if event.get("slow"):
                await orders.find_one({"$where": "sleep(20000) || true"})
    """
    ended = end(source, during={"slow": True})
    assert (ended.exit_code, ended.connections) == (0, 0)


def test_the_off_switch_leaves_lambda_and_the_signal_alone(end: End) -> None:
    source = """
        import signal
        from warmline import connect

        client = connect()

        def lambda_handler(event, context):
            return [signal.getsignal(signal.SIGTERM), signal.set_wakeup_fd(-1)]
    """
    ended = end(source, environment={"WARMLINE_SHUTDOWN": "off"}, start="exec")
    assert ended.extensions == []
    assert ended.answers == [[signal.SIG_DFL, -1]]
    assert ended.exit_code == -signal.SIGKILL


NOTE = """
import os, signal
from pathlib import Path

def note(number, frame):
    # The client must still be of use to it.
    Path("note").open("a").write(f"{number} {client['ending']['orders'].find_one({'_id': -1})}\\n")

"""


@both_ways_of_polling
@pytest.mark.parametrize("when", ["before warmline", "after connect", "after the handler", "in an invocation"])
def test_the_functions_own_handler_runs_once_and_before_the_clients_are_closed(
    end: End, tmp_path: Path, runtime: str, when: str
) -> None:
    install = "signal.signal(signal.SIGTERM, note)\n"
    connecting, decorated = FUNCTION.split("@handler")
    source = {
        "before warmline": NOTE + install + FUNCTION,
        "after connect": NOTE + connecting + install + "@handler" + decorated,
        "after the handler": NOTE + FUNCTION + install,
        "in an invocation": NOTE + FUNCTION.replace("    return", f"    {install}    return"),
    }[when]
    ended = end(source, runtime=runtime, start="exec" if when == "before warmline" else "zygote")
    assert (ended.exit_code, ended.connections, ended.log) == (0, 0, "")
    assert (tmp_path / "note").read_text() == "15 None\n"


@both_ways_of_polling
def test_a_handler_that_came_after_all_else_is_not_lost_before_the_first_invocation(
    end: End, tmp_path: Path, runtime: str
) -> None:
    source = NOTE + FUNCTION + "signal.signal(signal.SIGTERM, note)\n"
    assert end(source, events=(), runtime=runtime).exit_code == 0
    # The main thread may have come by and called it too: nobody can know.
    assert set((tmp_path / "note").read_text().splitlines()) == {"15 None"}


def test_a_handler_that_replaces_ours_and_calls_it_does_not_end_in_a_circle(end: End, tmp_path: Path) -> None:
    source = f"""{FUNCTION}
import signal
from pathlib import Path

before = signal.getsignal(signal.SIGTERM)

def note(number, frame):
    before(number, frame)
    Path("note").open("a").write("once")

signal.signal(signal.SIGTERM, note)
"""
    assert end(source).exit_code == 0
    assert (tmp_path / "note").read_text() == "once"


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("import sys; sys.exit(3)", []),
        ("import time; time.sleep(60)", []),
        ("raise ValueError('no\\nluck')", ["SIGTERM handler failed", r"ValueError('no\nluck')"]),
    ],
)
def test_whatever_the_functions_own_handler_does_the_clients_are_closed(end: End, does: str, says: list[str]) -> None:
    source = f"""
import signal

def on_sigterm(number, frame):
    {does}

signal.signal(signal.SIGTERM, on_sigterm)
{FUNCTION}"""
    ended = end(source)
    assert (ended.exit_code, ended.connections) == (0, 0)
    assert all(words in ended.log for words in says)
    assert len(ended.log.splitlines()) == bool(says)


def test_what_was_printed_is_written(end: End) -> None:
    # The runtime client's own streams have no buffer; a framework's may.
    buffered = "sys.stdout = open(1, 'w', closefd=False); sys.stdout.write('buffered')"
    source = "import sys\n" + FUNCTION.replace("    return", f"    {buffered}; return")
    assert end(source).log == "buffered"


ASYNCIO = """
import asyncio, signal

def borrow():
    # Takes the wakeup file descriptor, and resets it at the end.
    loop = asyncio.new_event_loop()
    loop.add_signal_handler(signal.SIGUSR1, print)
    {also}
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

"""


@both_ways_of_polling
@pytest.mark.parametrize("also", ["pass", "loop.add_signal_handler(signal.SIGTERM, print)"])
def test_an_event_loop_that_had_the_signals_does_not_keep_them(end: End, runtime: str, also: str) -> None:
    source = ASYNCIO.format(also=also) + FUNCTION.replace("    return", "    borrow(); return")
    ended = end(source, runtime=runtime, events=({}, {}))
    assert (ended.exit_code, ended.connections) == (0, 0)


def test_the_functions_own_child_processes_end_without_their_parent(end: End) -> None:
    source = f"""{FUNCTION.partition("@handler")[0]}
import os, signal

@handler
def lambda_handler(event, context):
    statuses = set()
    for _ in range(50):
        child = os.fork()
        if child == 0:
            signal.pause()
        # It may not have run at all yet.
        os.kill(child, signal.SIGTERM)
        statuses.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return [sorted(statuses), client["ending"]["orders"].find_one({{"_id": 1}})]
"""
    ended = end(source, events=({}, {}))
    assert ended.answers == [[[-signal.SIGTERM], None]] * 2
    assert (ended.exit_code, ended.connections) == (0, 0)


def test_a_child_process_that_connects_closes_what_is_its_own(end: End, tmp_path: Path) -> None:
    source = f"""{FUNCTION.partition("@handler")[0]}
import os, signal, time
from pathlib import Path

children = []

def wait_for_children(number, frame):
    # With the parent the environment ends.
    for child in children:
        os.waitpid(child, 0)

signal.signal(signal.SIGTERM, wait_for_children)

@handler
def lambda_handler(event, context):
    child = os.fork()
    if child == 0:
        mine = connect()
        mine["ending"]["orders"].find_one({{}})
        close = mine.close
        def noted():
            close()
            Path("closed").write_text("by the child")
        mine.close = noted
        Path("connected").touch()
        time.sleep(60)
    children.append(child)
    while not Path("connected").exists():
        time.sleep(0.005)
"""
    # SIGTERM goes to the whole group.
    ended = end(source)
    assert (ended.exit_code, ended.extensions, ended.log) == (0, ["warmline"], "")
    assert ended.connections == 0
    assert (tmp_path / "closed").read_text() == "by the child"


def test_every_worker_of_a_managed_instance_closes_its_own(end: End, tmp_path: Path) -> None:
    source = f"""{FUNCTION.partition("@handler")[0]}
import os, time
from pathlib import Path

close = client.close
def noted():
    close()
    Path("closed").open("a").write("x")
client.close = noted
Path(f"ready-{{os.getpid()}}").touch()

def lambda_handler(event, context):
    # Init ends with the first of them.
    while len(list(Path().glob("ready-*"))) < 3:
        time.sleep(0.005)
"""
    ended = end(source, initialization="lambda-managed-instances", workers=3)
    assert (ended.extensions, ended.log, ended.connections) == (["warmline"], "", 0)
    assert (tmp_path / "closed").read_text() == "xxx"


def run_script(script: str) -> str:
    """
    Run a Python program that believes to be on Lambda, and return what it prints.
    """
    api = "127.0.0.1:1"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "AWS_LAMBDA_RUNTIME_API": api, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_who_had_the_wakeup_file_descriptor_goes_on_getting_the_signals() -> None:
    script = """
        import os, signal
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        import warmline
        signal.signal(signal.SIGUSR1, lambda *_: None)
        os.kill(os.getpid(), signal.SIGUSR1)
        print(list(os.read(read, 1)))
    """
    assert run_script(script) == f"[{int(signal.SIGUSR1)}]\n"


def test_a_file_that_has_got_the_number_of_a_closed_one_is_not_written_to() -> None:
    script = """
        import os, signal, socket, time
        mine, other = socket.socketpair()
        mine.setblocking(False)
        signal.set_wakeup_fd(mine.fileno())
        import warmline
        signal.signal(signal.SIGUSR1, lambda *_: None)
        number = mine.detach()
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.dup2(write, number)
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.1)
        try:
            print(os.read(read, 1))
        except BlockingIOError:
            print("nothing")
    """
    assert run_script(script) == "nothing\n"


def test_imported_in_a_thread_it_takes_the_signal_as_soon_as_the_main_thread_comes_by() -> None:
    script = """
        import signal, threading
        def load():
            import warmline
        thread = threading.Thread(target=load)
        thread.start()
        thread.join()
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
        import warmline
        @warmline.handler
        def lambda_handler(event, context): ...
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    """
    assert run_script(script) == "True\nFalse\n"


def test_off_lambda_nothing_of_it_is_loaded() -> None:
    script = """
        import os, sys
        del os.environ["AWS_LAMBDA_RUNTIME_API"]
        import threading, warmline
        warmline.connect("mongodb://127.0.0.1:1")
        print([name for name in ("extension", "closer") if f"warmline.runtime.{name}" in sys.modules])
        print(threading.active_count())
    """
    assert run_script(script) == "[]\n1\n"


def test_a_process_that_nobody_ends_goes_on(single: Cluster) -> None:
    script = f"""
        import os, signal, time
        import warmline
        client = warmline.connect({single.uri!r})
        signal.signal(signal.SIGUSR1, lambda *_: None)
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.02)
        print(client.admin.command("ping")["ok"])
    """
    assert run_script(script) == "1.0\n"


def test_a_client_that_can_not_be_closed_does_not_keep_the_process() -> None:
    script = """
        import os, signal, time
        import warmline
        client = warmline.connect("mongodb://127.0.0.1:1", connect=False)
        client.close = lambda: time.sleep(60)
        print("ending", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """
    began = time.monotonic()
    assert run_script(script) == "ending\n"
    # Not how fast it is, but that there is a bound at all.
    assert time.monotonic() - began < 30
