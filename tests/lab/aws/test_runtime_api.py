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
from warmline.lab.aws.invocation import Invocation
from warmline.lab.aws.runtime_api import RuntimeAPI

if TYPE_CHECKING:
    from .conftest import Run, Spec, Until

RUNTIME = "/2018-06-01/runtime"
EXTENSION = "/2020-01-01/extension"

ECHO = """
    def lambda_handler(event, context):
        return event
"""

ACCEPTED = (202, {"status": "OK"})
WITH_CAUSE = "application/vnd.aws.lambda.error.cause+json"

Ask = Callable[..., Coroutine[Any, Any, tuple[int, Any]]]


@asynccontextmanager
async def opened(*external: str, **fields: Any) -> AsyncIterator[tuple[RuntimeAPI, Ask]]:
    """
    An API without a runtime, and a way to ask it: the status and the JSON (or text) that it answers.
    """
    api = RuntimeAPI(FunctionSpec("app", Path("/nowhere"), **fields), external)
    address = await api.open()

    async def ask(method: str, path: str, body: str | bytes = "", **headers: str) -> tuple[int, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with session.request(method, f"http://{address}{path}", data=body, headers=named) as response:
            text = await response.text()
            return response.status, json.loads(text) if response.content_type == "application/json" else text

    async with aiohttp.ClientSession() as session:
        yield api, ask
        await api.close()


async def invoked(api: RuntimeAPI, ask: Ask) -> Invocation:
    """
    Give the runtime an event.
    """
    invocation = Invocation(b'{"a": 1}')
    api.give(invocation)
    assert await ask("GET", f"{RUNTIME}/invocation/next") == (200, {"a": 1})
    return invocation


def refused(status: int, kind: str, message: str) -> tuple[int, dict[str, str]]:
    return status, {"errorType": kind, "errorMessage": message}


def no_way(origin: str, to: str, of: str = "runtime") -> tuple[int, dict[str, str]]:
    kind = "InvalidStateTransition" if of == "runtime" else "Extension.InvalidExtensionState"
    way = f"State transition from {origin} to {to} failed for {of}"
    return refused(403, kind, f"{way}. Error: State transition is not allowed")


@pytest.mark.parametrize("what", ["response", "error"])
def test_an_answer_to_another_request_is_refused(what: str) -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            invalid = refused(400, "InvalidRequestID", "Invalid request ID")
            assert await ask("POST", f"{RUNTIME}/invocation/unknown/{what}", "1") == invalid

            invocation = await invoked(api, ask)
            assert await ask("POST", f"{RUNTIME}/invocation/unknown/{what}", "1") == invalid
            assert not invocation.outcome.done()

            path = f"{RUNTIME}/invocation/{invocation.request_id}/{what}"
            assert await ask("POST", path, "2") == ACCEPTED
            assert (await invocation.outcome).payload == b"2"
            assert (await invocation.outcome).error == (what == "error")

            again = "InvocationErrorResponse" if what == "error" else "InvocationResponse"
            assert await ask("POST", path, "3") == no_way("ResponseSent", again)
            await invoked(api, ask)
            assert await ask("POST", path, "3") == invalid

    asyncio.run(scenario())


def test_a_runtime_that_asks_again_before_it_has_answered_gets_the_same_event() -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            invocation = await invoked(api, ask)
            assert await ask("GET", f"{RUNTIME}/invocation/next") == (200, {"a": 1})
            assert await ask("POST", f"{RUNTIME}/invocation/{invocation.request_id}/response", "1") == ACCEPTED

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("posted", "headers", "expected"),
    [
        ("no JSON", {}, "no JSON"),
        ("{}", {"Lambda_Runtime_Function_Error_Type": "not of the form"}, "{}"),
        ('{"errorType": "A", "errorCause": {"b": 1}}', {"Content_Type": WITH_CAUSE}, '{"errorType": "A"}'),
        ("no JSON", {"Content_Type": WITH_CAUSE}, '"Invalid error body"'),
        ("5", {"Content_Type": WITH_CAUSE}, '"Invalid error body"'),
    ],
)
def test_an_error_reaches_the_caller_as_it_was_posted_but_for_its_cause(
    posted: str, headers: dict[str, str], expected: str
) -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            invocation = await invoked(api, ask)
            path = f"{RUNTIME}/invocation/{invocation.request_id}/error"
            assert await ask("POST", path, posted, **headers) == ACCEPTED
            outcome = await invocation.outcome
            assert (outcome.payload.decode(), outcome.error) == (expected, True)

    asyncio.run(scenario())


