"""
How often the checker is right on public code: precision and recall over the labelled files of corpus.tsv.

    python benchmarks/corpus.py [--set held-out] [--cache FOLDER] [--offline] [--json FILE]

The files are not in this repository: they are fetched from GitHub's raw address at their commit, once, into a folder
under build/. A cache can be filled by other means: a file is at REPOSITORY/COMMIT/PATH below its folder.

A label is a rule's id, with the line if it has one place (``WL101@22``). ``?`` after the id: right if reported, no miss
if not, as where it takes more than the file to know, or where good reviewers would differ. ``x``: it takes another
file of the list, so that the file alone should show nothing and the files of its repository together should.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from warmline.check.finding import Confidence, Finding
from warmline.check.read import read_project
from warmline.check.rules import RULES, findings

LIST = Path(__file__).with_name("corpus.tsv")
CACHE = Path(__file__).parent.parent / "build" / "corpus"
RAW = "https://raw.githubusercontent.com"

# The rules that every file was labelled for. Of the others only the findings are listed.
CODE = ("WL101", "WL102", "WL121", "WL161")
TEMPLATES = ("WL162", "WL167", "WL168", "WL171", "WL172", "WL191", "WL201", "WL211")
LABELLED = CODE + TEMPLATES
# A reviewer's line and the engine's are the same place if they are this close: a call may span lines.
NEAR = 2

_LABEL = re.compile(r"(?P<rule>WL\d{3})(?P<kind>[x?]?)(?:@(?P<line>\d+))?")


@dataclass(frozen=True)
class Label:
    """
    What a reviewer expects: a rule, at a line if it has one.
    """

    rule: str
    kind: str
    line: int | None

    def fits(self, finding: Finding) -> bool:
        near = self.line is None or abs(finding.location.line - self.line) <= NEAR
        return finding.rule == self.rule and near


@dataclass(frozen=True)
class Entry:
    """
    A row of the list.
    """

    set: str
    repository: str
    path: str
    commit: str
    language: str
    labels: tuple[Label, ...]
    note: str

    @property
    def name(self) -> str:
        return f"{self.repository} {self.path}"


@dataclass
class Score:
    """
    Of one rule: what was found rightly, wrongly and not, each by name.
    """

    right: list[str]
    wrong: list[str]
    missed: list[str]

    @property
    def precision(self) -> float | None:
        found = len(self.right) + len(self.wrong)
        return len(self.right) / found if found else None

    @property
    def recall(self) -> float | None:
        there = len(self.right) + len(self.missed)
        return len(self.right) / there if there else None


Scores = dict[tuple[str, str], Score]
"""
By rule and language.
"""


def entries(which: str | None) -> Iterator[Entry]:
    with LIST.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            expected = row.pop("expected")
            labels = tuple(
                Label(found["rule"], found["kind"], int(found["line"]) if found["line"] else None)
                for found in _LABEL.finditer(expected)
            )
            if which in (None, row["set"]):
                yield Entry(labels=labels, **row)


def content(entry: Entry, cache: Path, *, offline: bool) -> bytes | None:
    """
    Return a file from the cache, fetched into it if need be; ``None``: it can't be had.
    """
    kept = cache / entry.repository / entry.commit / entry.path
    if kept.is_file():
        return kept.read_bytes()
    if offline:
        return None
    address = f"{RAW}/{entry.repository}/{entry.commit}/{urllib.parse.quote(entry.path)}"
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310
            data: bytes = answer.read()
    except urllib.error.URLError as error:
        print(f"not fetched: {address}: {error}", file=sys.stderr)
        return None
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(data)
    return data


def check(files: dict[str, bytes]) -> list[Finding]:
    """
    Run what a run without options runs.
    """
    rules = tuple(rule for rule in RULES if rule.default)
    return [found for found in findings(read_project(files), rules) if found.confidence > Confidence.LOW]


def judge(entry: Entry, found: Iterable[Finding], scores: Scores, *, together: bool) -> list[Finding]:
    """
    Hold a file's findings against its labels.

    :param together: whether the checker had the other files of the repository too.
    :return: the findings of rules that it was not labelled for.
    """
    of_rules = defaultdict(list)
    for finding in found:
        of_rules[finding.rule].append(finding)
    for rule in LABELLED:
        score = scores[rule, entry.language]
        rest = of_rules.pop(rule, [])
        # The exact ones first, then those without a line, which stand for as many as there are.
        labels = sorted((label for label in entry.labels if label.rule == rule), key=lambda label: label.line is None)
        for label in labels:
            if label.kind == "x" and not together:
                continue
            fitting = [finding for finding in rest if label.fits(finding)]
            rest = [finding for finding in rest if finding not in fitting]
            if label.kind == "?":
                continue
            if fitting:
                score.right.append(f"{entry.name}:{fitting[0].location.line}")
            else:
                score.missed.append(f"{entry.name}:{label.line or ''} ({entry.note})")
        score.wrong += [f"{entry.name}:{finding.location.line} ({finding.message})" for finding in rest]
    return [finding for rest in of_rules.values() for finding in rest]


def merged(scores: Iterable[Score]) -> Score:
    total = Score([], [], [])
    for score in scores:
        total.right += score.right
        total.wrong += score.wrong
        total.missed += score.missed
    return total


def figures(score: Score) -> str:
    precision, recall = ("  -  " if ratio is None else f"{ratio:5.3f}" for ratio in (score.precision, score.recall))
    counts = f"{len(score.right):4} right {len(score.wrong):3} wrong {len(score.missed):3} missed"
    return f"{counts}  precision {precision}  recall {recall}"


def show(title: str, scores: Scores) -> None:
    print(f"\n{title}")
    built = {rule.id for rule in RULES}
    for rule in LABELLED:
        total = merged(score for (id_, _), score in scores.items() if id_ == rule)
        print(f"{rule}  {figures(total)}{'' if rule in built else '  (there is no such rule yet)'}")
        for language in sorted({language for id_, language in scores if id_ == rule}):
            score = scores[rule, language]
            if score.right or score.wrong or score.missed:
                print(f"       {language:14} {figures(score)}")
        for kind in ("wrong", "missed"):
            for name in getattr(total, kind):
                print(f"       {kind}: {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=("dev", "held-out"))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--offline", action="store_true", help="fetch nothing: leave out what the cache lacks")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    groups: dict[str, dict[Entry, bytes]] = defaultdict(dict)
    absent = 0
    for entry in entries(options.set):
        data = content(entry, options.cache, offline=options.offline)
        if data is None:
            absent += 1
        else:
            groups[entry.repository][entry] = data

    alone: Scores = defaultdict(lambda: Score([], [], []))
    together: Scores = defaultdict(lambda: Score([], [], []))
    others: Counter[str] = Counter()
    for group in groups.values():
        found = check({entry.path: data for entry, data in group.items()})
        for entry, data in group.items():
            here = (finding for finding in found if finding.location.path == entry.path)
            unlabelled = judge(entry, here, together, together=True)
            others.update(f"{finding.rule} {entry.language}" for finding in unlabelled)
            judge(entry, check({entry.path: data}), alone, together=False)

    files = sum(len(group) for group in groups.values())
    print(f"{files} files of {len(groups)} repositories, {absent} not there")
    show("Each file alone:", alone)
    show("The files of a repository together:", together)
    print("\nFindings of other rules, together:", dict(sorted(others.items())))
    if options.json is not None:
        report = {"files": files, "repositories": len(groups), "absent": absent, "others": others}
        for title, scores in (("alone", alone), ("together", together)):
            report[title] = {f"{rule} {language}": vars(score) for (rule, language), score in sorted(scores.items())}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
