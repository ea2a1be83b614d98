"""
Handlers that misbehave: their environment alone has the damage, and nothing of them stays.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import CgroupFreezer, InvokeResult, LambdaService, State

if TYPE_CHECKING:
    from .conftest import Gone, Run, Spec, Until

# Its own name in the answer shows that it is served as before.
GOOD = """
    def lambda_handler(event, context):
        return context.function_name
"""


def error(result: InvokeResult) -> Any:
    assert result.function_error == "Unhandled", result.payload
    return json.loads(result.payload)["errorType"]


@pytest.fixture
def bad(run: Run, spec: Spec, gone: Gone, until: Until) -> Any:
    """
    Invoke a bad function while a good one is there, and see that that one is unharmed and the bad one's processes end.
    """

    def bad(source: str, check: Any, **fields: Any) -> None:
        async def scenario(service: LambdaService) -> None:
            service.deploy(spec(GOOD, name="good"))
            service.deploy(spec(source, name="bad", **{"timeout_seconds": 5.0, **fields}))
            good = await service.invoke("good")
            assert good.payload == b'"good"'

            children = await check(service) or []

            after = await service.invoke("good")
            assert (after.payload, after.environment) == (b'"good"', good.environment)
            await service.settled()
            pids = [each.pid for each in service.environments() if each.state is not State.RESET]
            await service.end("bad", how="shutdown")
            await service.end("good", how="shutdown")
            await until(lambda: all(map(gone, [*pids, *children])))

        run(scenario)

    return bad


def test_one_that_forks_and_leaves_its_children(bad: Any, cgroup: CgroupFreezer) -> None:
    source = """
        import os, time

        def lambda_handler(event, context):
            children = []
            for session in (False, True):
                child = os.fork()
                if child == 0:
                    if session:
                        os.setsid()
                    time.sleep(600)
                    os._exit(0)
                children.append(child)
            return children
    """

    async def check(service: LambdaService) -> list[int]:
        children: list[int] = []
        for _ in range(3):
            result = await service.invoke("bad")
            assert result.function_error is None, result.payload
            children += json.loads(result.payload)
        return children

    bad(source, check)


def test_one_that_forks_a_runtime_of_its_own_which_asks_for_events(bad: Any, cgroup: CgroupFreezer) -> None:
    source = """
        import http.client, os

        def lambda_handler(event, context):
            child = os.fork()
            if child == 0:
                connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
                connection.request("GET", "/2018-06-01/runtime/invocation/next")
                connection.getresponse().read()
                os._exit(0)
            os.waitpid(child, 0)
            return child
    """

    async def check(service: LambdaService) -> None:
        # The child gets the event that its parent has, and the parent's answer counts.
        for _ in range(2):
            assert (await service.invoke("bad")).function_error is None

    bad(source, check)


def test_one_that_leaks_threads(bad: Any) -> None:
    source = """
        import threading, time

        def lambda_handler(event, context):
            for _ in range(50):
                threading.Thread(target=time.sleep, args=(600,), daemon=event).start()
            return threading.active_count()
    """

    async def check(service: LambdaService) -> None:
        assert int((await service.invoke("bad", b"true")).payload) >= 50
        assert int((await service.invoke("bad", b"false")).payload) >= 100

    bad(source, check)


@pytest.mark.parametrize("ignores", [True, False], ids=["and ignores SIGTERM", "and can be told"])
def test_one_that_never_returns(bad: Any, ignores: bool) -> None:
    source = f"""
        import signal, time

        if {ignores}:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

        def lambda_handler(event, context):
            while True:
                pass
    """

    async def check(service: LambdaService) -> None:
        for _ in range(2):
            assert error(await service.invoke("bad")) == "Sandbox.Timedout"

    bad(source, check, timeout_seconds=0.7)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Runtime exited with error: signal: segmentation fault"),
        ("os.killpg(0, signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
    ],
)
def test_one_that_ends_its_process(bad: Any, statement: str, message: str) -> None:
    source = f"""
        import os, signal

        def lambda_handler(event, context):
            {statement}
    """

    async def check(service: LambdaService) -> None:
        for _ in range(2):
            result = await service.invoke("bad")
            assert json.loads(result.payload) == {
                "errorType": "Runtime.ExitError",
                "errorMessage": f"RequestId: {result.request_id} Error: {message}",
            }

    bad(source, check)


def test_one_that_binds_the_runtime_apis_port(bad: Any) -> None:
    source = """
        import os, socket

        def lambda_handler(event, context):
            port = int(os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")[2])
            refused = 0
            for address in ("127.0.0.1", "0.0.0.0"):
                for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                    attempt = socket.socket()
                    attempt.setsockopt(socket.SOL_SOCKET, option, 1)
                    try:
                        attempt.bind((address, port))
                        attempt.listen()
                    except OSError:
                        refused += 1
            return refused
    """

    async def check(service: LambdaService) -> None:
        for _ in range(2):
            assert (await service.invoke("bad")).payload == b"4"

    bad(source, check)


def test_one_that_closes_its_output(bad: Any) -> None:
    source = """
        import os

        def lambda_handler(event, context):
            print("before", flush=True)
            for descriptor in (0, 1, 2):
                os.close(descriptor)
            return "closed"
    """

    async def check(service: LambdaService) -> None:
        result = await service.invoke("bad")
        assert (result.payload, result.log_tail) == (b'"closed"', "before\n")
        # The second finds them closed, and is told so.
        assert (await service.invoke("bad")).function_error == "Unhandled"

    bad(source, check)


def test_one_that_deletes_its_folder(bad: Any) -> None:
    source = """
        import os, shutil

        def lambda_handler(event, context):
            if event == "crash":
                os._exit(1)
            shutil.rmtree(os.environ["LAMBDA_TASK_ROOT"], ignore_errors=True)
            return "deleted"
    """

    async def check(service: LambdaService) -> None:
        for _ in range(2):
            assert (await service.invoke("bad")).payload == b'"deleted"'
        assert error(await service.invoke("bad", b'"crash"')) == "Runtime.ExitError"
        # Another runtime of it can't start, and says why.
        result = await service.invoke("bad")
        assert error(result) == "Runtime.ExitError"
        (line,) = result.log_tail.splitlines()
        assert line.startswith("can't start in ")
        assert "No such file or directory" in line

    bad(source, check)


def test_one_that_posts_garbage(bad: Any, caplog: pytest.LogCaptureFixture) -> None:
    source = """
        import os, socket

        ANSWER = b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\n"
        GARBAGE = (
            b"\\x00" * 100,
            b"GET\\r\\n\\r\\n",
            ANSWER + b"Content-Length: 100\\r\\n\\r\\nshort",
            ANSWER + b"Transfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n",
            b"POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 2\\r\\n\\r\\n{}",
            b"PUT /2020-01-01/extension/register HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 2\\r\\n\\r\\n[]",
        )

        def lambda_handler(event, context):
            host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
            for garbage in GARBAGE:
                connection = socket.create_connection((host, int(port)))
                connection.sendall(garbage.replace(b"%s", context.aws_request_id.encode()))
                connection.close()
            return "posted"
    """

    async def check(service: LambdaService) -> None:
        for _ in range(3):
            assert (await service.invoke("bad")).payload == b'"posted"'

    bad(source, check)
    assert caplog.text == ""


def test_one_that_answers_for_itself_with_what_is_no_json(bad: Any) -> None:
    source = """
        import http.client, os

        def lambda_handler(event, context):
            connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
            connection.request("POST", path, b"\\xff no JSON")
            assert connection.getresponse().status == 202
    """

    async def check(service: LambdaService) -> None:
        result = await service.invoke("bad")
        assert (result.payload, result.function_error) == (b"\xff no JSON", None)
        # Its own answer came too late and was refused; that the runtime client takes that hard is the client's way.
        await service.settled()
        assert (await service.invoke("bad")).payload == b"\xff no JSON"

    bad(source, check)


@pytest.mark.parametrize("wait_for", ["spawn", "init", "invoke", "settle", "reset"])
def test_ctrl_c_at_any_moment_leaves_nothing(
    workspace: Any, spec: Spec, gone: Gone, until: Until, tmp_path: Any, wait_for: str
) -> None:
    source = f"""
        import os, time
        from pathlib import Path

        def at(moment):
            Path({str(tmp_path)!r}, moment).write_text(str(os.getpid()))
            if {wait_for!r} == moment:
                time.sleep(60)

        at("init")

        def lambda_handler(event, context):
            at("invoke")
            if {wait_for!r} == "reset":
                os._exit(1)
    """

    async def scenario() -> None:
        async with LambdaService(workspace) as service:
            service.deploy(spec(source))
            await service.invoke("app")
            await service.settled()
            await asyncio.sleep(60)

    async def interrupted() -> list[int]:
        task = asyncio.create_task(scenario())
        if wait_for == "spawn":
            # In the middle of starting.
            await asyncio.sleep(0.3)
        else:
            await until((tmp_path / ("init" if wait_for == "init" else "invoke")).exists)
        await asyncio.sleep(0.0 if wait_for in {"settle", "reset"} else 0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [int(file.read_text()) for file in tmp_path.glob("in*") if file.read_text()]

    before = set(workspace.directory.glob("*.pipe"))
    pids = asyncio.run(interrupted())
    assert all(map(gone, pids))
    # Nothing waits for the janitor: no pipe, and the tests' workspace sees that no process is left at its end.
    assert set(workspace.directory.glob("*.pipe")) == before
