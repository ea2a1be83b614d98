"""
Dockerfiles of function images, as far as they tell what becomes of compiled Python files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .location import Location, stretch


@dataclass(frozen=True, slots=True)
class WithoutBytecode:
    """
    An instruction after which packages are in the image without their compiled files.

    :param why: what it does, as a sentence's beginning.
    """

    why: str
    location: Location


# AWS's base images; in others it need not be a function.
_LAMBDA = re.compile(rb"^FROM\s+(?:--\S+\s+)?\S*lambda/python\b", re.MULTILINE | re.IGNORECASE)

# With its continuation lines.
_INSTRUCTION = re.compile(rb"^[ \t]*RUN\s(?:.*\\[ \t]*\r?\n)*.*$", re.MULTILINE | re.IGNORECASE)

# Nothing that stands in a file.
_NEVER = re.compile(rb"(?!)")

_UV_COMPILES = re.compile(rb"UV_COMPILE_BYTECODE[= ]\W?(1|true)", re.IGNORECASE)

# What leaves packages without compiled files, what in the Dockerfile makes up for it, and what it does.
_SIGNS = (
    (re.compile(rb"\bpip3?\s+install\b[^&|;]*--no-compile\b"), _NEVER, "pip is told not to compile what it installs"),
    (
        re.compile(rb"\buv\s+(?:pip\s+install|sync)\b(?![^&|;]*--compile-bytecode)"),
        _UV_COMPILES,
        "uv compiles nothing by default",
    ),
    (re.compile(rb"(?:__pycache__|\*\.pyc)\S*(?:[^&|;]*)(?:-delete\b|\brm\b)"), _NEVER, "compiled files are deleted"),
    (re.compile(rb"\brm\s+-[rRf]+\s[^&|;]*(?:__pycache__|\.pyc)"), _NEVER, "compiled files are deleted"),
)


def is_dockerfile(path: str) -> bool:
    """
    Tell by its name whether a file may be a Dockerfile.
    """
    name = posixpath.basename(path).lower()
    return name == "dockerfile" or name.startswith("dockerfile.") or name.endswith(".dockerfile")


def without_bytecode(files: Mapping[str, bytes]) -> Iterator[WithoutBytecode]:
    """
    Yield the instructions that leave a function's image without compiled files.
    """
    for path, data in files.items():
        if not is_dockerfile(path) or not _LAMBDA.search(data):
            continue
        for instruction in _INSTRUCTION.finditer(data):
            for sign, unless, why in _SIGNS:
                found = sign.search(instruction[0])
                if found is not None and not unless.search(data):
                    start = instruction.start() + found.start()
                    line_end = data.find(b"\n", start)
                    yield WithoutBytecode(why, stretch(path, data, start, line_end if line_end >= 0 else len(data)))
                    break
