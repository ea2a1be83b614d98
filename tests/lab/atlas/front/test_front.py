from __future__ import annotations

import random
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from warmline.lab.atlas.front import (
    CLEAR,
    AccessList,
    Face,
    FaceSpec,
    Front,
    FrontOptions,
    Limits,
    Network,
)
from warmline.lab.atlas.loop import LoopThread
from warmline.lab.cluster.tls import make_certificates
from warmline.lab.errors import UnusableNetwork

from .conftest import StartFront

Client = MongoClient[dict[str, Any]]


def client_of(front: Front, **options: Any) -> Client:
    hosts = ",".join(f"127.0.0.1:{face.port}" for face in front.faces)
    given = {"directConnection": len(front.faces) == 1, "serverSelectionTimeoutMS": 5000, **options}
    return MongoClient(f"mongodb://{hosts}/", **given)


def wait_for(condition: Callable[[], object], what: str) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


@pytest.mark.parametrize("mode", ["poll", "stream"])
def test_a_driver_works_through_it(face_of: FaceSpec, start_front: StartFront, mode: str) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front, serverMonitoringMode=mode, heartbeatFrequencyMS=500, compressors="zlib") as client:
        collection = client["shop"]["through"]
        collection.drop()
        collection.insert_many([{"_id": number, "text": "x" * 2000} for number in range(3000)])
        assert sum(1 for _ in collection.find({}, batch_size=100)) == 3000
        large = {"_id": "large", "data": b"\0" * 10_000_000}
        collection.insert_one(large)
        assert collection.find_one({"_id": "large"}) == large
        # Long enough for a streaming monitor to have heard more than one reply to one hello.
        time.sleep(1.2)
        assert client.admin.command("ping")["ok"] == 1


def test_thirty_faces_look_like_a_sharded_cluster_and_count_their_connections(
    face_of: FaceSpec, start_front: StartFront
) -> None:
    faces = [FaceSpec(f"mongos-{number}", face_of.server, mongos=True) for number in range(30)]
    front = start_front(faces, FrontOptions())
    with client_of(front, serverMonitoringMode="poll") as client:
        client["shop"]["faces"].insert_one({})
        wait_for(
            lambda: all(face.counters.open >= 1 for face in front.faces), "a monitor's connection to each of the faces"
        )
        assert client.topology_description.topology_type_name == "Sharded"
        assert len(client.topology_description.server_descriptions()) == 30
    wait_for(lambda: not any(face.counters.open for face in front.faces), "the end of all connections")


def certificate(tmp_path: Path) -> tuple[Path, Path]:
    made = make_certificates(tmp_path / "tls", ["cluster0-shard-00-00.lab.mongodb.test"])
    return made.server, made.ca


def test_an_address_that_is_not_listed_gets_the_tls_alert_that_atlas_sends(
    face_of: FaceSpec, start_front: StartFront, tmp_path: Path
) -> None:
    server, ca = certificate(tmp_path)
    front = start_front([face_of], FrontOptions(server_pem=server, access_list=AccessList(("10.0.0.0/8", "127.0.0.7"))))
    options = {"tls": True, "tlsCAFile": str(ca), "serverSelectionTimeoutMS": 500}
    with client_of(front, **options) as client, pytest.raises(ServerSelectionTimeoutError, match="INTERNAL_ERROR"):
        client.admin.command("ping")
    context = ssl.create_default_context(cafile=str(ca))
    address = ("127.0.0.1", front.faces[0].port)
    with (
        socket.create_connection(address, source_address=("127.0.0.7", 0)) as listed,
        context.wrap_socket(listed, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.3"
    assert front.faces[0].counters.refused["access list"] > 0


def test_a_denied_handshake_can_hang_or_be_reset(face_of: FaceSpec, start_front: StartFront) -> None:
    hanging = start_front([face_of], FrontOptions(access_list=AccessList((), "hold")))
    with socket.create_connection(("127.0.0.1", hanging.faces[0].port), timeout=0.3) as denied:
        denied.sendall(b"hello")
        with pytest.raises(TimeoutError):
            denied.recv(1)
    resetting = start_front([face_of], FrontOptions(access_list=AccessList((), "reset")))
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", resetting.faces[0].port)) as denied,
    ):
        denied.recv(1)


@pytest.mark.parametrize("entry", ["everywhere", "10.0.0.0/33", "300.1.1.1"])
def test_an_entry_that_is_no_address_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=entry.partition("/")[0]):
        AccessList((entry,))


