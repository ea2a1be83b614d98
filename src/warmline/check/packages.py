"""
Which versions of the drivers a project asks for, where a manifest or a lock file settles it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from warmline.facts.drivers import DRIVERS

from .location import Location, stretch


@dataclass(frozen=True, slots=True)
class Package:
    """
    A driver at a version below which, or at which, it is installed.

    :param version: as it is written (``4.3.3``, ``^5.9.0``).
    :param newest: major and minor of the newest version that may be installed; a large minor where only the major is
        settled.
    """

    language: str
    name: str
    version: str
    newest: tuple[int, int]
    location: Location


# "^5.9.0" goes up to the end of 5, whatever that is.
_ANY_MINOR = 1_000_000

_REQUIREMENT = re.compile(
    rb"^[ \t]*(?P<name>[\w.-]+)(?:\[[^\]]*\])?[ \t]*==[ \t]*(?P<version>\d+\.\d+[\d.]*)", re.MULTILINE
)
_LOCKED_PYTHON = re.compile(rb'^name = "(?P<name>[\w.-]+)"\s+version = "(?P<version>\d+\.\d+[^"]*)"', re.MULTILINE)
_LOCKED_NODE = re.compile(rb'"node_modules/(?P<name>[\w.-]+)":\s*\{\s*"version":\s*"(?P<version>\d+\.\d+[^"]*)"')
_DEPENDENCY = re.compile(rb'"(?P<name>[\w.-]+)":\s*"(?P<version>[~^]?\d+(?:\.(?:\d+|x))*(?:\.[\dx]+)*)"')
_GO = re.compile(rb"^[ \t]*(?:require[ \t]+)?(?P<name>[\w./-]+)[ \t]+v(?P<version>\d+\.\d+[\w.-]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Manifest:
    """
    A kind of file: how it is called, how a version stands in it, and what wins over it beside it.
    """

    name: re.Pattern[str]
    language: str
    entry: re.Pattern[bytes]
    locked_by: tuple[str, ...] = ()


_MANIFESTS = (
    _Manifest(re.compile(r"requirements[\w.-]*\.txt"), "python", _REQUIREMENT, ("poetry.lock", "uv.lock")),
    _Manifest(re.compile(r"(poetry|uv)\.lock"), "python", _LOCKED_PYTHON),
    _Manifest(re.compile(r"package\.json"), "javascript", _DEPENDENCY, ("package-lock.json",)),
    _Manifest(re.compile(r"package-lock\.json"), "javascript", _LOCKED_NODE),
    _Manifest(re.compile(r"go\.mod"), "go", _GO),
)


def is_manifest(path: str) -> bool:
    """
    Tell by its name whether a file may settle a driver's version.
    """
    return _manifest(path) is not None


def packages(files: Mapping[str, bytes]) -> Iterator[Package]:
    """
    Yield the drivers whose versions are settled.
    """
    for path, data in files.items():
        manifest = _manifest(path)
        if manifest is None:
            continue
        folder = posixpath.dirname(path)
        if any(posixpath.join(folder, lock) in files for lock in manifest.locked_by):
            continue
        for found in manifest.entry.finditer(data):
            name, version = found["name"].decode().lower(), found["version"].decode("utf-8", "replace")
            if any(driver.package == name and driver.language == manifest.language for driver in DRIVERS):
                yield Package(
                    manifest.language, name, version, _newest(version), stretch(path, data, *_place(data, found))
                )


def _manifest(path: str) -> _Manifest | None:
    name = posixpath.basename(path)
    return next((manifest for manifest in _MANIFESTS if manifest.name.fullmatch(name)), None)


def _newest(version: str) -> tuple[int, int]:
    numbers = version.lstrip("^~").split(".")
    settled = not version.startswith("^") and len(numbers) > 1 and numbers[1].isdigit()
    return int(numbers[0]), int(numbers[1]) if settled else _ANY_MINOR


def _place(data: bytes, found: re.Match[bytes]) -> tuple[int, int]:
    # From the last line of it that has the version: a lock file's entry goes over two.
    return max(found.start("name"), data.rfind(b"\n", 0, found.start("version")) + 1), found.end("version")