def test_a_response_of_an_unknown_mode_is_refused_and_ends_the_invocation() -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            invocation = await invoked(api, ask)
            path = f"{RUNTIME}/invocation/{invocation.request_id}/response"
            expected = refused(400, "InvalidFunctionResponseMode", "Invalid function response mode")
            assert await ask("POST", path, "1", Lambda_Runtime_Function_Response_Mode="buffered") == expected
            assert (await invocation.outcome).error
            assert await ask("POST", path, "1") == no_way("ResponseSent", "InvocationResponse")

    asyncio.run(scenario())


def test_an_error_of_init_comes_before_the_first_event_and_once() -> None:
    async def scenario() -> None:
        async with opened() as (api, ask):
            assert await ask("POST", f"{RUNTIME}/init/error", "no JSON") == ACCEPTED
            outcome = await api.init
            assert outcome is not None
            assert (outcome.payload, outcome.error) == (b"no JSON", True)
            assert await ask("POST", f"{RUNTIME}/init/error", "{}") == no_way("InitError", "InitError")
            assert await ask("GET", f"{RUNTIME}/invocation/next") == no_way("InitError", "Ready")
        async with opened() as (api, ask):
            await invoked(api, ask)
            assert await ask("POST", f"{RUNTIME}/init/error", "{}") == no_way("Running", "InitError")

    asyncio.run(scenario())


def test_the_restore_is_part_of_the_api_with_snap_start_only_and_in_its_order() -> None:
    async def scenario() -> None:
        async with opened(initialization="snap-start") as (api, ask):
            assert await ask("POST", f"{RUNTIME}/restore/error", "{}") == no_way("Started", "RestoreError")
            restoring = asyncio.create_task(ask("GET", f"{RUNTIME}/restore/next"))
            assert await api.init is None
            assert await ask("GET", f"{RUNTIME}/restore/next") == no_way("RestoreReady", "RestoreReady")
            api.restore()
            assert (await restoring)[0] == 200
            assert await ask("POST", f"{RUNTIME}/restore/error", "{}") == ACCEPTED
            assert await ask("GET", f"{RUNTIME}/invocation/next") == no_way("RestoreError", "Ready")
        async with opened() as (_, ask):
            assert (await ask("GET", f"{RUNTIME}/restore/next"))[0] == 404
            assert (await ask("POST", f"{RUNTIME}/restore/error"))[0] == 404

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/2018-06-01/runtime/invocation", 404),
        ("GET", "/2018-06-01/runtime/invocation/next/", 404),
        ("GET", "/2020-01-01/runtime/invocation/next", 404),
        ("POST", "/2018-06-01/runtime/invocation/1/result", 404),
        ("POST", "/2018-06-01/runtime/invocation//response", 404),
        ("POST", "/2018-06-01/runtime/invocation/next", 405),
        ("GET", "/2018-06-01/runtime/invocation/1/response", 405),
        ("GET", "/2018-06-01/runtime/init/error", 405),
        ("GET", "/2020-01-01/extension/register", 405),
        ("POST", "/2020-01-01/extension/event/next", 405),
        ("DELETE", "/2022-07-01/telemetry", 405),
    ],
)
def test_what_is_not_part_of_the_api_is_not_found_or_not_allowed(method: str, path: str, status: int) -> None:
    async def scenario() -> None:
        async with opened() as (_, ask):
            assert await ask(method, path) == (status, "404 page not found" if status == 404 else "")

    asyncio.run(scenario())


