"""
Ends environments that have had nothing to do for a while.

AWS documents that it does this and not when. Field reports say five to fifteen minutes for an idle environment
(https://mikhail.io/2019/08/aws-lambda-cold-starts-after-10-minutes/, and in other years other figures).
"""

from __future__ import annotations

import asyncio

from .environment import Environment
from .state import State
from .versions import Version

# How long the idle environments of a version stay after another has replaced it. AWS does not say.
FADE_SECONDS = 60.0


class Reclamation:
    """
    A clock for each environment with nothing to do, and what ends it when that runs out.
    """

    def __init__(self) -> None:
        self._clocks: dict[str, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def rests(self, version: Version, environment: Environment) -> None:
        """
        Hear that nothing runs in an environment now.
        """
        self.works(environment)
        seconds = version.idle_seconds
        kept = environment in version.provisioned and version.fade_seconds is None
        if seconds is not None and not kept and version.rests(environment):
            loop = asyncio.get_running_loop()
            self._clocks[environment.name] = loop.call_later(seconds, self._end, version, environment)

    def works(self, environment: Environment) -> None:
        """
        Hear that an environment has something to do, or has ended.
        """
        if clock := self._clocks.pop(environment.name, None):
            clock.cancel()

    def fade(self, version: Version) -> None:
        """
        Hear that a version has been replaced.
        """
        for environment in dict.fromkeys(version.free):
            self.rests(version, environment)

    async def finished(self) -> None:
        """
        Stop all clocks, and wait for the environments that are being ended.
        """
        for clock in self._clocks.values():
            clock.cancel()
        self._clocks.clear()
        await asyncio.gather(*self._ending)

    def _end(self, version: Version, environment: Environment) -> None:
        del self._clocks[environment.name]
        version.free = [other for other in version.free if other is not environment]
        ending = asyncio.create_task(_shut_down(version, environment))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


async def _shut_down(version: Version, environment: Environment) -> None:
    if environment.state is not State.ENDED:
        await environment.shutdown()
    version.drop(environment)
