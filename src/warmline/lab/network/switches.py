"""
As many switches as the environments' links need.
"""

from __future__ import annotations

import errno
import threading

from ..workspace import Workspace
from .switch import Link, Switch


class Switches:
    """
    There until they are closed, and all links with them; any thread may use them.

    :raises NetworkUnavailable: networks can't be had here, and why.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        # Replaced as a whole, so that a reader needs no lock.
        self._switches: tuple[Switch, ...] = (Switch(workspace),)

    def plug(self) -> Link:
        """
        Make an environment's network on the first switch that has room.
        """
        while True:
            switches = self._switches
            for switch in switches:
                try:
                    return switch.plug()
                except OSError as error:
                    if error.errno != errno.EXFULL:
                        raise
            with self._lock:
                # Another thread may have been faster.
                if self._switches is switches:
                    self._switches = (*switches, Switch(self._workspace))

    def close(self) -> None:
        """
        Take them away.
        """
        for switch in self._switches:
            switch.close()
