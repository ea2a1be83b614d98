from __future__ import annotations

import pytest

from warmline.cli.again import again


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["lab", "run", "--load", "burst:2 at 1s"], "warmline lab run --load 'burst:2 at 1s'"),
        (["--env", "KEY=secret", "--tier", "M10"], 'warmline --env KEY="$KEY" --tier M10'),
        (["--env=KEY=secret"], 'warmline --env KEY="$KEY"'),
        (["--cluster-uri", "mongodb://me:secret@host/"], 'warmline --cluster-uri "$WARMLINE_LAB_CLUSTER_URI"'),
        (["--cluster-uri=mongodb://me:secret@host/"], 'warmline --cluster-uri "$WARMLINE_LAB_CLUSTER_URI"'),
        (["--env"], 'warmline --env ="$"'),
    ],
)
def test_a_secret_is_a_variable_of_the_shell(arguments: list[str], shown: str) -> None:
    assert again(arguments) == shown
