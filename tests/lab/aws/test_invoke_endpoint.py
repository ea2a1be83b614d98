from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from warmline.lab.aws import LambdaService, StartMode
from warmline.lab.aws.function import MAX_PAYLOAD_BYTES
from warmline.lab.aws.invoke_endpoint import InvokeEndpoint

if TYPE_CHECKING:
    from .conftest import Client, Run, Spec, Until

ECHO = """
    def lambda_handler(event, context):
        return event
"""


async def invoke(client: Any, payload: bytes = b"{}", name: str = "app", **arguments: Any) -> tuple[Any, Any]:
    """
    Call Lambda's Invoke with boto3: its answer, and the JSON in it.
    """

    def call() -> tuple[Any, Any]:
        answer = client.invoke(FunctionName=name, Payload=payload, **arguments)
        text = answer["Payload"].read()
        return answer, json.loads(text) if text else None

    return await asyncio.to_thread(call)


async def refusal(call: Coroutine[Any, Any, Any]) -> tuple[int, str, str]:
    """
    The status, the code and the message that a call is refused with.
    """
    with pytest.raises(ClientError) as caught:
        await call
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_boto3_gets_the_answer_of_the_handler(run: Run, spec: Spec, client: Client, start: StartMode) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO, start=start, version="3"))
        async with InvokeEndpoint(service) as endpoint:
            answer, payload = await invoke(client(endpoint), '{"order": "ä 🐙"}'.encode())

            assert payload == {"order": "ä 🐙"}
            assert answer["StatusCode"] == 200
            assert answer["ExecutedVersion"] == "3"
            assert "FunctionError" not in answer
            assert "LogResult" not in answer
            assert len(answer["ResponseMetadata"]["RequestId"]) == 36

    run(scenario)


