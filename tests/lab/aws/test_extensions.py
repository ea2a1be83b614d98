from __future__ import annotations

import asyncio
import json
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import Environment, Freezer, FunctionSpec, LambdaService, ShutdownReason, State
from warmline.lab.aws.invocation import Invocation
from warmline.lab.errors import UnusableFunction

if TYPE_CHECKING:
    from .conftest import Gone, OpenEnvironment, Run, Spec, Until

EXTERNAL = Path(__file__).with_name("functions") / "external.py"

HANDLER = """
    def lambda_handler(event, context):
        return event
"""

INTERNAL = """
    import extension

    extension.wait_in_background(extension.register()[1])
"""

# Notes what it is told until the end.
LISTENS = """
    identifier = register("INVOKE", "SHUTDOWN")
    note("registered")
    while True:
        event = next_event(identifier)
        note(event)
        if event["eventType"] == "SHUTDOWN":
            break
"""

Notes = Callable[[], list[list[Any]]]
With = Callable[..., FunctionSpec]


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    """
    What the extensions have put on the record.
    """

    def notes() -> list[list[Any]]:
        file = tmp_path / "notes"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return notes


@pytest.fixture
def with_extensions(spec: Spec, tmp_path: Path) -> With:
    """
    Describe a function that has these external extensions, by name.
    """

    def with_extensions(source: str, extensions: dict[str, str], **fields: Any) -> FunctionSpec:
        folder = tmp_path / "extensions"
        folder.mkdir()
        for name, text in extensions.items():
            file = folder / name
            file.write_text(f"#!{sys.executable}\n{EXTERNAL.read_text()}\n{textwrap.dedent(text)}")
            file.chmod(0o755)
        environment = {"NOTES": str(tmp_path / "notes")}
        return spec(source, extensions=folder, environment=environment, **fields)

    return with_extensions


def state(opened: Environment) -> State:
    """
    Where it stands; to the type checker the property itself would never change.
    """
    return opened.state


def test_external_extensions_are_told_of_invocations_and_of_the_end(
    environment: OpenEnvironment, with_extensions: With, notes: Notes, freezer: Freezer
) -> None:
    async def scenario() -> None:
        function = with_extensions(HANDLER, {"one": LISTENS, "two": LISTENS})
        async with environment(function, freezer) as opened:
            assert await opened.start() is None
            invocation = Invocation(b"7")
            assert (await opened.invoke(invocation)).payload == b"7"
            await opened.settle()
            assert state(opened) is State.FROZEN

            before = time.time()
            ending = await opened.shutdown()

            assert ending.extensions == {"one": 0, "two": 0}
            for name in ("one", "two"):
                registered, invoke, shutdown = (what for who, what in notes() if who == name)
                assert registered == "registered"
                assert invoke == {
                    "eventType": "INVOKE",
                    "deadlineMs": int(invocation.deadline * 1000),
                    "requestId": invocation.request_id,
                    "invokedFunctionArn": function.arn,
                    "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
                }
                assert (shutdown["eventType"], shutdown["shutdownReason"]) == ("SHUTDOWN", "spindown")
                assert before + 1.9 < shutdown["deadlineMs"] / 1000 < time.time() + 2

    asyncio.run(scenario())


def test_the_runtime_starts_when_the_extensions_have_registered_and_init_ends_when_they_wait(
    environment: OpenEnvironment, with_extensions: With, notes: Notes, until: Until, tmp_path: Path
) -> None:
    function = """
        import os, json
        from pathlib import Path

        with Path(os.environ["NOTES"]).open("a") as file:
            file.write(json.dumps(["runtime", "imported"]) + "\\n")

        def lambda_handler(event, context): ...
    """
    slow = """
        import time
        def wait_for(file):
            while not Path(os.environ["NOTES"]).with_name(file).exists():
                time.sleep(0.005)

        note("started")
        wait_for("register")
        identifier = register("INVOKE")
        wait_for("next")
        next_event(identifier)
    """

    async def scenario() -> None:
        async with environment(with_extensions(function, {"slow": slow})) as opened:
            init = asyncio.create_task(opened.start())
            await until(lambda: ["slow", "started"] in notes())
            await asyncio.sleep(0.1)
            assert notes() == [["slow", "started"]]

            (tmp_path / "register").touch()
            await until(lambda: ["runtime", "imported"] in notes())
            await until(lambda: opened.waiting_workers)
            await asyncio.sleep(0.05)
            assert not init.done()

            (tmp_path / "next").touch()
            assert await init is None

    asyncio.run(scenario())


