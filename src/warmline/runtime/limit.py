"""
How many mongos of a sharded cluster one environment connects to.

A driver connects to every mongos that the SRV record names unless ``srvMaxHosts`` limits it; and that option is an
error on a replica set and behind a load balancer. Which of them a cluster is, its TXT record tells.

Source: https://github.com/mongodb/specifications/blob/master/source/initial-dns-seedlist-discovery/initial-dns-seedlist-discovery.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

# With any of these set it is not for us to say.
_OPTIONS = ("srvmaxhosts", "replicaset", "loadbalanced")

# A resolver answers within milliseconds. Without an answer the limit is left out, and connecting shows what is wrong.
_DNS_SECONDS = 1.0


def is_open(named: Mapping[str, Any]) -> bool:
    """
    Tell whether neither the caller nor the URI says what the cluster is, or how many hosts to take.

    :param named: the options that they set, by their names in lower case.
    """
    return not any(name in named for name in _OPTIONS)


def is_sharded(txt: Mapping[str, Any] | None) -> bool:
    """
    Tell by the options of a cluster's TXT record whether it may be sharded; without a record say no.
    """
    return txt is not None and not any(name.lower() in _OPTIONS for name in txt)


def txt_options(host: str) -> dict[str, str] | None:
    """
    Ask for the options in a cluster's TXT record; ``None`` if there is none or it can't be read within a second.
    """
    try:
        # What PyMongo itself asks with, for the same record, a moment later.
        from dns import resolver

        (record,) = resolver.resolve(host, "TXT", lifetime=_DNS_SECONDS)
        return dict(parse_qsl(b"".join(record.strings).decode()))
    except Exception:
        # Whatever it is, PyMongo meets it too, and says so.
        return None