def test_without_a_payload_the_event_is_an_empty_object(run: Run, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        async with InvokeEndpoint(service) as endpoint:
            assert (await invoke(client(endpoint), b""))[1] == {}

    run(scenario)


# Handler, and the errorType and errorMessage; "ID" stands for the request's.
FAILURES = {
    "raises": (
        "raise KeyError('order')",
        ("KeyError", "'order'"),
    ),
    "times out": (
        "import time; time.sleep(60)",
        ("Sandbox.Timedout", "RequestId: ID Error: Task timed out after 1.00 seconds"),
    ),
    "exits": (
        "import os; os._exit(3)",
        ("Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3"),
    ),
    "exits without an error": (
        "import os; os._exit(0)",
        ("Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason"),
    ),
    "is killed": (
        "import os; os.kill(os.getpid(), 9)",
        ("Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: signal: killed"),
    ),
    "returns no JSON": (
        "return {1, 2}",
        ("Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"),
    ),
}


@pytest.mark.parametrize(("failure", "expected"), FAILURES.values(), ids=FAILURES.keys())
def test_a_handler_that_fails_is_an_answer_with_a_function_error(
    run: Run, spec: Spec, client: Client, start: StartMode, failure: str, expected: tuple[str, str]
) -> None:
    source = f"""
        def lambda_handler(event, context):
            if event != "fail":
                return event
            {failure}
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start, timeout_seconds=1))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            before = await service.invoke("app", b"1")
            (environment,) = service.environments()
            pid = environment.pid

            answer, error = await invoke(lambda_client, b'"fail"')

            assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
            kind, message = expected
            assert error["errorType"] == kind
            assert error["errorMessage"] == message.replace("ID", answer["ResponseMetadata"]["RequestId"])
            after = await service.invoke("app", b"1")
            assert (after.payload, after.environment) == (b"1", before.environment)
            # An error that the runtime has caught and told of leaves its environment as it was; after any other there
            # is another runtime in it.
            assert (environment.pid == pid) == (not kind.startswith(("Sandbox", "Runtime.ExitError")))

    run(scenario)


def test_a_handlers_error_comes_with_its_stack_trace(run: Run, spec: Spec, client: Client, start: StartMode) -> None:
    source = """
        def find(order):
            raise LookupError(f"no order {order}")

        def lambda_handler(event, context):
            find(event)
    """

    async def scenario(service: LambdaService) -> None:
        function = spec(source, start=start)
        service.deploy(function)
        async with InvokeEndpoint(service) as endpoint:
            answer, error = await invoke(client(endpoint), b"7", LogType="Tail")

            assert error["requestId"] == answer["ResponseMetadata"]["RequestId"]
            assert (error["errorType"], error["errorMessage"]) == ("LookupError", "no order 7")
            file = function.code / "app.py"
            assert error["stackTrace"] == [
                f'  File "{file}", line 6, in lambda_handler\n    find(event)\n',
                f'  File "{file}", line 3, in find\n    raise LookupError(f"no order {{order}}")\n',
            ]
            assert "[ERROR] LookupError: no order 7" in base64.b64decode(answer["LogResult"]).decode()

    run(scenario)


# The module (or the handler's name), and the errorType and errorMessage.
INIT_FAILURES = {
    "imports what is not there": (
        "import no_such_module",
        ("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'no_such_module'"),
    ),
    "is not Python": (
        "def broken(:",
        ("Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)"),
    ),
    "has no handler": (
        "",
        ("Runtime.HandlerNotFound", "Handler 'lambda_handler' missing on module 'app'"),
    ),
    "raises": (
        "raise RuntimeError('no configuration')",
        ("RuntimeError", "no configuration"),
    ),
    "exits": (
        "import os; os._exit(4)",
        ("Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 4"),
    ),
}


@pytest.mark.parametrize(("source", "expected"), INIT_FAILURES.values(), ids=INIT_FAILURES.keys())
def test_a_module_that_fails_is_an_answer_with_a_function_error(
    run: Run, spec: Spec, client: Client, start: StartMode, source: str, expected: tuple[str, str]
) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(source, start=start)
        service.deploy(function)
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)

            answer, error = await invoke(lambda_client)

            assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
            kind, message = expected
            assert error["errorType"] == kind
            assert error["errorMessage"] == message.replace("ID", answer["ResponseMetadata"]["RequestId"])
            if kind == "RuntimeError":
                assert error["stackTrace"][-1].startswith(f'  File "{function.code}/app.py", line 1, in <module>')
            # Every invocation tries again.
            spec(ECHO)
            _, payload = await invoke(lambda_client, b"1")
            assert payload == 1

    run(scenario)


def test_reserved_concurrency_is_too_many_requests(
    run: Run, spec: Spec, client: Client, until: Until, tmp_path: Path
) -> None:
    source = f"""
        import time
        from pathlib import Path

        def lambda_handler(event, context):
            Path("{tmp_path}/started").touch()
            while not Path("{tmp_path}/end").exists():
                time.sleep(0.005)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, reserved_concurrency=1))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            running = asyncio.create_task(invoke(lambda_client))
            await until((tmp_path / "started").exists)

            with pytest.raises(lambda_client.exceptions.TooManyRequestsException) as caught:
                await invoke(lambda_client)

            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
            assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
            assert caught.value.response["Error"]["Message"] == "Rate Exceeded."
            (tmp_path / "end").touch()
            await running
            for _ in range(5):
                assert (await invoke(lambda_client))[0]["StatusCode"] == 200

    run(scenario)


@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_an_unknown_function_is_not_found(run: Run, client: Client, kind: str) -> None:
    async def scenario(service: LambdaService) -> None:
        async with InvokeEndpoint(service) as endpoint:
            arn = "arn:aws:lambda:us-east-1:123456789012:function:orders"
            expected = (404, "ResourceNotFoundException", f"Function not found: {arn}")
            assert await refusal(invoke(client(endpoint), name="orders", InvocationType=kind)) == expected

    run(scenario)


@pytest.mark.parametrize("payload", [b"order", b'{"order": ', b"\xff\xfe\xfd", b"'order'"])
def test_a_payload_that_is_not_json_is_refused(run: Run, spec: Spec, client: Client, payload: bytes) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        async with InvokeEndpoint(service) as endpoint:
            status, code, message = await refusal(invoke(client(endpoint), payload))
            assert (status, code) == (400, "InvalidRequestContentException")
            assert message.startswith("Could not parse request body into json: ")
            assert list(service.environments()) == []

    run(scenario)


def test_a_payload_over_the_limit_is_refused(run: Run, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec("def lambda_handler(event, context): return len(event)"))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            largest = json.dumps("x" * (MAX_PAYLOAD_BYTES - 2)).encode()
            assert (await invoke(lambda_client, largest))[1] == MAX_PAYLOAD_BYTES - 2

            message = "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
            refused = await refusal(invoke(lambda_client, largest + b" "))
            assert refused == (413, "RequestTooLargeException", message)

    run(scenario)


