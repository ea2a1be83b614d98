from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from warmline.lab.cluster import Cluster, ClusterSpec, connect_to, make_certificates, start_cluster
from warmline.lab.measure import ConnectionSampler
from warmline.lab.workspace import Workspace

HOSTS = tuple(f"cluster0-shard-00-0{number}.lab.mongodb.test" for number in range(3))
# Nothing listens there: it stands for a proxy's port.
IN_FRONT = "cluster0-shard-00-00.lab.mongodb.test:27101"
REFUSED_WITHIN_MS = 300


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Cluster]:
    """
    Three members that accept TLS only, and are known by public names.
    """
    with Workspace() as workspace, start_cluster(workspace, ClusterSpec(tls=True), public=HOSTS) as cluster:
        yield cluster
    assert workspace.swept == 0


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let the public names resolve to this machine.
    """
    getaddrinfo = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        return getaddrinfo("127.0.0.1" if str(host).endswith(".mongodb.test") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def ca(cluster: Cluster) -> str:
    assert cluster.certificates is not None
    return str(cluster.certificates.ca)


def test_the_connection_string_alone_is_enough_to_connect(encrypted: Cluster) -> None:
    addresses = ",".join(node.address for node in encrypted.nodes)
    path = ca(encrypted).replace("/", "%2F")
    assert encrypted.uri == f"mongodb://{addresses}/?replicaSet=warmline&tls=true&tlsCAFile={path}"
    assert encrypted.users is None

    with MongoClient[dict[str, Any]](encrypted.uri) as client:
        client["shop"]["orders"].insert_one({"paid": True})
        assert client.nodes == {(node.host, node.port) for node in encrypted.nodes}


def test_the_lab_reaches_each_member_by_its_node(encrypted: Cluster) -> None:
    assert {encrypted.primary(), *encrypted.secondaries()} == set(encrypted.nodes)
    for node in encrypted.nodes:
        with connect_to(node) as client:
            assert client.admin.command("hello")["me"] == node.address
    with ConnectionSampler(encrypted.nodes) as sampler:
        assert set(sampler.now()) == {"mongod-0", "mongod-1", "mongod-2"}


def test_a_client_without_tls_is_refused(encrypted: Cluster) -> None:
    node = encrypted.nodes[0]
    with (
        MongoClient[dict[str, Any]](
            node.host, node.port, directConnection=True, serverSelectionTimeoutMS=REFUSED_WITHIN_MS
        ) as client,
        pytest.raises(ServerSelectionTimeoutError, match="connection closed"),
    ):
        client.admin.command("ping")
    assert "The server is configured to only allow SSL connections" in node.log_path.read_text()


def test_a_client_that_trusts_another_authority_refuses_the_server(encrypted: Cluster, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    with (
        MongoClient[dict[str, Any]](
            encrypted.uri, tlsCAFile=str(other.ca), serverSelectionTimeoutMS=REFUSED_WITHIN_MS
        ) as client,
        pytest.raises(ServerSelectionTimeoutError, match="certificate verify failed"),
    ):
        client.admin.command("ping")


def test_a_client_that_comes_by_a_public_name_finds_all_members_by_theirs(encrypted: Cluster, names: None) -> None:
    public = {(host, node.port) for host, node in zip(HOSTS, encrypted.nodes, strict=True)}
    assert encrypted.public == tuple(f"{host}:{node.port}" for host, node in zip(HOSTS, encrypted.nodes, strict=True))

    with MongoClient[dict[str, Any]](
        HOSTS[1], encrypted.nodes[1].port, replicaSet="warmline", tls=True, tlsCAFile=ca(encrypted)
    ) as client:
        # A write goes to the primary, which need not be the one connected to first.
        client["shop"]["orders"].insert_one({"paid": True})
        assert client.nodes == public
        assert {client.primary, *client.secondaries} == public


def test_a_client_that_comes_by_another_name_gets_the_internal_ones(encrypted: Cluster) -> None:
    node = encrypted.nodes[0]
    with MongoClient[dict[str, Any]](
        "localhost", node.port, replicaSet="warmline", tls=True, tlsCAFile=ca(encrypted)
    ) as client:
        client.admin.command("ping")
        assert client.nodes == {(one.host, one.port) for one in encrypted.nodes}


def test_a_public_name_may_carry_the_port_of_something_in_front(workspace: Workspace, names: None) -> None:
    certificates = make_certificates(workspace.directory / "ours", ["*.lab.mongodb.test"])
    spec = ClusterSpec(members=1, tls=True)

    with start_cluster(workspace, spec, public=(IN_FRONT,), certificates=certificates) as cluster:
        assert cluster.certificates == certificates
        assert cluster.public == (IN_FRONT,)
        [node] = cluster.nodes
        with MongoClient[dict[str, Any]](
            HOSTS[0], node.port, directConnection=True, tls=True, tlsCAFile=str(certificates.ca)
        ) as client:
            hello = client.admin.command("hello")
        assert (hello["hosts"], hello["me"]) == ([IN_FRONT], IN_FRONT)

    # The caller's own stay.
    assert certificates.ca.is_file()


def test_a_key_is_its_owners_alone_and_the_authoritys_is_not_written(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "tls"

    certificates = make_certificates(directory, HOSTS)

    assert set(directory.iterdir()) == {certificates.ca, certificates.server}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(certificates.server.stat().st_mode) == 0o600
    assert "PRIVATE KEY" in certificates.server.read_text()
    assert "PRIVATE KEY" not in certificates.ca.read_text()


@pytest.mark.parametrize(
    ("public", "message"),
    [
        (HOSTS[:2], "public has one entry for each of 3 members, not 2"),
        ((*HOSTS[:2], "127.0.0.1:27101"), "a DNS name in lower case, not '127.0.0.1:27101'"),
        ((*HOSTS[:2], "Cluster0.test"), "a DNS name in lower case, not 'Cluster0.test'"),
        ((*HOSTS[:2], "cluster0.test:"), "a DNS name in lower case, not 'cluster0.test:'"),
    ],
)
def test_public_names_that_no_client_would_send_are_refused(public: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        start_cluster(Workspace(), ClusterSpec(tls=True), public=public)


def test_public_names_without_tls_are_refused() -> None:
    with pytest.raises(ValueError, match="set tls=True"):
        start_cluster(Workspace(), ClusterSpec(), public=HOSTS)
