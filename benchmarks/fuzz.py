"""
Fuzz the checker: mutated fixtures through every reader, the engine and all rules, by coverage (atheris, libFuzzer).

    pip install atheris
    python benchmarks/fuzz.py build/fuzz -max_total_time=3600 -timeout=10

The folder is filled with the fixtures first and keeps what reached new code. The first byte of an input says what kind
of file the rest is. Any exception, and any input that takes longer than the time-out, ends the run and is kept as a
file beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["warmline.check"]):
    from warmline.check.read import read_project
    from warmline.check.rules import findings

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "check" / "rules" / "fixtures"

# The first suffix of a kind is the one that fixtures have.
SUFFIXES = (
    ".py", ".js", ".ts", ".tsx", ".go", ".java", ".cs", ".rb", ".rs",
    "template.yaml", "serverless.yml", ".tf", ".json", ".tf.json",
)  # fmt: skip


def one(data: bytes) -> None:
    if data:
        path = "fuzz" + SUFFIXES[data[0] % len(SUFFIXES)]
        findings(read_project({path: data[1:]}))


def seed(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(path for path in FIXTURES.rglob("*") if path.is_file())):
        kind = next(
            (kind for kind, suffix in enumerate(SUFFIXES) if path.name.endswith(suffix[-len(path.suffix) :])), 0
        )
        (folder / f"seed-{number}").write_bytes(bytes([kind]) + path.read_bytes())


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: fuzz.py FOLDER [options of libFuzzer]")
    seed(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
