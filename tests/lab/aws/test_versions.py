from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from warmline.lab.aws import InvokeEndpoint, LambdaService, State
from warmline.lab.errors import UnknownFunction, UnusableFunction

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Client, Run, Spec, Until

# Says which deployment it is, and what the runtime has told it.
SAYS = """
    import os

    def lambda_handler(event, context):
        return [os.environ["TEXT"], context.function_version, context.invoked_function_arn.split(":function:")[1]]
"""

# Runs until the test says that it may end.
WAITS = """
    import time
    from pathlib import Path

    def lambda_handler(event, context):
        Path(event, "started").touch()
        while not Path(event, "end").exists():
            time.sleep(0.005)
"""


async def said(service: LambdaService, name: str) -> Any:
    result = await service.invoke(name)
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def text(value: str) -> dict[str, Any]:
    return {"environment": {"TEXT": value}}


def test_a_published_version_stays_what_it_was(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("one")))
        assert service.publish("app") == "1"
        service.update("app", spec(SAYS, **text("two")))
        assert service.publish("app") == "2"
        service.update("app", spec(SAYS, **text("three")))

        assert await said(service, "app:1") == ["one", "1", "app:1"]
        assert await said(service, "app:2") == ["two", "2", "app:2"]
        assert await said(service, "app") == ["three", "$LATEST", "app"]
        assert await said(service, "app:$LATEST") == ["three", "$LATEST", "app:$LATEST"]

    run(scenario)


def test_each_version_has_environments_of_its_own(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("one")))
        service.publish("app")

        names = ["app", "app:1"] * 2
        environments = [(await service.invoke(name)).environment for name in names]

        assert len(set(environments)) == 2
        assert environments[:2] == environments[2:]
        assert len(service.function("app").environments) == 2

    run(scenario)


def test_an_alias_goes_where_it_points(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("one")))
        service.publish("app")
        service.alias("app", "live", "1")
        assert await said(service, "app:live") == ["one", "1", "app:live"]
        service.update("app", spec(SAYS, **text("two")))

        service.alias("app", "live", service.publish("app"))

        assert await said(service, "app:live") == ["two", "2", "app:live"]

    run(scenario)


def test_a_weighted_alias_shares_the_invocations_out(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("one")))
        service.publish("app")
        service.publish("app")
        shares = {}
        for weight in (0.0, 0.25, 1.0):
            service.alias("app", "live", "1", weights={"2": weight})
            versions = [service.version("app:live").spec.version for _ in range(2_000)]
            shares[weight] = versions.count("2") / 2_000

        assert (shares[0.0], shares[1.0]) == (0.0, 1.0)
        # Seven standard deviations.
        assert 0.18 < shares[0.25] < 0.32

    run(scenario)


@pytest.mark.parametrize(
    ("alias", "weights", "message"),
    [
        ("7", {}, "alias '7' of function app: take letters, digits, - and _, and not digits alone"),
        ("a b", {}, "alias 'a b' of function app: take letters"),
        ("live", {"2": 1.5}, "with a weight from 0 to 1"),
        ("live", {"2": 0.1, "$LATEST": 0.1}, "one second version at most"),
        ("live", {"$LATEST": 0.1}, r"\$LATEST can't share an alias; publish a version"),
    ],
)
def test_an_alias_that_lambda_would_refuse_is_refused(
    run: Run, spec: Spec, alias: str, weights: dict[str, float], message: str
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS))
        service.publish("app")
        service.publish("app")

        with pytest.raises(UnusableFunction, match=message):
            service.alias("app", alias, "1", weights=weights)

    run(scenario)


def test_an_unknown_version_or_alias_is_said_with_those_that_are_known(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS))
        service.publish("app")
        service.alias("app", "live", "1")

        expected = r"function app has no version or alias 'test': \$LATEST, 1, live"
        with pytest.raises(UnknownFunction, match=expected):
            await service.invoke("app:test")
        with pytest.raises(UnknownFunction, match="has no version or alias '2'"):
            service.alias("app", "test", "2")

    run(scenario)


def test_after_an_update_new_invocations_start_new_environments_and_the_old_finish(
    run: Run, spec: Spec, until: Until, tmp_path: Path
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(WAITS))
        old = asyncio.create_task(service.invoke("app", json.dumps(str(tmp_path)).encode()))
        await until((tmp_path / "started").exists)

        service.update("app", spec(SAYS, **text("new")), fade_seconds=0.05)

        # The old one's module was imported long ago.
        assert await said(service, "app") == ["new", "$LATEST", "app"]
        await service.settled()
        assert service.states()[State.BUSY] == 1
        (tmp_path / "end").touch()
        assert (await old).function_error is None
        await until(lambda: len(list(service.environments())) == 1)
        assert await said(service, "app") == ["new", "$LATEST", "app"]

    run(scenario)


def test_idle_environments_fade_after_an_update_and_not_before(run: Run, spec: Spec, until: Until) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("old")))
        await asyncio.gather(service.invoke("app"), service.invoke("app"))
        await service.settled()

        service.update("app", spec(SAYS, **text("new")), fade_seconds=0.2)
        await said(service, "app")

        assert len(list(service.environments())) == 3
        await until(lambda: len(list(service.environments())) == 1)

    run(scenario)


def test_a_deployed_function_that_is_deployed_again_is_updated(run: Run, spec: Spec) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("old")))
        await service.invoke("app")

        service.deploy(spec(SAYS, **text("new")))

        assert await said(service, "app") == ["new", "$LATEST", "app"]
        # AWS does not end the old one at once either.
        assert len(list(service.environments())) == 2

    run(scenario)


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [
        ("app:live", None),
        ("app", "live"),
        ("app:live", "live"),
        ("123456789012:function:app:live", None),
        ("arn:aws:lambda:us-east-1:123456789012:function:app:live", None),
        ("arn:aws:lambda:us-east-1:123456789012:function:app", "live"),
        ("app:1", None),
        ("app", "1"),
    ],
)
def test_the_endpoint_takes_every_form_of_a_qualifier(
    run: Run, spec: Spec, client: Client, name: str, qualifier: str | None
) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS, **text("one")))
        service.publish("app")
        service.alias("app", "live", "1")
        service.update("app", spec(SAYS, **text("two")))
        async with InvokeEndpoint(service) as endpoint:
            more = {"Qualifier": qualifier} if qualifier else {}
            answer = await asyncio.to_thread(client(endpoint).invoke, FunctionName=name, **more)

            assert answer["ExecutedVersion"] == "1"
            assert json.loads(answer["Payload"].read())[0] == "one"

    run(scenario)


def test_the_endpoint_refuses_two_qualifiers_that_differ(run: Run, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            message = "The derived qualifier from the function name does not match the specified qualifier."
            with pytest.raises(lambda_client.exceptions.InvalidParameterValueException, match=message):
                await asyncio.to_thread(lambda_client.invoke, FunctionName="app:1", Qualifier="2")

    run(scenario)


def test_the_endpoint_does_not_find_a_version_that_is_not_there(run: Run, spec: Spec, client: Client) -> None:
    async def scenario(service: LambdaService) -> None:
        service.deploy(spec(SAYS))
        async with InvokeEndpoint(service) as endpoint:
            lambda_client = client(endpoint)
            message = "Function not found: arn:aws:lambda:us-east-1:123456789012:function:app:9"
            with pytest.raises(lambda_client.exceptions.ResourceNotFoundException, match=message):
                await asyncio.to_thread(lambda_client.invoke, FunctionName="app", Qualifier="9")

    run(scenario)
