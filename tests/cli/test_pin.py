from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from warmline.cli.app import app
from warmline.lab.atlas import AtlasCluster
from warmline.runtime import pin

SECRET = "s3cr3t"


@pytest.fixture
def cluster(
    atlas: AtlasCluster, use_names_of: Callable[[AtlasCluster], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AtlasCluster:
    use_names_of(atlas)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MONGODB_URI", raising=False)
    return atlas


def expected(cluster: AtlasCluster) -> pin.Pin:
    (servers,) = cluster.names.behaviour.zone.srv.values()
    return pin.Pin(
        "cluster0.lab.mongodb.test",
        tuple(f"{host}:{port}" for host, port in servers),
        {"authSource": "admin", "replicaSet": "warmline"},
        datetime.now(UTC).date().isoformat(),
    )


def test_it_writes_a_file_that_the_runtime_reads(cluster: AtlasCluster, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["pin", "mongodb+srv://Cluster0.lab.mongodb.test/"])
    assert result.exit_code == 0, result.output
    assert "1 servers" not in result.stdout
    assert "warmline-pin.json: 1 server of cluster0.lab.mongodb.test" in result.stdout
    assert pin.parse((tmp_path / pin.FILE).read_text()) == expected(cluster)


def test_it_takes_the_uri_of_the_environment_and_keeps_no_credentials(
    cluster: AtlasCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri = f"mongodb+srv://ada:{SECRET}@cluster0.lab.mongodb.test/shop?authSource=other&tls=false"
    monkeypatch.setenv("MONGODB_URI", uri)
    result = CliRunner().invoke(app, ["pin", "--output", "made.json"])
    text = (tmp_path / "made.json").read_text()
    assert pin.parse(text) == expected(cluster)
    for shown in (result.output, text):
        assert SECRET not in shown
        assert "ada" not in shown


def test_as_json_it_is_one_line_for_the_variable(cluster: AtlasCluster, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["pin", "mongodb+srv://cluster0.lab.mongodb.test", "--json"])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout)["host"] == "cluster0.lab.mongodb.test"
    assert pin.parse(result.stdout) == expected(cluster)
    assert not (tmp_path / pin.FILE).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "there is no URI"),
        (["mongodb://127.0.0.1/"], "only a mongodb+srv:// string"),
        ([f"mongodb+srv://ada:{SECRET}@nowhere.lab.mongodb.test/"], "check the host name"),
        (["mongodb+srv://cluster0.lab.mongodb.test:27017/"], "port"),
        (["mongodb+srv://"], "check the host name"),
        (["mongodb+srv://cluster0.lab.mongodb.test/", "-o", "/nowhere/pin.json"], "/nowhere/pin.json"),
    ],
)
def test_what_it_cannot_do_is_one_line_and_exit_code_2(arguments: list[str], says: str, cluster: AtlasCluster) -> None:
    result = CliRunner().invoke(app, ["pin", *arguments])
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert SECRET not in result.output
