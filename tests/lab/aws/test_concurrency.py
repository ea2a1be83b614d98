from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import InvokeEndpoint, LambdaService, Quotas, State, concurrency
from warmline.lab.aws.concurrency import ScalingRate
from warmline.lab.errors import InitFailed, Throttled, UnusableFunction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from warmline.lab.workspace import Workspace

    from .conftest import Client, Run, Spec, Until

# How each environment was initialised; runs until the test says that it may end.
WAITS = """
    import os
    import time
    from pathlib import Path

    HOW = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]

    def lambda_handler(event, context):
        if event == "exit":
            os._exit(1)
        Path(event, "started-" + context.aws_request_id).touch()
        while not Path(event, "end").exists():
            time.sleep(0.005)
        return HOW
"""


@pytest.fixture
def with_quotas(workspace: Workspace) -> Callable[[Quotas, Callable[[LambdaService], Awaitable[None]]], None]:
    """
    Run a scenario with a service of these quotas.
    """

    def run(quotas: Quotas, scenario: Callable[[LambdaService], Awaitable[None]]) -> None:
        async def with_service() -> None:
            async with asyncio.timeout(60), LambdaService(workspace, quotas=quotas) as service:
                await scenario(service)

        asyncio.run(with_service())

    return run


class Running:
    """
    Invocations of WAITS that run until they may end.
    """

    def __init__(self, service: LambdaService, directory: Path, until: Until) -> None:
        self.service = service
        self.directory = directory
        self.until = until
        self.calls: list[asyncio.Task[Any]] = []

    async def start(self, name: str, count: int = 1) -> None:
        event = json.dumps(str(self.directory)).encode()
        self.calls += [asyncio.create_task(self.service.invoke(name, event)) for _ in range(count)]
        await self.until(lambda: len(list(self.directory.glob("started-*"))) == len(self.calls))

    async def end(self) -> list[Any]:
        (self.directory / "end").touch()
        return [json.loads(result.payload) for result in await asyncio.gather(*self.calls)]


async def reason(service: LambdaService, name: str) -> str:
    with pytest.raises(Throttled) as caught:
        await service.invoke(name)
    return caught.value.reason


def test_functions_that_reserve_nothing_share_what_the_others_leave(
    with_quotas: Any, spec: Spec, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, name="reserved", reserved_concurrency=1))
        service.deploy(spec(WAITS, name="one"))
        service.deploy(spec(WAITS, name="two"))
        running = Running(service, tmp_path, until)
        await running.start("one")
        await running.start("two")

        assert await reason(service, "one") == "ConcurrentInvocationLimitExceeded"
        assert await reason(service, "two") == "ConcurrentInvocationLimitExceeded"
        # What is reserved is there whatever the others do.
        await running.start("reserved")
        assert await reason(service, "reserved") == "ReservedFunctionConcurrentInvocationLimitExceeded"
        await running.end()
        assert service.counters.throttles == 3

    monkeypatch.setattr(concurrency, "UNRESERVED_AT_LEAST", 0)
    with_quotas(Quotas(concurrency=3), scenario)


def test_a_hundred_of_the_accounts_concurrency_stay_unreserved(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, name="one", reserved_concurrency=500))
        expected = (
            "function two can't reserve a concurrency of 401: of the account's 1000 100 must stay unreserved, and 500 "
            "are reserved already"
        )
        with pytest.raises(UnusableFunction, match=expected):
            service.deploy(spec(WAITS, name="two", reserved_concurrency=401))
        service.deploy(spec(WAITS, name="two", reserved_concurrency=400))
        # Its own reservation does not count against it.
        service.update("one", spec(WAITS, name="one", reserved_concurrency=500))

    run(scenario)


