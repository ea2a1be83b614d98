"""
How fast the checker is, beside semgrep with rules for the same (benchmarks/semgrep.yaml), and what a monorepo takes.

    python benchmarks/check.py [--files 5000] [--semgrep PATH]

Both get one core. Semgrep is looked for on PATH (`pip install semgrep` in an environment of its own) and left out where
there is none.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "check" / "rules" / "fixtures"
STARTS = 7

# A module of a service that has nothing to do with MongoDB, by the suffix of its language.
UNIT = {
    ".py": "def total_{n}(rows):\n    found = [row for row in rows if row.amount > {n}]\n"
    "    return sum(row.amount for row in found)\n\n\n",
    ".js": "export function total{n}(rows) {{\n  const found = rows.filter((row) => row.amount > {n});\n"
    "  return found.reduce((sum, row) => sum + row.amount, 0);\n}}\n\n",
    ".ts": "export function total{n}(rows: Row[]): number {{\n  const found = rows.filter((row) => row.amount > {n});\n"
    "  return found.reduce((sum, row) => sum + row.amount, 0);\n}}\n\n",
    ".go": "func Total{n}(rows []Row) int {{\n\tsum := 0\n\tfor _, row := range rows {{\n\t\tif row.Amount > {n} {{\n"
    "\t\t\tsum += row.Amount\n\t\t}}\n\t}}\n\treturn sum\n}}\n\n",
    ".rb": "def total_{n}(rows)\n  found = rows.select {{ |row| row.amount > {n} }}\n  found.sum(&:amount)\nend\n\n",
    ".rs": "pub fn total_{n}(rows: &[Row]) -> u64 {{\n    rows.iter().filter(|row| row.amount > {n})"
    ".map(|row| row.amount).sum()\n}}\n\n",
}  # fmt: skip


def plain(suffix: str, number: int) -> str:
    head = "package totals\n\n" if suffix == ".go" else ""
    return head + "".join(UNIT[suffix].format(n=number + unit) for unit in range(12))


def make_tree(folder: Path, files: int, share_of_handlers: float) -> int:
    """
    Write a tree of so many files in folders of fifty, some of them handlers and templates; return its bytes.
    """
    handlers = sorted(path for path in FIXTURES.rglob("*") if path.is_file())
    suffixes = sorted(UNIT)
    size = 0
    for number in range(files):
        inner = folder / f"service-{number // 50}"
        inner.mkdir(parents=True, exist_ok=True)
        if number % 100 < 100 * share_of_handlers:
            source = handlers[number * 7 % len(handlers)]
            path, content = inner / f"f{number}_{source.name}", source.read_bytes()
        else:
            suffix = suffixes[number % len(suffixes)]
            path, content = inner / f"f{number}{suffix}", plain(suffix, number).encode()
        path.write_bytes(content)
        size += len(content)
    return size


def run(command: list[str], *, one_core: bool) -> tuple[float, float]:
    """
    Return the seconds that a command takes, and the MiB of the largest of its processes.
    """
    prefix = ["taskset", "-c", "0"] if one_core and shutil.which("taskset") else []
    environment = os.environ | {"SEMGREP_ENABLE_VERSION_CHECK": "0", "SEMGREP_SEND_METRICS": "off"}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        # Not here, where this project's own configuration holds.
        process = subprocess.Popen(
            [*prefix, *command], stdout=output, stderr=errors, env=environment, cwd=tempfile.gettempdir()
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            errors.seek(0)
            sys.exit(f"{command[0]} ended with {process.returncode}: {errors.read()[-500:].decode().strip()}")
    return seconds, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000, help="how many files the monorepo has")
    parser.add_argument("--semgrep", default=shutil.which("semgrep"), help="the semgrep to compare with")
    arguments = parser.parse_args()
    ours = [str(Path(sys.executable).with_name("warmline")), "check", "--format", "json", "--exit-zero"]
    rules = str(ROOT / "benchmarks" / "semgrep.yaml")
    theirs = [arguments.semgrep, "scan", "--config", rules, "--metrics=off", "--quiet", "-j", "1", "--json"]

    with tempfile.TemporaryDirectory() as scratch:
        one = Path(scratch) / "one"
        one.mkdir()
        shutil.copy(FIXTURES / "WL101" / "python_bad.py", one / "app.py")
        starts = {"warmline": [run([*ours, str(one / "app.py")], one_core=True)[0] for _ in range(STARTS)]}
        if arguments.semgrep:
            starts["semgrep"] = [run([*theirs, str(one)], one_core=True)[0] for _ in range(3)]
        for name, seconds in starts.items():
            print(f"one file, {name}: {1000 * statistics.median(seconds):.0f} ms (median of {len(seconds)})")

        for title, files, share in (
            ("a monorepo, a tenth of it handlers and templates", arguments.files, 0.1),
            ("handlers and templates only", arguments.files // 5, 1.0),
        ):
            tree = Path(scratch) / re.sub(r"\W+", "-", title)
            size = make_tree(tree, files, share)
            seconds, most = run([*ours, str(tree)], one_core=True)
            print(f"{title}: {files:,} files, {size / 1e6:.1f} MB")
            print(f"  warmline, one core: {seconds:.2f} s, {files / seconds:,.0f} files/s, {most:.0f} MiB")
            if arguments.semgrep:
                others, _ = run([*theirs, str(tree)], one_core=True)
                print(f"  semgrep, one core: {others:.2f} s, {files / others:,.0f} files/s")
                print(f"  warmline is {others / seconds:.1f} times as fast")
            seconds, most = run([*ours, str(tree)], one_core=False)
            print(f"  warmline, all {os.cpu_count()} cores: {seconds:.2f} s, {files / seconds:,.0f} files/s")


if __name__ == "__main__":
    main()