def test_a_subscription_to_logs_or_telemetry_is_taken_and_comes_to_nothing() -> None:
    async def scenario() -> None:
        async with opened() as (_, ask):
            telemetry = refused(202, "Telemetry.NotSupported", "Telemetry API is not supported")
            assert await ask("PUT", "/2022-07-01/telemetry", "{}") == telemetry
            assert await ask("PUT", "/2020-08-15/logs", "{}") == refused(
                202, "Logs.NotSupported", "Logs API is not supported"
            )

    asyncio.run(scenario())


def test_an_extension_that_registers_learns_about_the_function() -> None:
    async def scenario() -> None:
        async with opened("file") as (api, ask):
            about = {"functionName": "app", "functionVersion": "$LATEST", "handler": "app.lambda_handler"}
            for name, events in (("one", "[]"), ("two", '["INVOKE"]'), ("file", '["INVOKE", "SHUTDOWN"]')):
                body = f'{{"events": {events}}}'
                assert await ask("POST", f"{EXTENSION}/register", body, Lambda_Extension_Name=name) == (200, about)
            assert api.extensions.names == ("file", "one", "two")

            feature = {"Lambda_Extension_Name": "three", "Lambda_Extension_Accept_Feature": "other, accountId"}
            answer = await ask("POST", f"{EXTENSION}/register", "{}", **feature)
            assert answer == (200, {**about, "accountId": "123456789012"})

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("other", '{"events": ["SHUTDOWN"]}', "Extension.InvalidEventType"),
        ("other", '{"events": ["INVOKE", "SHUTDOWN"]}', "Extension.InvalidEventType"),
        ("other", '{"events": ["invoke"]}', "Extension.InvalidEventType"),
        ("file", '{"events": ["INIT"]}', "Extension.InvalidEventType"),
        ("first", '{"events": []}', "Extension.InvalidExtensionState"),
        ("", '{"events": []}', "Extension.InvalidExtensionName"),
        ("other", "", "InvalidRequestFormat"),
        ("other", "events", "InvalidRequestFormat"),
        ("other", "[]", "InvalidRequestFormat"),
        ("other", '{"events": 5}', "InvalidRequestFormat"),
        ("other", '{"events": [5]}', "InvalidRequestFormat"),
        ("other", '{"events": "SHUTDOWN"}', "InvalidRequestFormat"),
        ("other", "\udcff", "InvalidRequestFormat"),
    ],
)
def test_a_registration_that_is_refused_says_why(name: str, body: str, kind: str) -> None:
    async def scenario() -> None:
        async with opened("file") as (api, ask):
            await ask("POST", f"{EXTENSION}/register", '{"events": []}', Lambda_Extension_Name="first")

            data = body.encode(errors="surrogateescape")
            status, answer = await ask("POST", f"{EXTENSION}/register", data, Lambda_Extension_Name=name)

            assert (status, answer["errorType"]) == (403, kind)
            assert api.extensions.names == ("file", "first")
            status, _ = await ask("POST", f"{EXTENSION}/register", '{"events": []}', Lambda_Extension_Name="second")
            assert status == 200

    asyncio.run(scenario())


def test_an_extension_registers_once_and_not_when_the_runtime_waits() -> None:
    async def scenario() -> None:
        async with opened("file") as (api, ask):
            register = ("POST", f"{EXTENSION}/register", "{}")
            assert (await ask(*register, Lambda_Extension_Name="file"))[0] == 200
            expected = no_way("Registered", "Registered", "extension file")
            assert await ask(*register, Lambda_Extension_Name="file") == expected
            await invoked(api, ask)
            closed = refused(403, "Extension.RegistrationClosed", "Extension registration closed already")
            assert await ask(*register, Lambda_Extension_Name="late") == closed

    asyncio.run(scenario())


