"""
What is compared: ways to log in, and the functions that do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from ...atlas.spec import Auth
from ...aws import FunctionSpec, Initialization, InvokeResult
from ...iam import Credentials
from ..bench import AtlasBench, deploy
from ..experiment import RunOptions, Variant

NAME = "iam-auth"
ROLE = "orders"

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "iam_auth"

# Nothing may be idle for long, so that every operation needs a new connection.
_NEW_CONNECTIONS = "maxIdleTimeMS=1"


@dataclass(frozen=True, slots=True)
class Login:
    """
    A way to log in.
    """

    variant: Variant
    auth: Auth


LOGINS = (
    Login(Variant("password", "password (SCRAM)", "documented"), "scram"),
    Login(Variant("documented", "role, MongoDB's example", "documented"), "iam"),
    Login(Variant("warmline", "role, warmline", "with_warmline"), "iam"),
)


class Outcome(IntEnum):
    """
    What became of an operation: the login was refused, it worked, or something else was wrong.
    """

    REFUSED = 0
    WORKS = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a function tells: what its operations took, the error that ended them, and whether AWS's SDK is loaded.
    """

    milliseconds: list[float]
    error: str | None
    sdk: bool

    @property
    def outcome(self) -> Outcome:
        """
        What became of it.
        """
        if self.error is None:
            return Outcome.WORKS
        return Outcome.REFUSED if "auth" in self.error.lower() else Outcome.FAILED


def answer(result: InvokeResult) -> Answer:
    """
    Read a function's answer; one that has not given any has failed.
    """
    if result.function_error is not None:
        return Answer([], "no answer", sdk=False)
    return Answer(**json.loads(result.payload))


@dataclass(frozen=True, slots=True)
class Lab:
    """
    A cluster that knows the role, and how its functions are deployed.
    """

    bench: AtlasBench
    options: RunOptions

    def deploy(
        self,
        login: Login,
        purpose: str,
        variables: Mapping[str, str],
        *,
        uri_options: str = _NEW_CONNECTIONS,
        egress: str | None = None,
        initialization: Initialization = "on-demand",
    ) -> tuple[str, str]:
        """
        Return the function's name, and that of its connections.
        """
        name = f"{NAME}-{login.variant.name}-{purpose}"
        spec = FunctionSpec(
            name,
            _FUNCTIONS,
            f"{login.variant.handler}.lambda_handler",
            variables,
            timeout_seconds=60,
            initialization=initialization,
        )
        app = deploy(
            self.bench.service,
            self.bench.cluster,
            spec,
            self.options,
            uri_options=uri_options,
            egress=egress,
            auth=login.auth,
        )
        return name, app

    def session(self) -> Credentials:
        """
        Start a session of the function's role.
        """
        return self.bench.cluster.identities.assume_role(ROLE)

    async def find(self, name: str, operations: int = 1) -> InvokeResult:
        """
        Have an environment of the function find so many orders.
        """
        result = await self.bench.service.invoke(name, json.dumps({"operations": operations}).encode())
        await self.bench.service.settled()
        return result

    async def outcome(self, name: str) -> Outcome:
        """
        What becomes of one operation, in the function's environment if it has one.
        """
        return answer(await self.find(name)).outcome

    async def forget(self, name: str) -> None:
        """
        End the function's environments.
        """
        await self.bench.service.end(name, how="kill")
