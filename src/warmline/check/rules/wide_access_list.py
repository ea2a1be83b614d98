"""
WL172: an access list with a range that nobody's functions need.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from warmline.facts import sources

from ..finding import Finding, Severity
from ..project import Project
from .addresses import Range, entry_confidence, ranges, way_to
from .rule import Rule

# The shortest prefixes that are not absurd: a VPC has /16 at most.
_SHORTEST = {4: 16, 6: 32}

# Those that only a private network can come from; the last but one is carriers' own.
_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_PRIVATE: tuple[Range, ...] = tuple(ipaddress.ip_network(text) for text in _RANGES)


def _match(rule: Rule, project: Project) -> Iterator[Finding]:
    for entry, network in ranges(project):
        if 0 < network.prefixlen < _SHORTEST[network.version] and not _is_private(network):
            yield rule.finding(
                entry.address.location,
                f"the access list takes connections from {network}, "
                f"{2 ** (network.max_prefixlen - network.prefixlen):,} addresses of the internet",
                remedy="list the addresses that the functions go out by: the NAT gateway's Elastic IP as /32",
                confidence=entry_confidence(entry),
                path=way_to(entry),
            )


def _is_private(network: Range) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        return any(isinstance(each, ipaddress.IPv4Network) and network.subnet_of(each) for each in _PRIVATE)
    return any(isinstance(each, ipaddress.IPv6Network) and network.subnet_of(each) for each in _PRIVATE)


RULE = Rule(
    id="WL172",
    name="wide-access-list",
    summary="An Atlas access list has a public range far wider than one deployment's addresses.",
    practice="narrow-access-list",
    severity=Severity.WARNING,
    reads=("sam", "cloudformation", "terraform"),
    why=(
        "Functions behind a NAT gateway come from one address. A range of millions, a cloud provider's say, lets "
        "everybody in who has a machine there. Ranges of private networks are no finding: only a peered VPC can come "
        "from them."
    ),
    fix="List the Elastic IPs of the NAT gateways, each as /32.",
    sources=(sources.ATLAS_LAMBDA, sources.ATLAS_ACCESS_LIST, sources.AWS_NAT_GATEWAY),
    match=_match,
)
