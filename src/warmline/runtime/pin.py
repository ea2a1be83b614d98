"""
A cluster's SRV and TXT records as they were when the function was built, so that a cold start need not ask for them.

A pin is one line of JSON, in a file or in an environment variable, without credentials::

    {"host": "cluster0.abcde.mongodb.net", "seeds": ["cluster0-shard-00-00.abcde.mongodb.net:27017", ...],
     "options": {"authSource": "admin", "replicaSet": "atlas-xyz"}, "resolved": "2026-11-24"}

``warmline pin`` writes it. Asking for the records takes the import of a DNS library and two round trips.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

_log = logging.getLogger("warmline")

VARIABLE = "WARMLINE_PIN"
FILE = "warmline-pin.json"

# Servers come and go over months. One that answers tells all others, so a pin that is older than this still works.
DAYS = 30
_DAY_SECONDS = 86_400

# What a TXT record may hold. Source: the specification of the initial DNS seedlist discovery.
TXT_OPTIONS = ("authSource", "replicaSet", "loadBalanced")

# With these another SRV record is asked for, its hosts are judged otherwise, or it is an error.
_OTHER_RECORD = ("srvservicename", "srvallowedhostssuffix", "srv_host_validator", "directconnection")


class Pin(NamedTuple):
    """
    The records of one cluster.

    - ``host``: the name in its ``mongodb+srv://`` string
    - ``seeds``: ``host:port`` of each server in the SRV record
    - ``options``: what the TXT record sets
    - ``resolved``: the day, ``2026-11-24``
    """

    host: str
    seeds: tuple[str, ...]
    options: Mapping[str, str | bool]
    resolved: str

    def text(self) -> str:
        """
        Write it as ``parse`` reads it.
        """
        return json.dumps(self._asdict())


def parse(text: str) -> Pin:
    """
    Read what ``Pin.text`` wrote.

    :raises ValueError: it is no pin; the text says why.
    """
    try:
        fields = json.loads(text)
        pin = Pin(fields["host"].lower(), tuple(fields["seeds"]), dict(fields["options"]), fields["resolved"])
        date.fromisoformat(pin.resolved)
        strangers = [seed for seed in pin.seeds if not _belongs(seed, pin.host)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if strangers or not pin.seeds:
        raise ValueError(f"its seeds are not host and port of servers of {pin.host}: {strangers}")
    if not pin.options.keys() <= set(TXT_OPTIONS):
        raise ValueError(f"its options are not among {', '.join(TXT_OPTIONS)}")
    return pin


def _belongs(seed: str, cluster: str) -> bool:
    """
    Tell whether it is host and port, below the cluster's own domain: the rule for the servers in an SRV record.
    """
    host, _, port = seed.rpartition(":")
    return host.lower().endswith("." + cluster.partition(".")[2]) and port.isdecimal()


def read(host: str) -> Pin | None:
    """
    Read the function's pin for a cluster; one that can't be used is not, and the log says why in one line.
    """
    where = f"the environment variable {VARIABLE}"
    text = os.environ.get(VARIABLE)
    if not text:
        root = os.environ.get("LAMBDA_TASK_ROOT")
        where = f"{root}/{FILE}"
        try:
            with open(where) as file:  # noqa: PTH123  pathlib costs milliseconds
                text = file.read()
        except OSError:
            return None
    try:
        pin = parse(text)
    except ValueError as error:
        _log.warning("warmline: the pin in %s is malformed and not used: %s; make it anew: warmline pin", where, error)
        return None
    if pin.host != host.lower():
        # The URI's host is not shown: of a malformed URI it may be a piece of a password.
        _log.warning(
            "warmline: the pin in %s is for %s, which is not the URI's host, so it is not used; make it anew: "
            "warmline pin",
            where,
            pin.host,
        )
        return None
    days = (time.time() - time.mktime(date.fromisoformat(pin.resolved).timetuple())) / _DAY_SECONDS
    if days > DAYS:
        _log.warning(
            "warmline: the pin in %s is %.0f days old; make it anew with each deployment: warmline pin", where, days
        )
    return pin


def holds_beside(named: Mapping[str, Any]) -> bool:
    """
    Tell whether no option (by its name in lower case) asks for another record than the one that was pinned.
    """
    return not any(name in named for name in _OTHER_RECORD)


def standard_uri(uri: str, pin: Pin, *, hosts: int | None = None) -> str:
    """
    Put the pinned servers in the place of a ``mongodb+srv://`` string's host.

    As with the records themselves TLS is on unless the URI says otherwise, and what the URI sets wins over the TXT
    record.

    :param hosts: so many of the servers, drawn at random for every environment anew; by default all of them.
    """
    before, _, query = uri.removeprefix("mongodb+srv://").partition("?")
    authority, _, database = before.partition("/")
    userinfo, at, _ = authority.rpartition("@")
    options = [option for option in query.replace(";", "&").split("&") if option]
    names = {option.partition("=")[0].lower() for option in options}
    kept = [option for option in options if option.partition("=")[0].lower() != "srvmaxhosts"]
    kept += [
        f"{name}={quote(str(value).lower() if isinstance(value, bool) else value, safe='')}"
        for name, value in pin.options.items()
        if name.lower() not in names
    ]
    if not names & {"tls", "ssl"}:
        kept.append("tls=true")
    seeds = list(pin.seeds)
    if hosts and hosts < len(seeds):
        # The system's randomness: a snapshot copies the state of the module's own.
        seeds = random.SystemRandom().sample(seeds, hosts)
    return f"mongodb://{userinfo}{at}{','.join(seeds)}/{database}?{'&'.join(kept)}"