def test_an_extension_finds_the_functions_variables_but_not_the_runtimes(
    environment: OpenEnvironment, with_extensions: With, notes: Notes
) -> None:
    tells = """
        identifier = register()
        note(sorted(os.environ))
        next_event(identifier)
    """

    async def scenario() -> None:
        async with environment(with_extensions(HANDLER, {"tells": tells})) as opened:
            assert await opened.start() is None
            ((_, found),) = notes()
            assert {"AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ACCESS_KEY_ID", "NOTES"} <= set(found)
            runtimes = {"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "_HANDLER"}
            assert not runtimes & set(found)

    asyncio.run(scenario())


def test_the_environment_is_idle_when_the_extensions_are_done_too(
    run: Run, with_extensions: With, tmp_path: Path, until: Until, notes: Notes
) -> None:
    slow = """
        import time
        identifier = register("INVOKE")
        while True:
            note(next_event(identifier)["eventType"])
            while not Path(os.environ["NOTES"]).with_name("go").exists():
                time.sleep(0.005)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(with_extensions(HANDLER, {"slow": slow}))
        # The answer does not wait for the extension, the next invocation of the environment does.
        await service.invoke("app")
        await until(lambda: notes())
        (opened,) = service.environments()
        assert state(opened) is State.BUSY
        (tmp_path / "go").touch()
        await service.settled()
        assert state(opened) is State.FROZEN

    run(scenario)


def test_an_internal_extension_gets_invocations_and_must_wait_again(
    environment: OpenEnvironment, spec: Spec, until: Until
) -> None:
    source = """
        import json, threading, time
        from pathlib import Path
        import extension

        identifier = extension.register(body='{"events": ["INVOKE"]}')[1]

        def attend():
            while True:
                event = extension.next_event(identifier)
                Path("event").write_text(json.dumps(event))
                while not Path("go").exists():
                    time.sleep(0.005)

        threading.Thread(target=attend, daemon=True).start()

        def lambda_handler(event, context):
            return context.aws_request_id
    """

    async def scenario() -> None:
        function = spec(source)
        async with environment(function) as opened:
            assert await opened.start() is None
            invocation = Invocation(b"{}")
            assert json.loads((await opened.invoke(invocation)).payload) == invocation.request_id
            settling = asyncio.create_task(opened.settle())
            await until((function.code / "event").exists)
            await asyncio.sleep(0.05)
            assert not settling.done()

            (function.code / "go").touch()
            await settling

            assert state(opened) is State.FROZEN
            event = json.loads((function.code / "event").read_text())
            assert (event["eventType"], event["requestId"]) == ("INVOKE", invocation.request_id)

    asyncio.run(scenario())


def test_extensions_that_go_on_past_the_timeout_reset_the_environment(
    environment: OpenEnvironment, with_extensions: With, notes: Notes
) -> None:
    dawdles = """
        import time
        identifier = register("INVOKE", "SHUTDOWN")
        next_event(identifier)
        time.sleep(0.8)
        note(next_event(identifier)["shutdownReason"])
    """

    async def scenario() -> None:
        async with environment(with_extensions(HANDLER, {"dawdles": dawdles}, timeout_seconds=0.5)) as opened:
            assert await opened.start() is None
            # Its caller has the answer already.
            assert not (await opened.invoke(Invocation(b"{}"))).error
            await opened.settle()
            assert notes() == [["dawdles", "timeout"]]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("handler", "reason"), [("import time; time.sleep(60)", "timeout"), ("import os; os._exit(3)", "failure")]
)
def test_extensions_are_told_why_the_environment_ends(
    environment: OpenEnvironment, with_extensions: With, notes: Notes, handler: str, reason: str
) -> None:
    source = f"""
    def lambda_handler(event, context):
        {handler}
    """

    async def scenario() -> None:
        async with environment(with_extensions(source, {"listens": LISTENS}, timeout_seconds=0.3)) as opened:
            assert await opened.start() is None
            assert (await opened.invoke(Invocation(b"{}"))).error
            await opened.settle()
            assert notes()[-1][1]["shutdownReason"] == reason

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("internal", "runtime_ms"), [(False, 300), (True, 500)], ids=["external only", "and an internal one"]
)
def test_the_shutdown_phase_takes_two_seconds_at_most_and_the_runtime_has_its_part_of_it(
    environment: OpenEnvironment,
    with_extensions: With,
    freezer: Freezer,
    notes: Notes,
    internal: bool,
    runtime_ms: int,
) -> None:
    ignores = "\n    import signal\n\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    stays = """
        import time
        identifier = register("SHUTDOWN")
        note([next_event(identifier)["deadlineMs"], time.time() * 1000])
        time.sleep(60)
    """

    async def scenario() -> None:
        source = ignores + (INTERNAL if internal else "") + HANDLER
        async with environment(with_extensions(source, {"stays": stays}), freezer) as opened:
            assert await opened.start() is None
            await opened.settle()

            ending = await opened.shutdown()

            assert ending.exit_code == -9
            assert ending.extensions == {"stays": -9}
            assert ending.killed_after_ms is not None
            assert runtime_ms <= ending.killed_after_ms < runtime_ms + 1000
            assert 2000 <= ending.milliseconds < 3500
            ((_, (deadline, told)),) = notes()
            # It is told after the runtime has ended, of a deadline that was set before.
            assert told > deadline - 2000 + runtime_ms - 1

    asyncio.run(scenario())


def test_an_extension_that_did_not_ask_for_the_shutdown_is_killed_when_the_runtime_has_ended(
    environment: OpenEnvironment, with_extensions: With
) -> None:
    async def scenario() -> None:
        stays = 'next_event(register("INVOKE"))'
        async with environment(with_extensions(INTERNAL + HANDLER, {"stays": stays})) as opened:
            assert await opened.start() is None

            ending = await opened.shutdown()

            assert ending.exit_code == -15
            assert ending.extensions == {"stays": -9}
            assert ending.killed_after_ms is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("extension", "kind", "how"),
    [
        ("sys.exit(0)", "Extension.Crash", "exit code 0"),
        ("sys.exit(3)", "Extension.Crash", "exit status 3"),
        ("register(); os.kill(os.getpid(), 9)", "Extension.Crash", "signal: killed"),
        (
            'ask("POST", "init/error", identifier=register(), function_error_type="Extension.NoKey"); sys.exit(1)',
            "Extension.InitError",
            "exit status 1",
        ),
    ],
)
def test_an_extension_that_fails_in_init_fails_it(
    environment: OpenEnvironment, with_extensions: With, gone: Gone, extension: str, kind: str, how: str
) -> None:
    async def scenario() -> None:
        async with environment(with_extensions(HANDLER, {"fails": extension, "listens": LISTENS})) as opened:
            failed = await opened.start(request_id="1")
            assert failed is not None
            assert json.loads(failed.payload) == {"errorType": kind, "errorMessage": f"RequestId: 1 Error: {how}"}
            assert not list(opened._domain.alive())

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        ("next_event(register('INVOKE')); sys.exit(2)", "Extension.Crash"),
        (
            'identifier = register("INVOKE"); next_event(identifier); '
            'ask("POST", "exit/error", identifier=identifier, function_error_type="Extension.Full"); sys.exit(2)',
            "Extension.ExitError",
        ),
    ],
)
def test_an_extension_that_ends_in_an_invocation_ends_it(
    environment: OpenEnvironment, with_extensions: With, extension: str, kind: str
) -> None:
    source = """
        import time

        def lambda_handler(event, context):
            time.sleep(60)
    """

    async def scenario() -> None:
        async with environment(with_extensions(source, {"ends": extension})) as opened:
            assert await opened.start() is None
            invocation = Invocation(b"{}")
            outcome = await opened.invoke(invocation)
            assert json.loads(outcome.payload) == {
                "errorType": kind,
                "errorMessage": f"RequestId: {invocation.request_id} Error: exit status 2",
            }
            await opened.settle()
            assert not list(opened._domain.alive())

    asyncio.run(scenario())


def test_a_file_that_can_not_be_started_fails_init(environment: OpenEnvironment, with_extensions: With) -> None:
    async def scenario() -> None:
        function = with_extensions(HANDLER, {"notes.txt": ""})
        assert function.extensions is not None
        (function.extensions / "notes.txt").chmod(0o644)
        (function.extensions / "folder").mkdir()
        async with environment(function) as opened:
            failed = await opened.start(request_id="1")
            assert failed is not None
            message = "RequestId: 1 Error: fork/exec /opt/extensions/notes.txt: permission denied"
            assert json.loads(failed.payload) == {"errorType": "Extension.LaunchError", "errorMessage": message}

    asyncio.run(scenario())


def test_more_than_ten_extensions_or_no_folder_of_them_are_refused(
    run: Run, with_extensions: With, spec: Spec, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        many = with_extensions(HANDLER, {f"extension-{number}": "" for number in range(11)})
        with pytest.raises(UnusableFunction, match=r"has 11 extensions in .*: Lambda starts 10 at most"):
            service.deploy(many)
        with pytest.raises(UnusableFunction, match=r"can't be read: .*nowhere: No such file or directory; name a"):
            service.deploy(spec(HANDLER, extensions=tmp_path / "nowhere"))

    run(scenario)


def test_the_reason_of_a_shutdown_is_a_spindown_unless_said_otherwise(
    environment: OpenEnvironment, with_extensions: With, notes: Notes
) -> None:
    async def scenario() -> None:
        async with environment(with_extensions(HANDLER, {"listens": LISTENS})) as opened:
            assert await opened.start() is None
            await opened.shutdown(ShutdownReason.FAILURE)
            assert notes()[-1][1]["shutdownReason"] == "failure"

    asyncio.run(scenario())