WRITES = """
    import json
    from pathlib import Path

    def lambda_handler(event, context):
        Path("written").write_text(json.dumps(event))
"""


def test_an_event_is_accepted_and_runs_later(run: Run, spec: Spec, client: Client, until: Until) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(WRITES)
        service.deploy(function)
        async with InvokeEndpoint(service) as endpoint:
            answer, payload = await invoke(client(endpoint), b"[7]", InvocationType="Event")

            assert (answer["StatusCode"], payload) == (202, None)
            assert "FunctionError" not in answer
            written = function.code / "written"
            await until(lambda: written.exists() and written.read_text() == "[7]")

    run(scenario)


def test_an_event_that_still_runs_ends_with_the_endpoint(run: Run, spec: Spec, client: Client, until: Until) -> None:
    async def scenario(service: LambdaService) -> None:
        function = spec(WRITES + "        import time; time.sleep(60)\n")
        service.deploy(function)
        async with InvokeEndpoint(service) as endpoint:
            await invoke(client(endpoint), InvocationType="Event")
            await until((function.code / "written").exists)

        assert list(service.environments()) == []
        assert service.function("app").in_flight == 0

    run(scenario)


def test_a_dry_run_runs_nothing(run: Run, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        async with InvokeEndpoint(service) as endpoint:
            answer, payload = await invoke(client(endpoint), InvocationType="DryRun")

            assert (answer["StatusCode"], payload) == (204, None)
            assert list(service.environments()) == []

    run(scenario)


def test_the_log_comes_with_the_answer_on_request(run: Run, spec: Spec, client: Client, start: StartMode) -> None:
    source = """
        def lambda_handler(event, context):
            print(event)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            answer, _ = await invoke(lambda_client, '"order ä"'.encode(), LogType="Tail")
            first, printed, end, report = base64.b64decode(answer["LogResult"]).decode().splitlines()
            request = answer["ResponseMetadata"]["RequestId"]
            assert first == f"START RequestId: {request} Version: $LATEST"
            assert printed == "order ä"
            assert end == f"END RequestId: {request}"
            parts = [part.partition(": ")[0] for part in report.rstrip("\t").split("\t")]
            assert parts == [
                "REPORT RequestId",
                "Duration",
                "Billed Duration",
                "Memory Size",
                "Init Duration",
            ]

            answer, _ = await invoke(lambda_client, json.dumps("x" * 5000 + "end").encode(), LogType="Tail")
            log = base64.b64decode(answer["LogResult"])
            assert len(log) == 4096
            assert b"xend\nEND RequestId: " in log
            assert b"Init Duration" not in log

    run(scenario)


@pytest.mark.parametrize(
    "name",
    [
        "app:$LATEST",
        "arn:aws:lambda:us-east-1:123456789012:function:app",
        "arn:aws:lambda:us-east-1:123456789012:function:app:$LATEST",
        "123456789012:function:app",
    ],
)
def test_a_function_has_all_the_names_it_has_on_aws(run: Run, spec: Spec, client: Client, name: str) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO))
        async with InvokeEndpoint(service) as endpoint:
            assert (await invoke(client(endpoint), b"1", name=name))[1] == 1

    run(scenario)


CONTEXT = """
    def lambda_handler(event, context):
        return context.client_context.custom
"""


@pytest.mark.parametrize("indent", [None, 2])
def test_the_client_context_reaches_the_handler(
    run: Run, spec: Spec, client: Client, start: StartMode, indent: int | None
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(CONTEXT, start=start))
        async with InvokeEndpoint(service) as endpoint:
            context = json.dumps({"custom": {"shop": "Köln"}}, ensure_ascii=False, indent=indent)
            encoded = base64.b64encode(context.encode()).decode()

            assert (await invoke(client(endpoint), ClientContext=encoded))[1] == {"shop": "Köln"}

    run(scenario)


@pytest.mark.parametrize("context", [b"no JSON", b"\xff", None])
def test_a_client_context_that_cannot_be_read_is_refused(
    run: Run, spec: Spec, client: Client, context: bytes | None
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(CONTEXT))
        async with InvokeEndpoint(service) as endpoint:
            encoded = "no base64!" if context is None else base64.b64encode(context).decode()
            status, code, _ = await refusal(invoke(client(endpoint), ClientContext=encoded))
            assert (status, code) == (400, "InvalidRequestContentException")

    run(scenario)
