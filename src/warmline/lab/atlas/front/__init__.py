"""
What stands before a cluster on Atlas: an access list, limits, IAM, mongos, and a network that can go wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...network.conditions import CLEAR, Network
from .access_list import AccessList, Denial
from .face import Counters, Face, FaceSpec, FrontOptions
from .limits import AdmissionSample, Limits
from .login import IamLogin
from .network import NetworkTable

__all__ = [
    "CLEAR",
    "AccessList",
    "AdmissionSample",
    "Counters",
    "Denial",
    "Face",
    "FaceSpec",
    "Front",
    "FrontOptions",
    "IamLogin",
    "Limits",
    "Network",
    "NetworkTable",
]


class Front:
    """
    The faces of a cluster; ``async with`` starts and stops them in the running event loop.
    """

    def __init__(self, faces: Sequence[FaceSpec], options: FrontOptions) -> None:
        self.faces = tuple(Face(face, options) for face in faces)
        self._network = options.network

    async def __aenter__(self) -> Front:
        self._loop = asyncio.get_running_loop()
        started = []
        try:
            for face in self.faces:
                await face.start()
                started.append(face)
        except BaseException:
            for face in started:
                await face.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(face.stop() for face in self.faces))

    def allow(self, access_list: AccessList | None) -> None:
        """
        Replace the access list, or let everybody connect; from any thread.

        Connections that are open stay open, as they may on Atlas.
        Source: https://www.mongodb.com/docs/atlas/security/ip-access-list/
        """
        for face in self.faces:
            face.access_list = access_list

    def limit(self, limits: Limits) -> None:
        """
        Replace the limits of every node; from any thread. Connections that are open or wait already keep their places.
        """
        for face in self.faces:
            face.limits = limits

    def lay(self, network: Network, *, source: str = "0.0.0.0/0", node: str | None = None) -> None:
        """
        Lay a network between a source (an address or CIDR block) and a node, or all; from any thread.
        """
        self._network.put(network, source=source, node=node)
        if network.cut != "none":
            for face in self.faces:
                self._loop.call_soon_threadsafe(face.cut)
