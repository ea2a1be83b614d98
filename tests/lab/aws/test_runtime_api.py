from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from warmline.lab.aws import FunctionSpec, LambdaService, StartMode
from warmline.lab.aws.function import MAX_RESPONSE_BYTES
from warmline.lab.aws.runtime_api import Invocation, RuntimeAPI

if TYPE_CHECKING:
    from .conftest import Run, Spec

RUNTIME = "/2018-06-01/runtime"
EXTENSION = "/2020-01-01/extension"

ECHO = """
    def lambda_handler(event, context):
        return event
"""

Ask = Callable[..., Coroutine[Any, Any, tuple[int, Any]]]


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[RuntimeAPI, Ask]]:
    """
    An API without a runtime, and a way to ask it: the status and the JSON that it answers.
    """
    api = RuntimeAPI(FunctionSpec("app", Path("/nowhere")))
    address = await api.open()

    async def ask(method: str, path: str, body: str = "", **headers: str) -> tuple[int, Any]:
        named = {f"Lambda-Extension-{name.title()}": value for name, value in headers.items()}
        async with session.request(method, f"http://{address}{path}", data=body, headers=named) as response:
            return response.status, await response.json()

    async with aiohttp.ClientSession() as session:
        yield api, ask
        await api.close()


@pytest.mark.parametrize("what", ["response", "error"])
def test_an_answer_to_another_request_is_refused(what: str) -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            refused = (400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
            assert await ask("POST", f"{RUNTIME}/invocation/unknown/{what}", "1") == refused

            invocation = Invocation(b'{"a": 1}')
            api.give(invocation)
            assert await ask("GET", f"{RUNTIME}/invocation/next") == (200, {"a": 1})
            assert await ask("POST", f"{RUNTIME}/invocation/unknown/{what}", "1") == refused
            assert not invocation.outcome.done()

            accepted = (202, {"status": "OK"})
            path = f"{RUNTIME}/invocation/{invocation.request_id}/{what}"
            assert await ask("POST", path, "2") == accepted
            assert (await invocation.outcome).payload == b"2"
            assert (await invocation.outcome).error == (what == "error")
            assert await ask("POST", path, "3") == refused

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/2018-06-01/runtime/invocation"),
        ("POST", "/2018-06-01/runtime/invocation/next"),
        ("POST", "/2018-06-01/runtime/restore/next"),
        ("POST", "/2018-06-01/runtime/invocation/1/result"),
        ("PUT", "/2022-07-01/telemetry"),
    ],
)
def test_what_is_not_part_of_the_api_is_not_found(method: str, path: str) -> None:
    async def scenario() -> None:
        async with opened() as (_, ask):
            status, answer = await ask(method, path)
            assert status == 404
            assert answer == {"errorType": "NotFound", "errorMessage": f"{method} {path} is not part of the API"}

    asyncio.run(scenario())


def test_an_extension_that_registers_learns_about_the_function() -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            about = {"functionName": "app", "functionVersion": "$LATEST", "handler": "app.lambda_handler"}
            assert await ask("POST", f"{EXTENSION}/register", '{"events": []}', name="one") == (200, about)
            assert await ask("POST", f"{EXTENSION}/register", '{"events": ["INVOKE"]}', name="two") == (200, about)
            assert sorted(api.extensions.values()) == ["one", "two"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("other", '{"events": ["SHUTDOWN"]}', (403, "Extension.InvalidEventType")),
        ("other", '{"events": ["INVOKE", "SHUTDOWN"]}', (403, "Extension.InvalidEventType")),
        ("first", '{"events": []}', (403, "Extension.InvalidExtensionState")),
        ("", '{"events": []}', (403, "Extension.InvalidExtensionName")),
        ("other", "events", (400, "Extension.InvalidRequestFormat")),
        ("other", "[]", (400, "Extension.InvalidRequestFormat")),
        ("other", "null", (400, "Extension.InvalidRequestFormat")),
        ("other", '{"events": 5}', (400, "Extension.InvalidRequestFormat")),
        ("other", '{"events": "SHUTDOWN"}', (400, "Extension.InvalidRequestFormat")),
        ("other", "\udcff", (400, "Extension.InvalidRequestFormat")),
    ],
)
def test_a_registration_that_is_refused_says_why(name: str, body: str, expected: tuple[int, str]) -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            await ask("POST", f"{EXTENSION}/register", '{"events": []}', name="first")

            data = body.encode(errors="surrogateescape")
            status, answer = await ask("POST", f"{EXTENSION}/register", data, name=name)

            assert (status, answer["errorType"]) == expected
            assert list(api.extensions.values()) == ["first"]
            status, _ = await ask("POST", f"{EXTENSION}/register", '{"events": []}', name="second")
            assert status == 200

    asyncio.run(scenario())


