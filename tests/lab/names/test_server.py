from __future__ import annotations

import asyncio
import gc
import os
import random
import socket
import subprocess
import sys
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from warmline.lab.names import server as server_module
from warmline.lab.names.answers import Failure
from warmline.lab.names.errors import NoFreeAddress
from warmline.lab.names.server import NameServer, Query
from warmline.lab.names.zone import Member, cluster_zone

from .parts import BASE, CLUSTER, HOST, NOBODY, SRV, Server, damaged, zone_of


def test_dnspython_learns_the_seeds_the_options_and_the_addresses(server: Server) -> None:
    resolver = server.resolver()

    seeds = sorted((seed.target.to_text(), seed.port) for seed in resolver.resolve(SRV, "SRV"))
    assert seeds == [(f"cluster0-shard-00-{i:02}.lab.mongodb.test.", 27017 + i) for i in range(3)]
    assert [text.strings for text in resolver.resolve(CLUSTER, "TXT")] == [(b"authSource=admin&replicaSet=warmline",)]
    assert [record.address for record in resolver.resolve(HOST, "A")] == ["127.0.2.1"]
    assert server.names.queries == (Query(SRV, "SRV", "udp"), Query(CLUSTER, "TXT", "udp"), Query(HOST, "A", "udp"))


def test_dnspython_tells_a_missing_name_from_a_missing_record(server: Server) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        server.resolver().resolve(f"no.{CLUSTER}", "A")
    with pytest.raises(dns.resolver.NoAnswer):
        server.resolver().resolve(HOST, "AAAA")


def test_thirty_hosts_are_cut_short_over_udp_and_whole_over_tcp(server: Server) -> None:
    server.behave(zone=zone_of(30))

    assert server.udp(SRV, "SRV").flags & dns.flags.TC
    assert [len(rrset) for rrset in server.tcp(SRV, "SRV").answer] == [30]
    # A resolver does both by itself.
    assert len(server.resolver().resolve(SRV, "SRV")) == 30
    assert [query.transport for query in server.names.queries] == ["udp", "tcp", "udp", "tcp"]
    assert server.names.counts() == {(SRV, "SRV"): 4}


def test_the_next_query_sees_a_new_zone(server: Server) -> None:
    assert len(server.resolver().resolve(SRV, "SRV")) == 3

    server.behave(zone=zone_of(5))
    assert len(server.resolver().resolve(SRV, "SRV")) == 5

    moved = Member(HOST, 27017, "127.0.9.9")
    server.behave(zone=cluster_zone(members=[moved], txt=None))
    assert [record.address for record in server.resolver().resolve(HOST, "A")] == ["127.0.9.9"]


