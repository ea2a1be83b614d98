"""
What a project says about its checks: ``[tool.warmline]`` in ``pyproject.toml``, or ``warmline.toml``.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .finding import Confidence, Severity
from .rules import RULES

FILES = ("warmline.toml", "pyproject.toml")

_LEVELS: Mapping[str, Mapping[str, int]] = {
    "severity": {level.name.lower(): level for level in Severity},
    "confidence": {level.name.lower(): level for level in Confidence},
}


class ConfigError(ValueError):
    """
    The configuration has something that can't be meant; the message says what, where, and what to write.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    Which rules are run, and which of their findings count.

    :param select: ids or prefixes (``WL1``); empty for the rules that are on by default.
    :param ignore: as ``select``; wins over it.
    :param exclude: files that are not checked, as patterns of ``.gitignore``.
    :param per_file_ignores: patterns of files, and the ids or prefixes that are not reported there.
    :param severity: another severity for a rule.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    min_severity: Severity = Severity.INFO
    min_confidence: Confidence = Confidence.MEDIUM


def find_config(folder: Path) -> Path | None:
    """
    Return the nearest file with a configuration, in this folder or above it.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        for name in FILES:
            path = place / name
            if path.is_file() and (name == "warmline.toml" or "warmline" in _toml(path).get("tool", {})):
                return path
    return None


def read_config(path: Path) -> Config:
    """
    Read a configuration.

    :raises ConfigError: it can't be parsed, or has an unknown key, rule or level.
    """
    table = _toml(path)
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("warmline", {})
    known = ("select", "ignore", "exclude", "per-file-ignores", "severity", "min-severity", "min-confidence")
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}{_nearest(key, known)}")
    return Config(
        select=check_rules(_texts(table, "select", path), str(path)),
        ignore=check_rules(_texts(table, "ignore", path), str(path)),
        exclude=_texts(table, "exclude", path),
        per_file_ignores={
            pattern: check_rules(_texts(_table(table, "per-file-ignores", path), pattern, path), str(path))
            for pattern in _table(table, "per-file-ignores", path)
        },
        severity={
            check_rules((rule,), str(path))[0]: Severity(_level("severity", level, str(path)))
            for rule, level in _table(table, "severity", path).items()
        },
        min_severity=Severity(_level("severity", table.get("min-severity", "info"), str(path))),
        min_confidence=Confidence(_level("confidence", table.get("min-confidence", "medium"), str(path))),
    )


def check_rules(ids: Iterable[str], where: str) -> tuple[str, ...]:
    """
    Return ids or prefixes of rules as they are.

    :raises ConfigError: no rule's id begins so.
    """
    every = [rule.id for rule in RULES]
    found = tuple(ids)
    for wanted in found:
        if not wanted or not any(rule.startswith(wanted) for rule in every):
            raise ConfigError(f"{where}: no rule {wanted!r}{_nearest(wanted, every)}; `warmline rule` lists them")
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: can't be read as TOML: {error}") from error


def _nearest(given: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _texts(table: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ConfigError(f"{path}: {key} must be a list of texts, as in {key} = ['WL101']")
    return tuple(found)


def _table(table: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {key} must be a table, [tool.warmline.{key}]")
    return found


def _level(kind: str, given: object, where: str) -> int:
    levels = _LEVELS[kind]
    if not isinstance(given, str) or given not in levels:
        raise ConfigError(f"{where}: no {kind} {given!r}; write one of {', '.join(levels)}")
    return levels[given]
