"""
WL141: connections are used again however long they were idle.
"""

from __future__ import annotations

from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Confidence, Finding, Fix, Severity
from ..project import Project
from ..source.facts import Client, Lifetime
from ..uri import client_options, defaulted, options_known, with_option
from ..values import HOLE
from .options import MINUTE_OF_IDLING, clients
from .rule import Rule

# Addresses of the machine itself, and Docker's name for the one around it.
_LOCAL = ("127.", "0.0.0.0", "host.docker.internal")


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for facts, client, confidence in clients(project):
        if client.driver == "warmline" or "maxIdleTimeMS" in client_options(client):
            continue
        if options_known(client) and not _local(client):
            found = confidence
        elif _in_environment(client):
            found = Confidence.LOW
        else:
            continue
        # One that is constructed again has no connections from before a freeze: WL101 comes first.
        again = client.lifetime is Lifetime.PER_INVOCATION and not client.reconnects
        when = "once it is kept, after a freeze" if again else "after a freeze"
        yield rule.finding(
            client.location,
            f"{client.call} without maxIdleTimeMS: {when}, operations wait on connections whose path is lost",
            remedy=f"set {MINUTE_OF_IDLING[facts.language]}, or maxIdleTimeMS=60000 in the connection string",
            confidence=min(found, Confidence.MEDIUM) if again else found,
            fix=_added(client),
        )


def _added(client: Client) -> Fix | None:
    edit = with_option(client.uri, "maxIdleTimeMS", "60000") if client.uri is not None else None
    return None if edit is None else Fix("Add maxIdleTimeMS=60000 to the connection string", (edit,))


def _in_environment(client: Client) -> bool:
    """
    Whether all of the connection string is in a variable, and may have the option.
    """
    uri = client.uri
    return client.options_known and uri is not None and bool(uri.environment) and (uri.text is None or defaulted(uri))


def _local(client: Client) -> bool:
    """
    Whether it is for a server on the developer's machine or in a container beside the code: a name without a domain.
    """
    text = (client.uri.text or "") if client.uri is not None else "localhost"
    if text.startswith("mongodb+srv"):
        return False
    hosts = text.removeprefix("mongodb://").partition("/")[0].partition("?")[0].rpartition("@")[2]
    return hosts.startswith(_LOCAL) or not ("." in hosts or HOLE in hosts)


RULE = Rule(
    id="WL141",
    name="max-idle-time-unset",
    summary="A client uses connections again however long they were idle.",
    practice="idle-time",
    severity=Severity.WARNING,
    reads=("python", "javascript", "typescript", "go", "java", "csharp", "ruby", "rust"),
    why=(
        "While an environment is frozen, NAT gateways and load balancers forget its connections. Without "
        "maxIdleTimeMS the driver takes such a connection from the pool as if it were new. In the lab's experiment "
        "`thaw` the first operation after a freeze in which the old connections were black-holed took 20 s; with "
        "maxIdleTimeMS=60000 it took 27 ms, as far as the monotonic clock ran on during the freeze."
    ),
    fix=(
        "Set `maxIdleTimeMS=60000`, in the connection string or in the code. Where the whole connection string comes "
        "from the environment, this rule can't see whether it is set there, and says so only at low confidence."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_POOLING, sources.AWS_NAT_GATEWAY, sources.AWS_IDLE_FLOWS),
    match=_match,
)
