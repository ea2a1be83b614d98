from __future__ import annotations

import random

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.update
import pytest

from warmline.lab.cluster.replica_set import REPLICA_SET
from warmline.lab.names.answers import Behaviour, Failure, datagram, read_query, respond, stream_message
from warmline.lab.names.zone import REPLICA_SET_OPTIONS, SHARDED_OPTIONS

from .parts import CLUSTER, HOST, SRV, damaged, zone_of

BEHAVIOUR = Behaviour(zone_of(3))


def answer(query: dns.message.Message, behaviour: Behaviour = BEHAVIOUR) -> dns.message.Message:
    """
    Send a query through its bytes and back.
    """
    received = read_query(query.to_wire())
    assert received is not None
    response = respond(received, behaviour)
    assert response is not None
    return dns.message.from_wire(datagram(response, received))


def answers(message: dns.message.Message) -> list[str]:
    return [line for rrset in message.answer for line in rrset.to_text().splitlines()]


def test_a_replica_set_is_published_as_atlas_does() -> None:
    assert sorted(answers(answer(dns.message.make_query(SRV, "SRV")))) == [
        f"{SRV}. 60 IN SRV 0 0 27017 cluster0-shard-00-00.lab.mongodb.test.",
        f"{SRV}. 60 IN SRV 0 0 27018 cluster0-shard-00-01.lab.mongodb.test.",
        f"{SRV}. 60 IN SRV 0 0 27019 cluster0-shard-00-02.lab.mongodb.test.",
    ]
    assert answers(answer(dns.message.make_query(CLUSTER, "TXT"))) == [
        f'{CLUSTER}. 60 IN TXT "authSource=admin&replicaSet=warmline"'
    ]
    assert answers(answer(dns.message.make_query(HOST, "A"))) == [f"{HOST}. 60 IN A 127.0.2.1"]


@pytest.mark.parametrize(("shuffle", "orders"), [(True, 6), (False, 1)])
def test_several_records_come_in_any_order_unless_they_are_to_keep_theirs(shuffle: bool, orders: int) -> None:
    behaviour = Behaviour(zone_of(3), shuffle=shuffle)
    seen = {tuple(answers(answer(dns.message.make_query(SRV, "SRV"), behaviour))) for _ in range(200)}
    assert len(seen) == orders


def test_the_options_name_the_replica_set_that_the_lab_starts() -> None:
    assert f"{SHARDED_OPTIONS}&replicaSet={REPLICA_SET}" == REPLICA_SET_OPTIONS


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "authoritative"),
    [
        pytest.param(HOST, "A", dns.rcode.NOERROR, True, id="an answer"),
        pytest.param(HOST, "AAAA", dns.rcode.NOERROR, True, id="a name without such a record"),
        pytest.param(HOST, "TYPE65280", dns.rcode.NOERROR, True, id="an unknown type"),
        pytest.param(f"_tcp.{CLUSTER}", "SRV", dns.rcode.NOERROR, True, id="a name that only has names below it"),
        pytest.param("lab.mongodb.test", "A", dns.rcode.NOERROR, True, id="the domain itself"),
        pytest.param("lab.mongodb.test", "SOA", dns.rcode.NOERROR, True, id="its authority"),
        pytest.param("no.lab.mongodb.test", "A", dns.rcode.NXDOMAIN, True, id="no such name"),
        pytest.param(f"below.{HOST}", "A", dns.rcode.NXDOMAIN, True, id="a name below a host"),
        pytest.param("www.example.org", "A", dns.rcode.REFUSED, False, id="another domain"),
        pytest.param("mylab.mongodb.test", "A", dns.rcode.REFUSED, False, id="a domain that only ends alike"),
        pytest.param(".", "NS", dns.rcode.REFUSED, False, id="the root"),
    ],
)
def test_what_is_there_and_what_is_not(name: str, kind: str, rcode: dns.rcode.Rcode, authoritative: bool) -> None:
    response = answer(dns.message.make_query(name, kind))

    assert response.rcode() == rcode
    assert bool(response.flags & dns.flags.AA) == authoritative
    found = (name, kind) in {(HOST, "A"), ("lab.mongodb.test", "SOA")}
    assert bool(response.answer) == found
    # A negative answer says how long it holds.
    assert [rrset.name.to_text() for rrset in response.authority] == (
        ["lab.mongodb.test."] if authoritative and not found else []
    )


