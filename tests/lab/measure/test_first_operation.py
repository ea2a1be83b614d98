from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from warmline.lab.atlas import AtlasCluster
from warmline.lab.aws.package import make_package
from warmline.lab.errors import EnvironmentStartError
from warmline.lab.measure.first_operation import FirstOperation, first_operation

RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")

HANDLER = """
import os
from pymongo import MongoClient
client = MongoClient(os.environ["MONGODB_URI"])
def lambda_handler(event, context):
    assert context.get_remaining_time_in_millis() > 0
    return client.admin.command("ping")
"""


def measure(cluster: AtlasCluster, directory: Path, handler: str, *, uri: str) -> FirstOperation:
    package = make_package(directory / "package", ["pymongo", "bson", "dns"])
    (package / "app.py").write_text(handler)
    measuring = first_operation(
        package,
        "app",
        runtime=make_package(directory / "runtime", RUNTIME),
        environ=cluster.environ({"MONGODB_URI": uri, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}),
        resolver=cluster.resolver,
    )
    return asyncio.run(measuring)


def test_the_first_operation_is_measured_in_a_process_that_knows_the_clusters_names(
    atlas: AtlasCluster, tmp_path: Path
) -> None:
    measured = measure(atlas, tmp_path, HANDLER, uri=atlas.uri())
    assert 0 < measured.cpu_ms < 10_000
    assert 0 < measured.wall_ms < 60_000


def test_a_handler_that_fails_is_told_in_one_line(atlas: AtlasCluster, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentStartError, match=r"a cold start of app ended with status 1: .*named 'boto3'"):
        measure(atlas, tmp_path, "import boto3\n" + HANDLER, uri=atlas.uri())
