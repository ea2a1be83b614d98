"""
The measurements: what connections cost, what stolen credentials open, and what goes on when they change.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass

from ...aws import InvokeResult
from ...cluster.replica_set import connect_as
from ...cluster.users import USERS_DATABASE, new_password
from ...iam import CredentialsEndpoint, environment
from ...measure import connection_lives, logins, mean_memory_mib, percentile
from .logins import ROLE, Answer, Lab, Login, Outcome, answer

# Of each environment, each over a new connection.
_OPERATIONS = 10

# What STS takes in a second in one account and region; Atlas asks it for each login.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
STS_PER_SECOND = 600

# Where a thief connects from.
_ELSEWHERE = "127.66.0.1"


@dataclass(frozen=True, slots=True)
class Connections:
    """
    What an environment's connections took, and how many it made and logged in when nothing made it connect again.
    """

    results: tuple[InvokeResult, ...]
    answers: tuple[Answer, ...]
    memory_mib: float
    made: float
    logged_in: float
    errors: int

    @property
    def metrics(self) -> dict[str, float]:
        """
        As metrics.
        """
        # The first may have been made in Init.
        times = [ms for each in self.answers for ms in each.milliseconds[1:]]
        return {
            "connection_ms_p50": percentile(times, 50),
            "cold_ms_p50": percentile([result.latency_ms for result in self.results], 50),
            "memory_mib_per_environment": self.memory_mib,
            "sdk": any(each.sdk for each in self.answers),
            "connections": self.made,
            "logins": self.logged_in,
            "errors": self.errors,
        }


async def connections(lab: Lab, login: Login) -> Connections:
    """
    Start environments one after the other: what a connection takes, not what two cores make of many.
    """
    environments = lab.options.environments
    service, nodes = lab.bench.service, lab.bench.cluster.servers.nodes
    name, _ = lab.deploy(login, "connections", environment(lab.session()))
    results, memory = [], []
    for _ in range(environments):
        results.append(await lab.find(name, 1 + _OPERATIONS))
        memory.append(mean_memory_mib(live.pid for live in service.function(name).environments))
        await lab.forget(name)
    quiet, app = lab.deploy(login, "quiet", environment(lab.session()), uri_options="")
    outcomes = [answer(result).outcome for result in results]
    for _ in range(environments):
        outcomes.append(await lab.outcome(quiet))
        # Gives the secondaries' monitors time for their connections.
        outcomes.append(answer(await lab.find(quiet, _OPERATIONS)).outcome)
        await lab.forget(quiet)
    return Connections(
        tuple(results),
        tuple(answer(result) for result in results),
        sum(memory) / len(memory),
        sum(life.app == app for node in nodes for life in connection_lives(node.log_path)) / environments,
        sum(logins(node.log_path)[app] for node in nodes) / environments,
        sum(outcome is not Outcome.WORKS for outcome in outcomes),
    )


async def stolen(lab: Lab, login: Login) -> dict[str, float]:
    """
    Connect from another address with what somebody may have copied from the function's settings.
    """
    # With the keys of a function of the thief's own, which the cluster does not know.
    string, _ = lab.deploy(login, "stolen-string", {}, egress=_ELSEWHERE)
    session = lab.session()
    everything, _ = lab.deploy(login, "stolen-environment", environment(session), egress=_ELSEWHERE)
    found = {"stolen_string": await lab.outcome(string), "stolen_environment": await lab.outcome(everything)}
    await lab.forget(everything)
    lab.bench.cluster.identities.expire(session)
    return {**found, "stolen_later": await lab.outcome(everything)}


async def changed(lab: Lab, login: Login) -> tuple[dict[str, float], int]:
    """
    Let a password be changed, or a session end, under a function that nobody deploys again; return also how often
    something failed before that.
    """
    identities = lab.bench.cluster.identities
    session = lab.session()
    name, _ = lab.deploy(login, "changed", environment(session))
    failed = int(await lab.outcome(name) is not Outcome.WORKS)
    if login.auth == "scram":
        await asyncio.to_thread(_change_password, lab)
    else:
        identities.expire(session)
    found: dict[str, float] = {"same_environment": await lab.outcome(name)}
    await lab.forget(name)
    # Lambda gives a new environment new keys.
    lab.deploy(login, "changed", environment(lab.session()))
    found["new_environment"] = await lab.outcome(name)
    if login.auth == "iam":
        async with CredentialsEndpoint(identities, ROLE) as endpoint:
            name, _ = lab.deploy(login, "endpoint", endpoint.environment(), initialization="snap-start")
            await lab.bench.service.prepare(name, 1)
            failed += await lab.outcome(name) is not Outcome.WORKS
            for given in endpoint.given:
                identities.expire(given)
            found["same_environment_endpoint"] = await lab.outcome(name)
    return found, failed


def _change_password(lab: Lab) -> None:
    """
    Give the application's user another password, as a rotation does.
    """
    servers = lab.bench.cluster.servers
    assert servers.users is not None, "the cluster has users"  # noqa: S101
    with closing(connect_as(servers.primary(), servers.users.admin)) as administrator:
        administrator[USERS_DATABASE].command("updateUser", servers.users.application.name, pwd=new_password())
