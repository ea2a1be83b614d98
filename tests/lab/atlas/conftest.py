"""
Running Atlas-like clusters, and programs that meet them as a function does: in a process of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from warmline.lab.atlas import AtlasCluster, AtlasSpec, start_atlas
from warmline.lab.workspace import Workspace

ROLE = "arn:aws:iam::123456789012:role/orders"


@pytest.fixture(scope="session")
def iam() -> Iterator[AtlasCluster]:
    with Workspace() as workspace, start_atlas(workspace, AtlasSpec(auth="iam")) as cluster:
        cluster.allow(ROLE)
        yield cluster


@dataclass(frozen=True)
class Outcome:
    """
    What a program printed as JSON: the name and text of an error, or what it got.
    """

    error: str | None
    text: str
    value: Any


Program = Callable[..., Outcome]

WITHOUT_SDK = """
for sdk in ("pymongo_auth_aws", "boto3", "botocore"):
    sys.modules[sdk] = None
"""

# How a program comes by its client: PyMongo's, or one of warmline's; each call of the asynchronous one is waited for.
CLIENTS = {
    "pymongo": """
import pymongo
def client(**more):
    return pymongo.MongoClient(os.environ["MONGODB_URI"], **options | more)
""",
    "warmline": WITHOUT_SDK
    + """
import warmline
def client(**more):
    return warmline.connect(**options | more)
""",
    "warmline-async": WITHOUT_SDK
    + """
import asyncio, threading
import warmline
loop = warmline.event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
class Waiting:
    def __init__(self, awaited):
        self.awaited = awaited
    def __getattr__(self, name):
        return Waiting(getattr(self.awaited, name))
    def __getitem__(self, name):
        return Waiting(self.awaited[name])
    def __call__(self, *args, **keywords):
        return asyncio.run_coroutine_threadsafe(self.awaited(*args, **keywords), loop).result()
def client(**more):
    return Waiting(warmline.connect_async(**options | more))
""",
}

# The body is the program's own; what it raises is told instead of thrown.
FRAME = """
import json, os, sys
options = {{"serverSelectionTimeoutMS": 5000}}
{client}
def program():
{body}
try:
    print(json.dumps({{"error": None, "text": "", "value": program()}}))
except Exception as error:
    print(json.dumps({{"error": type(error).__name__, "text": str(error), "value": getattr(error, "code", None)}}))
"""


@pytest.fixture(scope="session")
def run_program() -> Program:
    """
    Run a program against a cluster with these variables and nothing else of this process's environment.
    """

    def run(
        cluster: AtlasCluster,
        body: str,
        *,
        uri: str,
        variables: Mapping[str, str] | None = None,
        client: str = "pymongo",
    ) -> Outcome:
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AWS_EC2_METADATA_DISABLED": "true",
            "MONGODB_URI": uri,
            **(variables or {}),
        }
        done = subprocess.run(
            cluster.resolver.command([sys.executable, "-c", FRAME.format(client=CLIENTS[client], body=lines)]),
            env=cluster.environ(environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout, done.stderr
        return Outcome(**json.loads(done.stdout))

    return run
