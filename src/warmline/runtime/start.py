"""
What is decided for a cluster when its client is made: the servers it is looked for at, how many, and whom to trust.

Only on Lambda, where cold starts count: elsewhere a client is made from the URI and the options as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import limit, pin, trust
from .defaults import SRV_MAX_HOSTS
from .environment import on_lambda
from .settings import Settings

_SRV = "mongodb+srv://"


@dataclass(frozen=True)
class Start:
    """
    What ``MongoClient`` is called with.

    - ``is_pinned``: whether the servers are a pin's; then the URI is a ``mongodb://`` string
    - ``more_roots``: is to be told of the client, if it has few roots to begin with
    """

    uri: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    is_pinned: bool = False
    more_roots: trust.MoreRoots | None = None


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
        host = hosts[0]
        pinned = pin.read(host) if use_pin and pin.holds_beside(given.named) else None
        if limit.is_open(given.named) and limit.is_sharded(pinned.options if pinned else limit.txt_options(host)):
            options["srvMaxHosts"] = SRV_MAX_HOSTS.value
        if pinned:
            uri, options = _pinned(pinned, uri, options, given.named)
    listeners = options.get("event_listeners", ())
    more_roots = None
    if isinstance(listeners, list | tuple) and trust.applies(hosts, given.named, tls=is_srv):
        more_roots = trust.MoreRoots()
        options |= {"tlsCAFile": trust.ROOTS, "event_listeners": [*listeners, more_roots]}
    return Start(uri, options, pinned is not None, more_roots)


def _pinned(
    found: pin.Pin, uri: str, options: Mapping[str, Any], named: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """
    Turn URI and options into those for the pinned servers. ``srvMaxHosts`` is an error beside them.
    """
    most = {"srvmaxhosts": named.get("srvmaxhosts"), **{name.lower(): value for name, value in options.items()}}
    left = {name: value for name, value in options.items() if name.lower() != "srvmaxhosts"}
    return pin.standard_uri(uri, found, hosts=most["srvmaxhosts"]), left


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