def test_there_are_ten_extensions_at_most() -> None:
    async def scenario() -> None:
        async with opened(*(f"file-{number}" for number in range(6))) as (_, ask):
            answers = [
                (await ask("POST", f"{EXTENSION}/register", "{}", Lambda_Extension_Name=f"internal-{number}"))[0]
                for number in range(5)
            ]
            assert answers == [200, 200, 200, 200, 403]

    asyncio.run(scenario())


def test_an_extension_of_a_managed_instance_is_told_of_the_shutdown_alone() -> None:
    async def scenario() -> None:
        async with opened("file", initialization="lambda-managed-instances") as (_, ask):
            for name, events, status in (
                ("file", '["INVOKE"]', 403),
                ("file", '["SHUTDOWN"]', 200),
                ("one", '["INVOKE"]', 403),
                ("one", "[]", 200),
            ):
                body = f'{{"events": {events}}}'
                assert (await ask("POST", f"{EXTENSION}/register", body, Lambda_Extension_Name=name))[0] == status

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "event/next"), ("POST", "init/error"), ("POST", "exit/error")], ids=lambda part: part
)
def test_an_extension_must_say_who_it_is(method: str, path: str) -> None:
    async def scenario() -> None:
        async with opened() as (_, ask):
            missing = refused(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
            assert await ask(method, f"{EXTENSION}/{path}") == missing
            invalid = refused(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
            assert await ask(method, f"{EXTENSION}/{path}", Lambda_Extension_Identifier="me") == invalid
            nobody = "a84ceb8c-9ffa-4d5d-8b0a-3f1f0a9d8f6a"
            unknown = refused(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {nobody}")
            assert await ask(method, f"{EXTENSION}/{path}", Lambda_Extension_Identifier=nobody) == unknown

    asyncio.run(scenario())


def test_an_extension_goes_its_steps_in_order(until: Until) -> None:
    async def scenario() -> None:
        async with opened("file", "other") as (api, ask):
            identifiers = []
            for extension in api.extensions._all:
                await ask(
                    "POST", f"{EXTENSION}/register", '{"events": ["INVOKE"]}', Lambda_Extension_Name=extension.name
                )
                identifiers.append({"Lambda_Extension_Identifier": extension.identifier})
            file, other = identifiers
            fails = {"Lambda_Extension_Function_Error_Type": "Extension.Any"}

            header = "Lambda-Extension-Function-Error-Type not found"
            missing = refused(403, "Extension.MissingHeader", header)
            assert await ask("POST", f"{EXTENSION}/init/error", **file) == missing
            assert await ask("POST", f"{EXTENSION}/init/error", **file, **fails) == ACCEPTED
            # Of several the first counts.
            assert await ask("POST", f"{EXTENSION}/init/error", **file, **fails) == ACCEPTED
            expected = no_way("InitError", "Ready", "extension file")
            assert await ask("GET", f"{EXTENSION}/event/next", **file) == expected

            waiting = asyncio.create_task(ask("GET", f"{EXTENSION}/event/next", **other))
            await until(lambda: api.extensions._all[1].step.value == "Ready")
            twice = no_way("Ready", "Ready", "extension other")
            assert await ask("GET", f"{EXTENSION}/event/next", **other) == twice
            late = no_way("Ready", "InitError", "extension other")
            assert await ask("POST", f"{EXTENSION}/init/error", **other, **fails) == late
            await invoked(api, ask)
            assert (await waiting)[1]["eventType"] == "INVOKE"
            assert await ask("POST", f"{EXTENSION}/exit/error", **other, **fails) == ACCEPTED
            assert api.extensions.fatal == "Extension.InitError"

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
                "malformed": (403, "InvalidRequestFormat"),
                "registered": (200, ""),
                "again": (403, "Extension.InvalidExtensionState"),
                "unknown": (403, "Extension.InvalidExtensionIdentifier"),
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