def test_an_unknown_extension_does_not_get_events() -> None:
    async def scenario() -> None:
        async with opened() as (_, ask):
            for headers in ({}, {"identifier": "a84ceb8c-9ffa-4d5d-8b0a-3f1f0a9d8f6a"}):
                status, answer = await ask("GET", f"{EXTENSION}/event/next", **headers)
                assert (status, answer["errorType"]) == (403, "Extension.UnknownExtensionIdentifier")

    asyncio.run(scenario())


def test_requests_that_wait_end_with_the_api() -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            waiting = asyncio.create_task(ask("GET", f"{RUNTIME}/invocation/next"))
            assert await api.init is None

            await api.close()

            try:
                status, _ = await waiting
            except aiohttp.ClientError:
                return
            assert status == 500

    asyncio.run(scenario())


def test_handlers_talk_to_the_extensions_api_as_on_aws(run: Run, spec: Spec, start: StartMode) -> None:
    source = """
        import extension

        INIT = {
            "shutdown": extension.register("greedy", '{"events": ["SHUTDOWN"]}'),
            "malformed": extension.register("odd", "{"),
            "registered": extension.register(),
            "again": extension.register(),
            "unknown": extension.call("GET", "event/next", identifier="nobody"),
        }
        extension.wait_in_background(INIT["registered"][1])

        def lambda_handler(event, context):
            return {**INIT, "late": extension.register("late")}
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, start=start))
        for _ in range(2):
            result = await service.invoke("app")

            answers = {name: (status, kind) for name, (status, _, kind) in json.loads(result.payload).items()}

            assert answers == {
                "shutdown": (403, "Extension.InvalidEventType"),
                "malformed": (400, "Extension.InvalidRequestFormat"),
                "registered": (200, ""),
                "again": (403, "Extension.InvalidExtensionState"),
                "unknown": (403, "Extension.UnknownExtensionIdentifier"),
                "late": (403, "Extension.RegistrationClosed"),
            }

    run(scenario)


def test_five_megabytes_pass_both_ways(run: Run, spec: Spec, start: StartMode) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(ECHO, start=start))
        payload = json.dumps("ä" + "x" * 5_000_000, ensure_ascii=False).encode()
        for _ in range(2):
            result = await service.invoke("app", payload)
            assert result.function_error is None
            assert json.loads(result.payload) == json.loads(payload)

    run(scenario)


@pytest.mark.parametrize("size", [MAX_RESPONSE_BYTES + 1, 5 * MAX_RESPONSE_BYTES])
def test_a_response_over_the_limit_becomes_an_error_and_the_function_goes_on(run: Run, spec: Spec, size: int) -> None:
    source = """
        def lambda_handler(event, context):
            return "x" * (event - 2)  # and two quotes
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source))
        assert (await service.invoke("app", str(MAX_RESPONSE_BYTES).encode())).function_error is None

        result = await service.invoke("app", str(size).encode())

        assert result.function_error == "Unhandled"
        message = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
        assert json.loads(result.payload) == {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": message,
        }
        assert (await service.invoke("app", b"10")).function_error is None

    run(scenario)


# The first goes into the header for X-Ray as well; the other is too large for that.
@pytest.mark.parametrize("size", [900_000, 3_000_000])
def test_an_error_with_a_huge_message_arrives_whole(run: Run, spec: Spec, size: int) -> None:
    source = """
        def lambda_handler(event, context):
            if event:
                raise ValueError("x" * event)
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source))

        result = await service.invoke("app", str(size).encode())

        error = json.loads(result.payload)
        assert result.function_error == "Unhandled"
        assert error["errorType"] == "ValueError"
        assert error["errorMessage"] == "x" * size
        again = await service.invoke("app", b"0")
        assert (again.function_error, again.environment) == (None, result.environment)

    run(scenario)
