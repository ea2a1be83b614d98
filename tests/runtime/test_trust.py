from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from warmline import connect, connect_async
from warmline.lab.atlas import AtlasCluster
from warmline.lab.cluster.tls import make_certificates
from warmline.runtime import loop, private, trust


@pytest.fixture
def cluster(
    atlas: AtlasCluster,
    use_names_of: Callable[[AtlasCluster], None],
    on_lambda: None,
    monkeypatch: pytest.MonkeyPatch,
) -> AtlasCluster:
    """
    A cluster that passes for one of Atlas's. Its authority is neither among Atlas's roots nor among the system's.
    """
    use_names_of(atlas)
    monkeypatch.setattr(trust, "ATLAS", ".mongodb.test")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return atlas


def authority(cluster: AtlasCluster) -> str:
    assert cluster.servers.certificates is not None
    return str(cluster.servers.certificates.ca)


def uri(cluster: AtlasCluster, *options: str) -> str:
    before = cluster.uri().partition("?")[0]
    return f"{before}?{'&'.join(options)}" if options else before


def test_a_certificate_of_one_of_the_few_authorities_is_all_it_takes(
    cluster: AtlasCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trust, "ROOTS", authority(cluster))
    client = connect(uri(cluster))
    assert client.admin.command("ping")["ok"] == 1
    assert caplog.messages == []
    context: Any = client.options.pool_options._ssl_context
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("kind", [connect, connect_async])
def test_with_a_certificate_of_another_authority_the_systems_roots_are_tried_and_one_line_says_so(
    kind: Callable[..., Any],
    cluster: AtlasCluster,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = kind(uri(cluster), connect=False)
    # Only now: whoever has set it before connect() has chosen whom to trust.
    monkeypatch.setenv("SSL_CERT_FILE", authority(cluster))
    for _ in range(2):
        ping = client.admin.command("ping")
        assert (loop.run(ping) if kind is connect_async else ping)["ok"] == 1
    (line,) = caplog.messages
    assert "the system's roots are tried too" in line


def test_a_client_that_starts_over_after_a_restore_gets_the_systems_roots_again(
    cluster: AtlasCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(uri(cluster), connect=False)
    monkeypatch.setenv("SSL_CERT_FILE", authority(cluster))
    for _ in range(2):
        assert client.admin.command("ping")["ok"] == 1
        private.start_over(client)
    assert ["the system's roots are tried too" in line for line in caplog.messages] == [True, True]


def test_whom_neither_the_few_nor_the_system_know_is_refused(
    cluster: AtlasCluster, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(uri(cluster), connect=False, serverSelectionTimeoutMS=1500)
    with pytest.raises(ServerSelectionTimeoutError, match="CERTIFICATE_VERIFY_FAILED"):
        client.admin.command("ping")
    assert len(caplog.messages) == 1


def test_a_certificate_for_another_name_is_refused_and_no_reason_to_trust_more(
    cluster: AtlasCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trust, "ROOTS", authority(cluster))
    monkeypatch.setattr(trust, "ATLAS", "127.1")
    port = cluster.servers.primary().port
    client = connect(f"mongodb://127.1:{port}/?tls=true", connect=False, serverSelectionTimeoutMS=700)
    with pytest.raises(ServerSelectionTimeoutError, match=r"IP address mismatch|Hostname mismatch"):
        client.admin.command("ping")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ({"tlsCAFile": "system"}, {}),
        ({"tlsAllowInvalidCertificates": True}, {}),
        ({"tlsAllowInvalidCertificates": False}, {}),
        ({"tlsInsecure": True}, {}),
        ({"tls": False}, {}),
        ({"ssl": False}, {}),
        ({}, {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}),
        ({}, {"SSL_CERT_DIR": "/etc/ssl/certs"}),
        ({}, {"AWS_EXECUTION_ENV": ""}),
    ],
)
def test_whoever_has_chosen_whom_to_trust_is_left_alone(
    options: dict[str, Any], variables: dict[str, str], cluster: AtlasCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if options.get("tlsCAFile"):
        options = {"tlsCAFile": authority(cluster)}
    client = connect(uri(cluster), connect=False, **options)
    assert not any(isinstance(each, trust.MoreRoots) for each in client.options.event_listeners)


@pytest.mark.parametrize(
    ("hosts", "named", "tls", "answer"),
    [
        (["a.b.mongodb.net"], {}, True, True),
        (["A.B.MongoDB.net"], {}, True, True),
        (["a.b.mongodb.net"], {}, False, False),
        (["a.b.mongodb.net", "b.b.mongodb.net"], {"tls": True}, False, True),
        (["a.b.mongodb.net"], {"ssl": True}, False, True),
        (["a.b.mongodb.net", "b.example.com"], {"tls": True}, False, False),
        (["a.mongodb.net.example.com"], {}, True, False),
        (["mongodb.net"], {}, True, False),
        (["a.b.mongodb.net"], {"tlscrlfile": "x"}, True, False),
    ],
)
def test_it_is_for_atlas_with_tls(
    hosts: list[str], named: dict[str, Any], tls: bool, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert trust.applies(hosts, named, tls=tls) is answer
    monkeypatch.setattr(trust, "ROOTS", "/nowhere/roots.pem")
    assert trust.applies(hosts, named, tls=tls) is False


def test_without_a_way_to_add_the_systems_roots_the_few_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "keeps_tls_context", lambda: False)
    assert trust.applies(["a.b.mongodb.net"], {}, tls=True) is False


def roots(*, binary_form: bool = False) -> list[Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(trust.ROOTS)
    found: list[Any] = context.get_ca_certs(binary_form=True) if binary_form else context.get_ca_certs()
    return found


def test_the_roots_are_those_that_mongodb_names_and_are_in_the_systems_store() -> None:
    names = {dict(pair for (pair,) in each["subject"])["commonName"] for each in roots()}
    assert names == {"ISRG Root X1", "ISRG Root X2", *(f"GTS Root R{number}" for number in range(1, 5))}
    system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system.load_default_certs()
    known = {hashlib.sha256(each).digest() for each in system.get_ca_certs(binary_form=True)}
    if not known:
        pytest.skip("this machine has no store of root certificates to compare with")
    assert {hashlib.sha256(each).digest() for each in roots(binary_form=True)} <= known


def test_no_root_ends_within_two_years() -> None:
    now = datetime.now(UTC).timestamp()
    for each in roots():
        assert ssl.cert_time_to_seconds(each["notAfter"]) - now > 2 * 365 * 86_400, each["subject"]


def test_a_certificate_of_somebody_else_is_not_signed_by_them(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "tls", ["*.mongodb.net"])
    # A guard for the tests above: the lab's authority must be unknown to both stores.
    assert made.ca.read_text() not in Path(trust.ROOTS).read_text()
