"""
What the DNS server answers: from a datagram's bytes to a message, without a socket.

Sources: RFC 1035 (messages), RFC 2308 (negative answers), RFC 6891 (EDNS), RFC 9619 (one question a query)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from .zone import TTL_SECONDS, Zone

_HEADER_BYTES = 12

# What a datagram may have without EDNS, and the most that a server should send with it.
_PLAIN_BYTES = 512
_EDNS_BYTES = 4096


class Failure(Enum):
    """
    How the server fails.
    """

    NONE = "none"
    SERVFAIL = "servfail"
    SILENT = "silent"
    REFUSED = "refused"
    NXDOMAIN = "nxdomain"


_RCODES = {Failure.SERVFAIL: dns.rcode.SERVFAIL, Failure.REFUSED: dns.rcode.REFUSED}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    What the server does with a query: the zone that it answers from, how it fails, and after how long.

    With ``shuffle`` several records come in another order each time, as most resolvers give them.
    """

    zone: Zone
    failure: Failure = Failure.NONE
    delay_seconds: float = 0.0
    shuffle: bool = True


def read_query(wire: bytes) -> dns.message.Message | None:
    """
    Return a query, without a question if it is malformed, or ``None`` for what nobody is owed an answer to.
    """
    is_response = len(wire) > 2 and wire[2] & 0x80
    # An answer to an answer could go on for ever.
    if len(wire) < _HEADER_BYTES or is_response:
        return None
    try:
        return dns.message.from_wire(wire)
    except Exception:
        # Whatever the parser stumbles over is the sender's mistake.
        return dns.message.QueryMessage(int.from_bytes(wire[:2], "big"))


def respond(query: dns.message.Message, behaviour: Behaviour) -> dns.message.Message | None:
    """
    Return the answer to a query, or ``None`` where the server keeps silent.
    """
    if behaviour.failure is Failure.SILENT:
        return None
    response = dns.message.make_response(query)
    if query.opcode() != dns.opcode.QUERY:
        response.set_rcode(dns.rcode.NOTIMP)
    elif len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
    elif behaviour.failure in _RCODES:
        response.set_rcode(_RCODES[behaviour.failure])
    elif behaviour.failure is Failure.NXDOMAIN:
        _deny(behaviour.zone, response, exists=False)
    else:
        _look_up(query.question[0], behaviour, response)
    return response


def datagram(response: dns.message.Message, query: dns.message.Message) -> bytes:
    """
    Return an answer's bytes for UDP: what the client has no room for is left out, and TC says so.
    """
    room = min(query.payload, _EDNS_BYTES) if query.edns >= 0 else _PLAIN_BYTES
    return response.to_wire(max_size=max(room, _PLAIN_BYTES), prefer_truncation=True, want_shuffle=False)


def stream_message(response: dns.message.Message) -> bytes:
    """
    Return an answer's bytes for TCP, its length in front.
    """
    # By itself dnspython would keep to the room that EDNS has named for datagrams.
    return response.to_wire(max_size=65535, prepend_length=True, want_shuffle=False)


def plain_name(name: dns.name.Name) -> str:
    """
    Return a name as the zone writes it.
    """
    return name.canonicalize().to_text(omit_final_dot=True)


def _look_up(question: dns.rrset.RRset, behaviour: Behaviour, response: dns.message.Message) -> None:
    name, zone = plain_name(question.name), behaviour.zone
    if question.rdclass != dns.rdataclass.IN or not zone.covers(name):
        response.set_rcode(dns.rcode.REFUSED)
        return
    found: dict[dns.rdatatype.RdataType, list[dns.rdata.Rdata]] = {}
    for record in _records(name, zone):
        if question.rdtype in (record.rdtype, dns.rdatatype.ANY):
            found.setdefault(record.rdtype, []).append(record)
    if not found:
        _deny(zone, response, exists=zone.has(name))
        return
    if behaviour.shuffle:
        for records in found.values():
            random.shuffle(records)
    response.flags |= dns.flags.AA
    # The owner as it was asked for: some clients mix cases at random and compare.
    response.answer = [dns.rrset.from_rdata(question.name, TTL_SECONDS, *records) for records in found.values()]


def _deny(zone: Zone, response: dns.message.Message, *, exists: bool) -> None:
    """
    Say that there is no such record (NODATA), or not even such a name, and for how long that holds.
    """
    response.flags |= dns.flags.AA
    response.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
    response.authority = [dns.rrset.from_rdata(dns.name.from_text(zone.domain), TTL_SECONDS, _authority(zone))]


def _records(name: str, zone: Zone) -> Iterator[dns.rdata.Rdata]:
    for host, port in zone.srv.get(name, ()):
        yield _record("SRV", f"0 0 {port} {host}.")
    if name in zone.txt:
        # Not from text, which would need quotes.
        yield TXT(dns.rdataclass.IN, dns.rdatatype.TXT, [zone.txt[name]])
    if name in zone.addresses:
        yield _record("A", zone.addresses[name])
    if name == zone.domain:
        yield _authority(zone)


def _authority(zone: Zone) -> dns.rdata.Rdata:
    serial, refresh, retry, expire = 1, 3600, 600, 86400
    names = f"ns.{zone.domain}. hostmaster.{zone.domain}."
    return _record("SOA", f"{names} {serial} {refresh} {retry} {expire} {TTL_SECONDS}")


def _record(kind: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text("IN", kind, text)