def test_above_its_limit_a_node_closes_connections(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions(limits=Limits(connections=2)))
    with client_of(front, serverMonitoringMode="poll", maxPoolSize=1) as first:
        first.admin.command("ping")
        with (
            client_of(front, serverSelectionTimeoutMS=400) as second,
            pytest.raises(PyMongoError, match=r"closed|reset"),
        ):
            second.admin.command("ping")
    assert front.faces[0].counters.refused["limit"] > 0


def test_new_connections_above_the_rate_wait_their_turn(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions(limits=Limits(new_per_second=10)))
    (face,) = front.faces
    sockets = [socket.create_connection(("127.0.0.1", face.port)) for _ in range(25)]
    samples = face.admission.samples
    wait_for(lambda: samples and samples[-1].admitted == 25, "everybody's turn")
    # A second's worth at once, then one each tenth of a second.
    assert samples[-1].seconds - samples[0].seconds >= 1.4
    assert max(sample.waiting for sample in samples) >= 10
    assert samples[-1].dropped == 0
    for one in sockets:
        one.close()


def test_when_the_queue_is_full_new_connections_are_dropped(
    face_of: FaceSpec, start_front: StartFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmline.lab.atlas.front.limits.QUEUE_LENGTH", 3)
    front = start_front([face_of], FrontOptions(limits=Limits(new_per_second=2)))
    (face,) = front.faces
    sockets = [socket.create_connection(("127.0.0.1", face.port)) for _ in range(12)]
    wait_for(lambda: face.counters.refused["admission"] == 12 - 2 - 3, "the drop of all but five")
    for one in sockets:
        one.close()


def connected(face: Face, count: int) -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", face.port), timeout=5) for _ in range(count)]


def reset_by_client(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


@pytest.mark.parametrize("tls", [True, False])
def test_a_client_that_goes_while_it_waits_gives_its_turn_to_the_next_that_comes(
    face_of: FaceSpec, start_front: StartFront, tmp_path: Path, tls: bool
) -> None:
    pem = make_certificates(tmp_path / "tls").server if tls else None
    front = start_front([face_of], FrontOptions(server_pem=pem, limits=Limits(new_per_second=1)))
    (face,) = front.faces
    samples = face.admission.samples
    (first,) = connected(face, 1)
    waiting = connected(face, 15)
    wait_for(lambda: samples and samples[-1].admitted + samples[-1].waiting == 16, "the queue")
    for one in waiting[:5]:
        # With TLS this is not read before its turn, and the end stands behind it.
        one.sendall(hello_bytes())
        one.close()
    for one in waiting[5:10]:
        one.close()
    for one in waiting[10:]:
        reset_by_client(one)
    wait_for(lambda: samples[-1].admitted + samples[-1].gone == 16, "the end of the queue")
    # A busy machine may let one or two in before they have gone.
    assert samples[-1].gone >= 12
    assert face.counters.refused["gone"] >= samples[-1].gone
    before = samples[-1].admitted
    (late,) = connected(face, 1)
    # Behind fifteen tokens that were lost it would wait for longer than this does.
    wait_for(lambda: samples[-1].admitted == before + 1, "the turn of the next")
    for one in (first, late):
        one.close()


def test_in_an_outage_nobody_learns_that_a_waiting_client_has_gone(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions(limits=Limits(new_per_second=1)))
    (face,) = front.faces
    samples = face.admission.samples
    first, second = connected(face, 2)
    wait_for(lambda: samples and samples[-1].waiting == 1, "the second to wait")
    front.lay(Network(black_hole="all"))
    second.close()
    wait_for(lambda: samples[-1].admitted == 2, "its turn")
    assert samples[-1].gone == 0
    first.close()


def test_access_list_and_limits_change_for_the_connections_that_come(
    face_of: FaceSpec, start_front: StartFront
) -> None:
    front = start_front([face_of], FrontOptions())
    (face,) = front.faces

    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", face.port), timeout=5) as raw:
                raw.sendall(hello_bytes())
                return bool(raw.recv(1))
        except (ConnectionResetError, BrokenPipeError):
            return False

    with client_of(front, serverMonitoringMode="poll") as client:
        client.admin.command("ping")
        front.allow(AccessList(("10.0.0.0/8",), "reset"))
        assert not answers()
        assert client.admin.command("ping")["ok"] == 1
        front.allow(None)
        assert answers()
        front.limit(Limits(connections=1))
        assert not answers()
        front.limit(Limits())
        assert answers()
    assert face.counters.refused["access list"] == 1
    assert face.counters.refused["limit"] == 1


def test_latency_is_added_in_both_directions(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front) as client:
        client.admin.command("ping")
        front.lay(Network(latency_seconds=0.1))
        began = time.monotonic()
        client.admin.command("ping")
        assert time.monotonic() - began >= 0.2


def test_flows_that_a_nat_gateway_forgot_hang_while_new_ones_work(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front, socketTimeoutMS=400, serverMonitoringMode="poll", retryReads=False) as client:
        client.admin.command("ping")
        front.lay(Network(black_hole="existing"))
        with pytest.raises(NetworkTimeout):
            client["shop"]["x"].find_one({})
        assert client["shop"]["x"].find_one({}) is None


def test_in_an_outage_nothing_passes_and_afterwards_everything_does(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front, socketTimeoutMS=400, retryReads=False, serverMonitoringMode="poll") as client:
        client.admin.command("ping")
        front.lay(Network(black_hole="all"))
        with pytest.raises(PyMongoError):
            client["shop"]["x"].find_one({})
        with socket.create_connection(("127.0.0.1", front.faces[0].port), timeout=0.3) as late:
            late.sendall(b"\0" * 16)
            with pytest.raises(TimeoutError):
                late.recv(1)
        front.lay(CLEAR)
        assert client["shop"]["x"].find_one({}) is None


@pytest.mark.parametrize("how", ["reset", "close"])
def test_flows_can_be_cut(face_of: FaceSpec, start_front: StartFront, how: Any) -> None:
    front = start_front([face_of], FrontOptions())
    # In this mode the pool's connection is the first to notice; otherwise the operation waits for its server selection.
    with client_of(front, retryReads=False, serverMonitoringMode="poll") as client:
        client.admin.command("ping")
        front.lay(Network(cut=how))
        time.sleep(0.1)
        with pytest.raises(AutoReconnect):
            client["shop"]["x"].find_one({})
        front.lay(CLEAR)
        assert client["shop"]["x"].find_one({}) is None


def test_an_idle_flow_is_dropped_without_a_sign(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front, socketTimeoutMS=400, retryReads=False, serverMonitoringMode="poll") as client:
        front.lay(Network(idle_drop_seconds=0.5))
        client.admin.command("ping")
        time.sleep(0.8)
        with pytest.raises(NetworkTimeout):
            client["shop"]["x"].find_one({})
        assert client["shop"]["x"].find_one({}) is None


def test_a_network_lies_between_one_source_and_one_node_only(face_of: FaceSpec, start_front: StartFront) -> None:
    other = FaceSpec("other", face_of.server)
    front = start_front([face_of, other], FrontOptions())
    front.lay(Network(black_hole="all"), source="127.0.0.9", node="other")

    def answers(port: int, source: str) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0, source_address=(source, 0)) as raw:
            raw.sendall(hello_bytes())
            try:
                return bool(raw.recv(1))
            except TimeoutError:
                return False

    ports = {face.spec.name: face.port for face in front.faces}
    assert answers(ports["other"], "127.0.0.8")
    assert answers(ports["node"], "127.0.0.9")
    assert not answers(ports["other"], "127.0.0.9")


def hello_bytes() -> bytes:
    import bson

    body = bson.encode({"hello": 1, "$db": "admin"})
    return struct.pack("<iiiiIB", 21 + len(body), 1, 0, 2013, 0, 0) + body


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<iiii", 3, 1, 0, 2013),
        struct.pack("<iiii", -1, 1, 0, 2013),
        struct.pack("<iiii", 2_000_000_000, 1, 0, 2013),
        struct.pack("<iiii", 18, 1, 0, 2013) + b"\0\0",
        struct.pack("<iiiiIB", 26, 1, 0, 2013, 0, 0) + b"\xff\xff\xff\x7f\0",
        struct.pack("<iiiiIB", 32, 1, 0, 2013, 0, 0) + b"\x0b\0\0\0\x01hello",
        struct.pack("<iiii", 30, 1, 0, 2004) + b"x" * 14,
        hello_bytes()[:-3],
    ],
)
def test_a_malformed_message_ends_its_connection_and_no_other(
    face_of: FaceSpec, start_front: StartFront, data: bytes
) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front) as client:
        client.admin.command("ping")
        with socket.create_connection(("127.0.0.1", front.faces[0].port), timeout=10) as bad:
            bad.sendall(data)
            bad.shutdown(socket.SHUT_WR)
            assert bad.recv(1) == b""
        assert client.admin.command("ping")["ok"] == 1
    assert front.faces[0].counters.refused["malformed"] == 1