@pytest.mark.parametrize(
    ("failure", "rcode"),
    [
        (Failure.SERVFAIL, dns.rcode.SERVFAIL),
        (Failure.REFUSED, dns.rcode.REFUSED),
        (Failure.NXDOMAIN, dns.rcode.NXDOMAIN),
    ],
)
def test_a_failure_lasts_until_it_is_taken_back(server: Server, failure: Failure, rcode: dns.rcode.Rcode) -> None:
    server.behave(failure=failure)
    assert server.udp(HOST, "A").rcode() == rcode
    assert server.tcp(HOST, "A").rcode() == rcode

    server.behave()
    assert server.udp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_a_silent_server_hears_and_says_nothing(server: Server) -> None:
    server.behave(failure=Failure.SILENT)
    with pytest.raises(dns.exception.Timeout):
        server.udp(HOST, "A", timeout=0.2)
    with pytest.raises(dns.exception.Timeout):
        server.tcp(HOST, "A", timeout=0.2)
    assert [query.transport for query in server.names.queries] == ["udp", "tcp"]

    server.behave()
    assert server.tcp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_a_slow_answer_holds_up_no_other(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect(server.address)
        server.behave(delay_seconds=1.0)
        sock.send(dns.message.make_query(HOST, "A", id=1).to_wire())
        while not server.names.queries:
            time.sleep(0.001)
        server.behave()
        sock.send(dns.message.make_query(HOST, "A", id=2).to_wire())

        assert [dns.message.from_wire(sock.recv(512)).id for _ in range(2)] == [2, 1]


def test_a_burst_of_queries_is_read_at_once_however_busy_the_loop_is() -> None:
    async def turns_until_all_are_read() -> int:
        names = NameServer(zone_of(1))
        await names.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(200):
                client.sendto(dns.message.make_query(HOST, "A", id=number).to_wire(), names.address)
        turns = 0
        while len(names.queries) < 200:
            await asyncio.sleep(0)
            turns += 1
        await names.close()
        return turns

    assert asyncio.run(turns_until_all_are_read()) < 20


def test_a_slow_answer_comes_over_tcp_too(server: Server) -> None:
    server.behave(delay_seconds=0.1)

    assert server.tcp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_the_end_does_not_wait_for_slow_answers() -> None:
    with (
        Server(zone_of(1)) as server,
        socket.create_connection(server.address) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        server.behave(delay_seconds=0.2)
        query = dns.message.make_query(HOST, "A")
        sock.sendto(query.to_wire(), server.address)
        dns.query.send_tcp(stream, query)
        while len(server.names.queries) < 2:
            time.sleep(0.001)
        stream.settimeout(20)
    with Server(zone_of(1)) as another:
        # By now the delay has passed, and nothing complained.
        another.behave(delay_seconds=0.3)
        assert another.udp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_the_end_is_the_end_for_a_client_that_reads_nothing() -> None:
    wire = dns.message.make_query(SRV, "SRV").to_wire()
    with socket.socket() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with Server(zone_of(300)) as server:
            # Its connections have the listener's: a few answers fill it.
            server.names._listener.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            stream.connect(server.address)
            stream.sendall((len(wire).to_bytes(2, "big") + wire) * 100)
            answered = -1
            # Until its side is full: then it waits for us.
            while answered < len(server.names.queries):
                answered = len(server.names.queries)
                time.sleep(0.2)
    # A connection left behind complains when it is collected.
    gc.collect()


def test_several_queries_go_through_one_connection(server: Server) -> None:
    with socket.create_connection(server.address, timeout=20) as stream:
        for kind in ("A", "TXT", "AAAA"):
            query = dns.message.make_query(HOST, kind)
            dns.query.send_tcp(stream, query)
            response, _ = dns.query.receive_tcp(stream)
            assert query.is_response(response)


def test_malformed_datagrams_do_no_harm(server: Server) -> None:
    chance = random.Random(27017)
    template = dns.message.make_query(SRV, "SRV", payload=1232).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(server.address)
        for _ in range(50):
            for _ in range(60):
                sock.send(chance.randbytes(chance.randrange(600)))
                sock.send(damaged(template, chance))
            # Not faster than it reads: what finds no room would test nothing.
            assert server.udp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_malformed_streams_do_no_harm(server: Server) -> None:
    chance = random.Random(27017)
    query = dns.message.make_query(HOST, "A").to_wire()
    for garbage in (
        b"",
        b"\0",
        b"\0\0\0\0",
        len(query).to_bytes(2, "big") + query[:-1],
        b"\0\14" + query[:12],
        *(chance.randbytes(chance.randrange(2000)) for _ in range(100)),
    ):
        with socket.create_connection(server.address) as stream:
            stream.sendall(garbage)
    assert server.tcp(HOST, "A").rcode() == dns.rcode.NOERROR


def test_with_root_it_is_on_port_53_of_its_own_address() -> None:
    if os.geteuid() != 0:
        pytest.skip("port 53 needs root")
    with Server(zone_of(1)) as one, Server(zone_of(1)) as two:
        assert (one.address[1], two.address[1]) == (53, 53)
        assert one.address != two.address


def test_without_root_it_is_on_any_port() -> None:
    program = f"""
import asyncio, os
from warmline.lab.names.server import NameServer
from warmline.lab.names.zone import cluster_zone
async def main():
    server = NameServer(cluster_zone(members=[], txt=None))
    await server.start()
    print(*server.address)
    await server.close()
os.geteuid() or os.setuid({NOBODY})
asyncio.run(main())
"""
    printed = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True, env=BASE)
    host, port = printed.stdout.split()
    assert host == "127.0.0.1"
    assert int(port) >= 1024


def test_an_address_that_is_taken_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, socket.socket() as free:
        # Not 127.0.0.1: there any process may take the port that is let go here.
        taken.bind(("127.77.0.1", 0))
        free.bind(("127.77.0.1", 0))
        both_free = free.getsockname()
        free.close()
        addresses = [taken.getsockname(), both_free]
        monkeypatch.setattr(server_module, "_addresses", lambda: iter(addresses))

        with Server(zone_of(1)) as server:
            assert server.address == both_free
            addresses.pop()
            with pytest.raises(NoFreeAddress, match=r"no loopback address .* [Aa]ddress already in use"):
                asyncio.run(NameServer(zone_of(1)).start())
