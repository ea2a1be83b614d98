"""
The public packages for MongoDB connections on Lambda, used as their READMEs say, beside MongoDB's example and warmline.

Sources: https://pypi.org/project/actvalue.mongo-client/ and https://pypi.org/project/mdb-singleton/, both MIT.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from ...atlas import AtlasSpec
from ..bench import open_atlas_bench, open_bench
from ..experiment import Experiment, OnProgress, RunOptions
from ..result import ExperimentResult
from .measure import MALFORMED, UNREACHABLE, VARIANTS, live, readme_handler, thaw, wrong_uri
from .packages import PEERS, installed, make_code, versions
from .result import NAME, Found, result_of

_FUNCTIONS = Path(__file__).parents[1] / "functions" / "peers"


async def run(options: RunOptions, on_progress: OnProgress) -> ExperimentResult:
    """
    Give each variant the same, one after the other, on two clusters: a plain one, and one whose network can go wrong.
    """
    on_progress(f"installing {' and '.join(f'{name} {versions()[name]}' for name in PEERS)}, if need be", 0.0)
    packages = await asyncio.to_thread(installed)
    lives, malformed, unreachable, thawed = {}, {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="warmline-peers-") as directory:
        code = make_code(Path(directory), _FUNCTIONS, packages)
        async with open_bench(options, lambda step: on_progress(step, 0.02)) as bench:
            readme = await readme_handler(code, bench, options)
            for number, variant in enumerate(VARIANTS):
                done = 0.05 + 0.5 * number / len(VARIANTS)
                on_progress(f"{variant.label}: cold and warm", done)
                lives[variant.name] = await live(variant, code, bench, options)
                on_progress(f"{variant.label}: wrong URIs", done + 0.04)
                malformed[variant.name], unreachable[variant.name] = await asyncio.gather(
                    wrong_uri(variant, MALFORMED, code, bench.service, options),
                    wrong_uri(variant, UNREACHABLE, code, bench.service, options),
                )
        spec = AtlasSpec(auth="none", through_front=True)
        async with open_atlas_bench(options, spec, lambda step: on_progress(step, 0.55)) as atlas:
            for number, variant in enumerate(VARIANTS):
                on_progress(f"{variant.label}: a thaw", 0.6 + 0.4 * number / len(VARIANTS))
                thawed[variant.name] = await thaw(variant, code, atlas, options)
            mongod, freezer = atlas.cluster.servers.mongod_version, atlas.service.freezer.name
    found = {
        name: Found(
            lives[name],
            malformed[name],
            unreachable[name],
            thawed[name],
            readme if name == "actvalue-mongo-client" else None,
        )
        for name in lives
    }
    return result_of(found, options, mongod, freezer)


EXPERIMENT = Experiment(
    NAME, "public packages for MongoDB on Lambda, as their READMEs say, beside warmline", run, environments=5
)
