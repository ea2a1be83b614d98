"""
What is decided for a cluster when its client is made: the servers it is looked for at, how many, and whom to trust.

Only on Lambda, where cold starts count: elsewhere a client is made from the URI and the options as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import trust
from .defaults import SRV_MAX_HOSTS
from .environment import on_lambda
from .settings import Settings

_SRV = "mongodb+srv://"


class Start(NamedTuple):
    """
    What ``MongoClient`` is called with.

    - ``is_pinned``: whether the servers are a pin's; then the URI is a ``mongodb://`` string
    - ``more_roots``: is to be told of the client, if it has few roots to begin with
    """

    uri: str
    options: Mapping[str, Any]
    is_pinned: bool = False
    more_roots: trust.MoreRoots | None = None

    def __repr__(self) -> str:
        # The URI and the options may hold a password.
        return f"Start(is_pinned={self.is_pinned!r}, more_roots={self.more_roots!r})"


def start(given: Settings, *, use_pin: bool) -> Start:
    """
    Decide it.

    :param use_pin: whether the client is connected at once: only then is it noticed that all pinned servers are gone.
    """
    if not on_lambda():
        return Start(given.uri, given.options)
    uri, options, hosts = given.uri, dict(given.options), _hosts(given.uri)
    if not hosts:
        return Start(uri, options)
    is_srv, pinned = uri.startswith(_SRV), None
    if is_srv:
        # Only now: what a function does not need it does not import.
        from . import limit, pin

        if use_pin and pin.holds_beside(given.named):
            pinned = pin.read(hosts[0])
        if limit.is_open(given.named) and limit.is_sharded(pinned.options if pinned else limit.txt_options(hosts[0])):
            options["srvMaxHosts"] = SRV_MAX_HOSTS.value
        if pinned:
            most = given.named.get("srvmaxhosts", options.get("srvMaxHosts"))
            uri = pin.standard_uri(uri, pinned, hosts=most)
            # Beside a mongodb:// string it is an error.
            options = {name: value for name, value in options.items() if name.lower() != "srvmaxhosts"}
    listeners = options.get("event_listeners", ())
    more_roots = None
    if isinstance(listeners, list | tuple) and trust.applies(hosts, given.named, tls=is_srv):
        more_roots = trust.MoreRoots()
        options |= {"tlsCAFile": trust.ROOTS, "event_listeners": [*listeners, more_roots]}
    return Start(uri, options, pinned is not None, more_roots)


def _hosts(uri: str) -> list[str]:
    """
    The hosts in a URI, without ports, cut out as PyMongo does it; none in one that it will refuse.

    A piece of a password that should have been percent-encoded must not be taken for a host, and asked for.
    """
    rest = uri.partition("://")[2].replace("?", "/", 1)
    authority, _, after = rest.partition("/")
    hosts = authority.rpartition("@")[2].split(",")
    if "@" in after or (uri.startswith(_SRV) and (len(hosts) > 1 or ":" in hosts[0])):
        return []
    return [host.rpartition(":")[0] or host for host in hosts]