def test_a_cluster_without_txt_has_its_name_and_no_text() -> None:
    response = answer(dns.message.make_query(CLUSTER, "TXT"), Behaviour(zone_of(3, txt=None)))

    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


def test_any_stands_for_all_types() -> None:
    assert answers(answer(dns.message.make_query(HOST, "ANY"))) == [f"{HOST}. 60 IN A 127.0.2.1"]


def test_the_case_of_a_name_does_not_matter_and_comes_back() -> None:
    assert answers(answer(dns.message.make_query(HOST.upper(), "A"))) == [f"{HOST.upper()}. 60 IN A 127.0.2.1"]


def test_only_the_internet_class_is_answered() -> None:
    assert answer(dns.message.make_query(HOST, "A", "CH")).rcode() == dns.rcode.REFUSED


def test_a_query_has_one_question() -> None:
    query = dns.message.make_query(HOST, "A")
    query.question.append(dns.rrset.RRset(query.question[0].name, query.question[0].rdclass, dns.rdatatype.TXT))
    assert answer(query).rcode() == dns.rcode.FORMERR
    query.question = []
    assert answer(query).rcode() == dns.rcode.FORMERR


def test_what_is_no_query_is_not_implemented() -> None:
    update = dns.update.UpdateMessage("lab.mongodb.test")
    update.add("new", 60, "A", "127.0.0.1")
    assert answer(update).rcode() == dns.rcode.NOTIMP
    query = dns.message.make_query(HOST, "A")
    query.set_opcode(dns.opcode.STATUS)
    assert answer(query).rcode() == dns.rcode.NOTIMP


@pytest.mark.parametrize(
    ("failure", "rcode"),
    [
        (Failure.SERVFAIL, dns.rcode.SERVFAIL),
        (Failure.REFUSED, dns.rcode.REFUSED),
        (Failure.NXDOMAIN, dns.rcode.NXDOMAIN),
    ],
)
def test_a_failing_server_has_no_answer(failure: Failure, rcode: dns.rcode.Rcode) -> None:
    response = answer(dns.message.make_query(HOST, "A"), Behaviour(zone_of(3), failure))

    assert (response.rcode(), response.answer) == (rcode, [])


@pytest.mark.parametrize(("payload", "truncated"), [(None, True), (1232, True), (4096, False), (65535, False)])
def test_a_datagram_is_as_long_as_the_client_allows(payload: int | None, truncated: bool) -> None:
    query = dns.message.make_query(SRV, "SRV", payload=payload)
    response = respond(query, Behaviour(zone_of(30)))
    assert response is not None
    wire = datagram(response, query)

    assert len(wire) <= min(payload or 512, 4096)
    assert bool(dns.message.from_wire(wire).flags & dns.flags.TC) == truncated
    # A stream has room for all, whatever the client allows a datagram.
    whole = dns.message.from_wire(stream_message(response)[2:])
    assert [len(rrset) for rrset in whole.answer] == [30]


def test_nobody_is_answered_who_has_not_asked() -> None:
    response = dns.message.make_response(dns.message.make_query(HOST, "A"))

    assert read_query(response.to_wire()) is None
    assert read_query(b"") is None
    assert read_query(b"\0" * 11) is None


def test_a_malformed_query_is_told_so() -> None:
    wire = dns.message.make_query(HOST, "A", id=4711).to_wire()
    query = read_query(wire[:-3])
    assert query is not None
    response = respond(query, BEHAVIOUR)
    assert response is not None
    assert (response.id, response.rcode()) == (4711, dns.rcode.FORMERR)


def test_no_bytes_are_too_strange() -> None:
    chance = random.Random(4711)
    template = dns.message.make_query(SRV, "SRV", payload=1232).to_wire()
    outcomes = set()
    for _ in range(10_000):
        wire = chance.randbytes(chance.randrange(80)) if chance.random() < 0.5 else damaged(template, chance)
        query = read_query(wire)
        response = query and respond(query, BEHAVIOUR)
        if query and response:
            assert dns.message.from_wire(datagram(response, query)).id == int.from_bytes(wire[:2], "big")
            assert stream_message(response)
        outcomes.add(response.rcode() if response else None)

    # All the ways out were tried.
    assert outcomes >= {None, dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED}
