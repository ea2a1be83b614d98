"""
Damaged files: nothing in them may raise. The long run of this is benchmarks/fuzz.py.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from warmline.check.read import read_project
from warmline.check.rules import findings

FIXTURES = sorted(path for path in (Path(__file__).parent / "rules" / "fixtures").rglob("*") if path.is_file())

PIECES = (
    b"{",
    b"}",
    b"(",
    b")",
    b"'",
    b'"',
    b"`",
    b"\\",
    b"\n",
    b"\t",
    b"\x00",
    b"\xff",
    b"${",
    b"&a",
    b"*a",
    b"!Ref",
    b"::",
)


def damaged(content: bytes, other: bytes, chance: random.Random) -> bytes:
    cut, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    match chance.randrange(5):
        case 0:
            return content[:cut]
        case 1:
            return content[:cut] + content[end:]
        case 2:
            return content[:cut] + chance.choice(PIECES) * chance.randrange(1, 4) + content[cut:]
        case 3:
            return content[:cut] + other[: chance.randrange(len(other) + 1)] + content[end:]
        case _:
            return content[:cut] + content[cut:end] * 2 + content[end:]


@pytest.mark.parametrize("suffix", sorted({path.suffix for path in FIXTURES}))
def test_damaged_files_raise_nothing(suffix: str) -> None:
    chance = random.Random(suffix)
    same = [path.read_bytes() for path in FIXTURES if path.suffix == suffix]
    for _ in range(100):
        content = damaged(chance.choice(same), chance.choice(same), chance)
        findings(read_project({f"damaged{suffix}": content}))


@pytest.mark.parametrize("made_of", ["[{}]", "f({})", "{}"])
def test_constants_that_are_made_of_each_other_are_given_up(made_of: str) -> None:
    # Every name is looked up in its turn: without an end that is 40 to the power of the depth.
    lines = [
        f"a{depth} = " + made_of.format(f" {'+,'[made_of != '{}']} ".join([f"a{depth + 1}"] * 40)) for depth in range(9)
    ]
    source = "from pymongo import MongoClient\n" + "\n".join(lines) + "\na9 = 'x'\nclient = MongoClient(a0)\n"
    (facts,) = read_project({"app.py": source.encode()}).code
    assert len(facts.clients) == 1
