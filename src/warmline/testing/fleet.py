"""
A deployed function with its environments, for a test's assertions.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from ..lab.atlas.loop import LoopThread
from ..lab.aws import Ending, How, LambdaService
from ..lab.errors import Throttled
from .cluster import MongoCluster
from .connections import Connections
from .errors import UnknownClients
from .result import Result, result_of, throttled

# A server hears of a closed socket a moment after the process that had it has ended.
_NOTICED_SECONDS = 1.0
_POLL_SECONDS = 0.02


class Fleet:
    """
    The environments of one function; a ``with`` block ends them.

    Between invocations they are frozen, as on Lambda.
    """

    def __init__(
        self,
        service: LambdaService,
        loop: LoopThread,
        cluster: MongoCluster,
        name: str,
        environments: int,
        client_name: str,
        known_names: AbstractSet[str],
    ) -> None:
        self.name = name
        self.environments = environments
        self._service = service
        self._loop = loop
        self._cluster = cluster
        self._client_name = client_name
        self._known_names = known_names
        self._has_served = False

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def __repr__(self) -> str:
        return f"Fleet({self.name!r}, environments={self.environments})"

    def invoke(self, event: object = None) -> Result:
        """
        Invoke the function once, with an event of what JSON can hold.
        """
        return self.invoke_many([event])[0]

    def invoke_many(self, events: int | Iterable[object], *, at_once: int | None = None) -> list[Result]:
        """
        Invoke it with each event, or so many times with none, and return the results in the same order.

        :param at_once: how many invocations run at the same time; by default as many as the fleet has environments.
        """
        payloads = [json.dumps({} if event is None else event).encode() for event in _each(events)]
        results = self._loop.run(self._invoke_all(payloads, at_once or self.environments))
        self._has_served |= any(result.ok for result in results)
        return results

    def freeze(self, seconds: float = 0.0) -> None:
        """
        Return when all environments are frozen and have been for so long.

        They freeze by themselves after each invocation; what happens to servers and network meanwhile is up to the
        test.
        """
        self._loop.run(self._service.settled())
        time.sleep(seconds)

    def shutdown(self) -> list[Ending]:
        """
        End all environments by Lambda's Shutdown phase: with SIGTERM and time to close, if an extension asks for it.
        """
        return self._end("shutdown")

    def kill(self) -> list[Ending]:
        """
        End all environments by SIGKILL, as Lambda does where no extension is registered.
        """
        return self._end("kill")

    @property
    def states(self) -> dict[str, int]:
        """
        How many live environments are in which state: ``{"frozen": 20}`` between invocations.
        """
        return dict(Counter(environment.state.value for environment in self._service.function(self.name).environments))

    @property
    def connections(self) -> Connections:
        """
        What the fleet has open now, as the servers count it.

        :raises UnknownClients: none of that name, but others that nobody knows.
        """
        names = self._cluster.open_by_name()
        counts = [of_node.get(self._client_name, 0) for of_node in names]
        if not any(counts):
            self._check_name(set().union(*names))
        return Connections(counts[0], tuple(counts[1:]))

    @property
    def peak(self) -> Connections:
        """
        The most that the fleet has had open at once on each member: what a tier's limit is about.

        It is the servers' logs that tell, so that connections between two looks are in it. Raises as ``connections``.
        """
        self._check_created()
        return self._cluster.peak(self._client_name)

    @property
    def connections_created(self) -> int:
        """
        How many connections the fleet has opened on all members in its life. Raises as ``connections``.
        """
        return self._check_created()

    async def _invoke_all(self, payloads: list[bytes], at_once: int) -> list[Result]:
        turn = asyncio.Semaphore(at_once)

        async def one(payload: bytes) -> Result:
            async with turn:
                try:
                    return result_of(await self._service.invoke(self.name, payload))
                except Throttled as error:
                    return throttled(error)

        results = await asyncio.gather(*(one(payload) for payload in payloads))
        await self._service.settled()
        return results

    def _end(self, how: How) -> list[Ending]:
        endings = self._loop.run(self._service.end(self.name, how=how))
        deadline = time.monotonic() + _NOTICED_SECONDS
        while endings and self._open() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return endings

    def _open(self) -> bool:
        return any(self._client_name in of_node for of_node in self._cluster.open_by_name())

    def _check_created(self) -> int:
        created = self._cluster.created(self._client_name)
        if not created:
            self._check_name(set().union(*self._cluster.open_by_name()))
        return created

    def _check_name(self, found: AbstractSet[str | None]) -> None:
        """
        A count of nothing is wrong where a client has named itself in another way.
        """
        strangers = found - self._known_names
        if self._has_served and strangers and not self._cluster.created(self._client_name):
            listed = ", ".join(sorted(repr(name) if name else "a client without a name" for name in strangers))
            raise UnknownClients(
                f"no connection of {self.name} is known by its name, and the servers have some of {listed}: "
                "have the function's client take MONGODB_URI as it is, or say its name by deploy(..., app_name=...)"
            )


def _each(events: int | Iterable[object]) -> Iterable[object]:
    return [None] * events if isinstance(events, int) else events
