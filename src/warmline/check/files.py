"""
The files of a tree that are worth reading, and those that can't be.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from .infra.readers import READERS
from .source.languages import LANGUAGES

# Other people's code, and what tools have made. CDK's output is no such: it is the only place with its templates.
_SKIPPED = frozenset(
    {
        ".aws-sam", ".git", ".hg", ".mypy_cache", ".next", ".nox", ".pytest_cache", ".ruff_cache", ".serverless",
        ".terraform", ".tox", ".venv", "__pycache__", "bower_components", "build", "dependencies", "dist",
        "node_modules", "obj", "site-packages", "target", "vendor", "venv",
    }
)  # fmt: skip

_CODE = tuple(extension for language in LANGUAGES for extension in language.extensions)
_TEMPLATES = tuple(suffix for reader in READERS for suffix in reader.suffixes)

# Code that a person has written is smaller; templates that CDK or Terraform have made may be large.
_MOST_CODE_BYTES = 1_000_000
_MOST_TEMPLATE_BYTES = 20_000_000

# Lines of this length on average, in a file of this size, are a minifier's.
_MINIFIED_LINE = 500
_MINIFIED_BYTES = 20_000

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Problem:
    """
    A file that could not be checked, or only in part, and why; one line.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """
    The content of the files to check, by path, and what could not be read.
    """

    files: dict[str, bytes]
    problems: tuple[Problem, ...]


class NoSuchPathError(ValueError):
    """
    A path that was asked for is not there.
    """


def read_files(paths: Sequence[Path], root: Path, exclude: Sequence[str] = ()) -> Content:
    """
    Read what is worth it at and below these paths.

    :param root: paths are told relative to this folder.
    :param exclude: patterns as in ``.gitignore``, relative to the root.
    :raises NoSuchPathError: one of the paths is not there.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in find_files(paths, root, exclude):
        shown = _shown(path, root)
        try:
            data = path.read_bytes()
        except OSError as error:
            problems.append(Problem(shown, f"can't be read: {error.strerror}"))
            continue
        if not _concerns(path.name, data):
            # A caller of what is constructed elsewhere need not name MongoDB itself.
            if path.name.endswith(_CODE) and len(data) <= _MOST_CODE_BYTES and _reason(path.name, data) is None:
                files[shown] = data
        elif (reason := _reason(path.name, data)) is not None:
            problems.append(Problem(shown, reason))
        else:
            files[shown] = data
    return Content(files, tuple(problems))


def find_files(paths: Sequence[Path], root: Path, exclude: Sequence[str] = ()) -> Iterator[Path]:
    """
    Yield the code files and templates at and below these paths, in order, as git would see them.

    :raises NoSuchPathError: one of the paths is not there.
    """
    excluded = GitIgnoreSpec.from_lines(exclude)
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            message = f"{path} does not exist; name a file or a folder"
            raise NoSuchPathError(message)
        for found in [path] if path.is_file() else _walk(path, _ignores_above(path)):
            if found not in seen and not excluded.match_file(_shown(found, root)):
                seen.add(found)
                yield found


def _walk(folder: Path, above: tuple[tuple[Path, GitIgnoreSpec], ...]) -> Iterator[Path]:
    ignores = (*above, *_ignores_of(folder))
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        # A link leads to what is found elsewhere, or in a circle.
        if entry.is_symlink():
            continue
        path = folder / entry.name
        is_folder = entry.is_dir()
        if any(spec.match_file(f"{path.relative_to(base).as_posix()}{'/' * is_folder}") for base, spec in ignores):
            continue
        if is_folder:
            if entry.name not in _SKIPPED and not (path / "pyvenv.cfg").exists():
                yield from _walk(path, ignores)
        elif entry.name.endswith((*_CODE, *_TEMPLATES)) and not entry.name.endswith(".min.js"):
            yield path


def _ignores_above(folder: Path) -> tuple[tuple[Path, GitIgnoreSpec], ...]:
    """
    The rules of the folders above, up to the repository's root.
    """
    found: list[tuple[Path, GitIgnoreSpec]] = []
    absolute = folder.absolute()
    if (absolute / ".git").exists():
        return ()
    for above in absolute.parents:
        # The walk's paths are relative as they were given.
        base = Path(os.path.relpath(above, Path.cwd())) if not folder.is_absolute() else above
        found.extend(_ignores_of(base))
        if (above / ".git").exists():
            return tuple(reversed(found))
    return ()


def _ignores_of(folder: Path) -> Iterable[tuple[Path, GitIgnoreSpec]]:
    for name in (".git/info/exclude", ".gitignore"):
        try:
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        yield folder, GitIgnoreSpec.from_lines(lines)


def _shown(path: Path, root: Path) -> str:
    try:
        return path.absolute().relative_to(root.absolute()).as_posix()
    except ValueError:
        return path.as_posix()


def _concerns(name: str, data: bytes) -> bool:
    mentions = [
        *(mention for language in LANGUAGES if name.endswith(language.extensions) for mention in language.mentions),
        *(mention for reader in READERS if name.endswith(reader.suffixes) for mention in reader.mentions),
    ]
    return data.startswith(_UTF_16) or any(mention in data for mention in mentions)


def _reason(name: str, data: bytes) -> str | None:
    """
    Why a file is not checked, ``None`` if it is.
    """
    if data.startswith(_UTF_16):
        return "is UTF-16: save it as UTF-8"
    most = _MOST_CODE_BYTES if name.endswith(_CODE) else _MOST_TEMPLATE_BYTES
    if len(data) > most:
        return f"has {len(data) / 1e6:.1f} MB, more than the {most / 1e6:g} MB that are read"
    if name.endswith(_CODE) and len(data) > _MINIFIED_BYTES and len(data) > _MINIFIED_LINE * (data.count(b"\n") + 1):
        return "looks minified: check what it is made from"
    return None
