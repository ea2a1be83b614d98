"""
Ruby: the options that a client is constructed with, as keyword arguments or in a hash.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from ..language import Arguments, Construction, Setting
from ..tree import definition, text

ASSIGNMENTS = frozenset({"assignment"})
FUNCTIONS = frozenset({"method", "singleton_method", "lambda"})

_SECONDS = 1_000

# The options of Mongo::Client, and what their unit is in milliseconds where they have one.
SETTINGS: dict[str, tuple[str, int]] = {
    "app_name": ("appName", 1),
    "auth_mech": ("authMechanism", 1),
    "auth_source": ("authSource", 1),
    "connect_timeout": ("connectTimeoutMS", _SECONDS),
    "direct_connection": ("directConnection", 1),
    "heartbeat_frequency": ("heartbeatFrequencyMS", _SECONDS),
    "load_balanced": ("loadBalanced", 1),
    "local_threshold": ("localThresholdMS", _SECONDS),
    "max_connecting": ("maxConnecting", 1),
    "max_idle_time": ("maxIdleTimeMS", _SECONDS),
    "max_pool_size": ("maxPoolSize", 1),
    "min_pool_size": ("minPoolSize", 1),
    "password": ("password", 1),
    "replica_set": ("replicaSet", 1),
    "retry_reads": ("retryReads", 1),
    "retry_writes": ("retryWrites", 1),
    "server_selection_timeout": ("serverSelectionTimeoutMS", _SECONDS),
    "socket_timeout": ("socketTimeoutMS", _SECONDS),
    "srv_max_hosts": ("srvMaxHosts", 1),
    "srv_service_name": ("srvServiceName", 1),
    "ssl": ("tls", 1),
    "timeout_ms": ("timeoutMS", 1),
    "user": ("username", 1),
    "wait_queue_timeout": ("waitQueueTimeoutMS", _SECONDS),
}

_MECHANISMS = {
    ":aws": "MONGODB-AWS",
    ":gssapi": "GSSAPI",
    ":mongodb_cr": "MONGODB-CR",
    ":mongodb_x509": "MONGODB-X509",
    ":plain": "PLAIN",
    ":scram": "SCRAM-SHA-1",
    ":scram256": "SCRAM-SHA-256",
}


def arguments(call: Node) -> Arguments:
    """
    The arguments of a call; the pairs of hashes among them are named.
    """
    given = call.child_by_field_name("arguments")
    positional: list[Node] = []
    named: list[tuple[str, Node]] = []
    complete = True
    for node in given.named_children if given is not None else ():
        if node.type == "pair":
            named.extend(_pair(node))
        elif node.type in ("hash_splat_argument", "splat_argument"):
            complete = False
        elif node.type != "comment":
            positional.append(node)
            if node.type == "hash":
                named.extend(pair for part in node.named_children for pair in _pair(part))
                complete = complete and all(part.type == "pair" for part in node.named_children)
    return Arguments(tuple(positional), tuple(named), complete)


def _pair(node: Node) -> Iterator[tuple[str, Node]]:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if node.type == "pair" and key is not None and value is not None:
        yield text(key).strip(":\"'"), value


def construction(call: Node) -> Construction:
    """
    ``(uri or hosts, options)``, with the options as keywords, in a hash or in a variable that holds one.
    """
    given = arguments(call)
    named, complete = given.named, given.complete
    for node in given.positional[1:]:
        options = definition(node, ASSIGNMENTS, FUNCTIONS) if node.type in ("identifier", "constant") else None
        # What is frozen is the same.
        if options is not None and options.type == "call":
            options = options.child_by_field_name("receiver")
        if options is not None and options.type == "hash":
            named += tuple(pair for part in options.named_children for pair in _pair(part))
        complete = complete and (node.type == "hash" or (options is not None and options.type == "hash"))
    uri = given.positional[0] if given.positional and given.positional[0].type != "array" else None
    return Construction(uri, tuple(setting for name, node in named for setting in _setting(name, node)), complete)


def _setting(name: str, node: Node) -> Iterator[Setting]:
    if name == "auth_mech_properties" and node.type == "hash":
        for part in node.named_children:
            yield from (Setting(key.upper(), value) for key, value in _pair(part))
    elif name == "auth_mech" and text(node) in _MECHANISMS:
        yield Setting("authMechanism", node, text=_MECHANISMS[text(node)])
    elif name in SETTINGS:
        canonical, factor = SETTINGS[name]
        yield Setting(canonical, node, factor)