def test_it_survives_bytes_of_all_kinds(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    chance = random.Random(20261124)
    for _ in range(1500):
        data = bytearray(hello_bytes() if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 200)))
        for _ in range(chance.randrange(0, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with socket.create_connection(("127.0.0.1", front.faces[0].port), timeout=10) as bad:
            bad.sendall(data)
    # A busy machine may still be working through them.
    with client_of(front, serverSelectionTimeoutMS=30_000) as client:
        assert client.admin.command("ping")["ok"] == 1


def test_the_first_command_of_a_connection_may_be_large(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with client_of(front, retryWrites=False) as client:
        # No other command comes before it on the pool's connection.
        client["shop"]["first"].insert_one({"data": b"\0" * 10_000_000})


@pytest.mark.parametrize("what", ["latency", "queue", "outage"])
def test_a_tls_handshake_survives_a_wait_before_it(
    face_of: FaceSpec, start_front: StartFront, tmp_path: Path, what: str
) -> None:
    certificates = make_certificates(tmp_path / "tls")
    limits = Limits(new_per_second=5) if what == "queue" else Limits()
    front = start_front([face_of], FrontOptions(server_pem=certificates.server, limits=limits))
    if what == "latency":
        front.lay(Network(latency_seconds=0.05))
    elif what == "outage":
        front.lay(Network(black_hole="all"))
    context = ssl.create_default_context(cafile=str(certificates.ca))
    waiting = []
    for _ in range(8):
        raw = socket.create_connection(("127.0.0.1", front.faces[0].port), timeout=5)
        tls = context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=False)
        # The ClientHello goes out now; the answer, if it does not come at once, is waited for below.
        tls.setblocking(False)
        with suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        waiting.append(tls)
    time.sleep(0.2)
    front.lay(CLEAR)
    for tls in waiting:
        tls.settimeout(5)
        tls.do_handshake()
        tls.close()


def test_a_client_that_says_nothing_more_does_not_outlive_the_front(face_of: FaceSpec, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "tls")
    front = Front([face_of], FrontOptions(server_pem=certificates.server))
    (face,) = front.faces
    context = ssl.create_default_context(cafile=str(certificates.ca))
    with LoopThread() as loop:
        loop.run(front.__aenter__())
        raw = socket.create_connection(("127.0.0.1", face.port), timeout=5)
        with context.wrap_socket(raw, server_hostname="localhost"):
            wait_for(lambda: face.counters.open == 1, "the connection to be through")
            port = face.port
            loop.run(front.__aexit__())
            assert port not in {one.laddr.port for one in psutil.Process().net_connections("tcp4")}


@pytest.mark.parametrize("ending", ["FIN", "RST"])
@pytest.mark.parametrize(
    "network", [Network(black_hole="existing"), Network(black_hole="all"), Network(idle_drop_seconds=0.1)]
)
def test_the_end_of_a_lost_flow_does_not_reach_the_server(
    face_of: FaceSpec, start_front: StartFront, network: Network, ending: str
) -> None:
    front = start_front([face_of], FrontOptions())
    (face,) = front.faces
    raw = socket.create_connection(("127.0.0.1", face.port), timeout=5)
    raw.sendall(hello_bytes())
    assert raw.recv(65_536)
    front.lay(network)
    time.sleep(0.2)
    if ending == "RST":
        reset_by_client(raw)
    raw.close()
    time.sleep(0.3)
    assert face.counters.open == 1


def test_connections_that_wait_or_shake_hands_count_for_the_limit(
    face_of: FaceSpec, start_front: StartFront, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path / "tls")
    front = start_front([face_of], FrontOptions(server_pem=certificates.server, limits=Limits(connections=5)))
    (face,) = front.faces
    sockets = [socket.create_connection(("127.0.0.1", face.port)) for _ in range(20)]
    wait_for(lambda: face.counters.refused["limit"] == 15, "the refusal of all but five")
    for one in sockets:
        one.close()


def test_packets_are_not_a_fronts_to_lose(face_of: FaceSpec, start_front: StartFront) -> None:
    front = start_front([face_of], FrontOptions())
    with pytest.raises(UnusableNetwork, match=r"can't lose packets.*link"):
        front.lay(Network(loss=0.1))
