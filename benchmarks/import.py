"""
What importing warmline costs over importing PyMongo, in fresh processes that have both packages and nothing else.

    python benchmarks/import.py [PROCESSES]
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from warmline.lab.aws.package import make_package

PROGRAM = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()
for name in sys.argv[2:]:
    __import__(name)
print((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)
"""

WITHOUT_BYTECODE = "pymongo, without compiled files"

IMPORTS = {
    "pymongo": ["pymongo"],
    WITHOUT_BYTECODE: ["pymongo"],
    "pymongo, then warmline": ["pymongo", "warmline"],
    "warmline, which imports pymongo": ["warmline"],
}

# As in an execution environment, and without an API to register with.
LAMBDA = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}


def measure(package: Path, names: list[str]) -> list[float]:
    command = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(package), *names]
    done = subprocess.run(command, env=LAMBDA, check=True, capture_output=True, text=True)
    return [float(value) for value in done.stdout.split()]


def main(processes: int) -> None:
    took: dict[str, list[list[float]]] = {label: [] for label in IMPORTS}
    with TemporaryDirectory() as directory:
        package = make_package(Path(directory) / "package", ["pymongo", "bson", "warmline"])
        # As on Lambda, where the function's folder can't be written to, they are not made by an import either.
        bare = Path(directory) / "bare"
        for name in ("pymongo", "bson"):
            shutil.copytree(package / name, bare / name, ignore=shutil.ignore_patterns("__pycache__"))
        for turn in range(-1, processes):
            for label, names in IMPORTS.items():
                measured = measure(bare if label == WITHOUT_BYTECODE else package, names)
                # The first turn gets the files into memory.
                if turn >= 0:
                    took[label].append(measured)
    medians = {label: [statistics.median(each) for each in zip(*values, strict=True)] for label, values in took.items()}
    _, alone = medians["pymongo"]
    for label, (wall, cpu) in medians.items():
        print(f"import  {label:32} {wall:6.1f} ms, of it CPU {cpu:6.1f} ms, {cpu / alone - 1:+.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