def test_environments_are_added_no_faster_than_the_scaling_rate_allows(
    with_quotas: Any, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        service.deploy(spec(WAITS, name="other"))
        running = Running(service, tmp_path, until)
        await running.start("app", 2)

        assert await reason(service, "app") == "FunctionInvocationRateLimitExceeded"
        assert len(list(service.environments())) == 2
        # The rate is each function's own.
        await running.start("other")
        await running.end()
        # A free environment takes none of it.
        event = json.dumps(str(tmp_path)).encode()
        assert (await service.invoke("app", event)).cold is False

    with_quotas(Quotas(scaling=2), scenario)


def test_the_scaling_rate_is_refilled_all_the_time_and_not_saved_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("warmline.lab.aws.concurrency.time.monotonic", lambda: now[0])
    rate = ScalingRate(1_000)

    def takes() -> int:
        return sum(rate.take() for _ in range(3_000))

    assert takes() == 1_000
    now[0] += 1
    assert takes() == 100
    now[0] += 60
    assert takes() == 1_000


def test_provisioned_environments_wait_initialised_and_are_taken_first(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, provisioned_concurrency=2))
        await service.provisioned("app")
        assert service.states()[State.FROZEN] == 2

        running = Running(service, tmp_path, until)
        await running.start("app", 3)

        assert sorted(await running.end()) == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
        await service.settled()
        # The third is there too now, and is not taken while one of the others is free.
        event = json.dumps(str(tmp_path)).encode()
        for _ in range(3):
            assert json.loads((await service.invoke("app", event)).payload) == "provisioned-concurrency"
        assert service.counters.cold_starts == 1

    run(scenario)


def test_a_provisioned_environment_that_is_lost_is_replaced(run: Run, spec: Spec, until: Until) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, provisioned_concurrency=1))
        await service.provisioned("app")
        (before,) = service.environments()

        assert (await service.invoke("app", b'"exit"')).function_error == "Unhandled"
        await service.settled()
        await service.provisioned("app")

        (after,) = service.environments()
        assert after is not before
        assert after.state is State.FROZEN

    run(scenario)


def test_provisioned_concurrency_whose_init_fails_is_told_and_invocations_go_on(run: Run, spec: Spec) -> None:
    source = """
        import os

        if os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency":
            raise RuntimeError("no configuration")

        def lambda_handler(event, context):
            return event
    """

    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(source, provisioned_concurrency=2))
        with pytest.raises(InitFailed, match=r"Init of app failed: .*no configuration"):
            await service.provisioned("app")
        assert list(service.environments()) == []
        assert (await service.invoke("app", b"1")).payload == b"1"

    run(scenario)


def test_a_published_version_can_have_provisioned_concurrency_of_its_own(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        (tmp_path / "end").touch()
        event = json.dumps(str(tmp_path)).encode()
        service.deploy(spec(WAITS))
        service.publish("app", provisioned_concurrency=1)
        await service.provisioned("app:1")

        assert json.loads((await service.invoke("app:1", event)).payload) == "provisioned-concurrency"
        assert json.loads((await service.invoke("app", event)).payload) == "on-demand"

    run(scenario)


def test_after_an_update_the_old_provisioned_environments_fade_and_new_ones_come(
    run: Run, spec: Spec, until: Until
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, provisioned_concurrency=2))
        await service.provisioned("app")
        old = {environment.name for environment in service.environments()}

        service.update("app", spec(WAITS, provisioned_concurrency=1), fade_seconds=0.05)
        await service.provisioned("app")

        await until(lambda: len(list(service.environments())) == 1)
        assert not old & {environment.name for environment in service.environments()}

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"provisioned_concurrency": 3, "reserved_concurrency": 2}, "3: that is more than the 2 it reserves"),
        ({"provisioned_concurrency": 1, "initialization": "snap-start"}, "with the initialization snap-start"),
        ({"initialization": "provisioned-concurrency"}, "set provisioned_concurrency"),
    ],
)
def test_provisioned_concurrency_that_lambda_would_refuse_is_refused(
    run: Run, spec: Spec, fields: dict[str, Any], message: str
) -> None:
    async def scenario(service: LambdaService) -> None:
        with pytest.raises(UnusableFunction, match=message):
            service.deploy(spec(WAITS, **fields))

    run(scenario)


def test_a_service_can_end_while_it_provisions(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS, provisioned_concurrency=8))
        await asyncio.sleep(0.1)
        await service.end("app", how="shutdown")
        assert list(service.environments()) == []

    run(scenario)


def test_every_throttle_is_too_many_requests_with_its_reason(with_quotas: Any, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            with pytest.raises(lambda_client.exceptions.TooManyRequestsException) as caught:
                await asyncio.to_thread(lambda_client.invoke, FunctionName="app")

            assert caught.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
            assert caught.value.response["Error"]["Message"] == "Rate Exceeded."

    with_quotas(Quotas(concurrency=0), scenario)
