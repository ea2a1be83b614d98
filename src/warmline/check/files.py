"""
Which files are checked, and what they contain.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .gitignore import NO_PATTERNS, Patterns
from .read import is_checked

# What others have written, or tools have made of what stands elsewhere.
_SKIPPED = frozenset(
    {
        *("node_modules", "bower_components", "jspm_packages", "vendor", "third_party", "dependencies", ".yarn"),
        *("site-packages", "dist-packages", ".venv", "venv", ".bundle", "dist", "build", "target", "obj", "coverage"),
        *(".terraform", ".terragrunt-cache", ".aws-sam", ".serverless", ".next", ".nuxt", ".gradle", ".idea"),
        *(".git", ".hg", ".svn", ".tox", ".nox", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    }
)

# What the CDK makes is ignored by git in its own project template, and still is the only template there is.
_SYNTHESIZED = "cdk.out"

_CODE_BYTES = 1_000_000

# A synthesized template or a Terraform plan.
_DATA_BYTES = 20_000_000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    A file that could not be checked, or only in part, and why: one line.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """
    The files to check, by the path that is shown, in its order; and what can't be.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


# Lines of this length on average, in a file of this size, are a minifier's.
_MINIFIED_LINE = 500
_MINIFIED_BYTES = 20_000


class UnreadableError(Exception):
    """
    A file can't be checked; the message is the reason.
    """


def list_files(paths: Iterable[str], *, root: Path, exclude: Patterns = NO_PATTERNS) -> Listing:
    """
    List the files at and below some paths.

    Below a folder, what git ignores is left out, and what is vendored or built; symbolic links are not followed. A
    file that is named itself is checked wherever it is, unless ``exclude`` has it.

    :param paths: files and folders, relative to ``root`` or absolute.
    """
    found: set[str] = set()
    problems = []
    for path in paths:
        given = root / path
        try:
            # Follows the links that were given; raises where they go in a circle.
            given = given.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            problems.append(Problem(Path(path).as_posix(), _told(error)))
            continue
        if given.is_dir():
            below, broken = _below(given, root, exclude)
            found.update(below)
            problems += broken
        else:
            shown = _shown(given, root)
            if is_checked(shown) and not exclude.match(str(given)):
                found.add(shown)
    return Listing(tuple(sorted(found)), tuple(sorted(problems)))


def read_file(path: str, *, root: Path) -> bytes:
    """
    Read a file whole.

    :raises UnreadableError: it is too large, or can't be read.
    """
    most = _DATA_BYTES if path.endswith((".json", ".lock")) else _CODE_BYTES
    try:
        with (root / path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise UnreadableError(f"larger than {most // 1_000_000} MB: {size / 1e6:,.1f} MB")
            return file.read()
    except OSError as error:
        raise UnreadableError(_told(error)) from error


def content_problem(path: str, data: bytes) -> str | None:
    """
    Tell why a file's content can't be checked: it is no UTF-8, or no code that a person has written.
    """
    lines = data.count(b"\n") + 1
    if len(data) > _MINIFIED_BYTES and len(data) > _MINIFIED_LINE * lines and not path.endswith(".json"):
        return "looks minified: check what it is made from"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16: save it as UTF-8"
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
    return None


def _below(top: Path, root: Path, exclude: Patterns) -> tuple[list[str], list[Problem]]:
    found: list[str] = []
    problems: list[Problem] = []
    if top.name == _SYNTHESIZED:
        return list(_synthesized(str(top), root)), []
    stack = [(top, Patterns.above(top))]
    while stack:
        folder, ignored = stack.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(Problem(_shown(folder, root), _told(error)))
            continue
        ignored = ignored.within(folder)
        shown = _shown(folder, root)
        before = "" if shown == "." else f"{shown}/"
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name in _SKIPPED or exclude.match(entry.path, folder=True):
                    continue
                if entry.name == _SYNTHESIZED:
                    found += _synthesized(entry.path, root)
                elif not (ignored.match(entry.path, folder=True) or (Path(entry.path) / "pyvenv.cfg").exists()):
                    stack.append((Path(entry.path), ignored))
            elif is_checked(entry.name) and entry.is_file(follow_symlinks=False):
                minified = entry.name.endswith((".min.js", ".min.mjs"))
                if not (minified or ignored.match(entry.path) or exclude.match(entry.path)):
                    found.append(f"{before}{entry.name}")
    return found, problems


def _synthesized(folder: str, root: Path) -> Iterator[str]:
    # Its folders are copies of the functions' code.
    for path in Path(folder).glob("**/*.template.json"):
        if not any(part.startswith("asset.") for part in path.parts):
            yield _shown(path, root)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _told(error: Exception) -> str:
    if isinstance(error, RuntimeError) or (isinstance(error, OSError) and error.errno == errno.ELOOP):
        return "a symbolic link that leads back to itself"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
