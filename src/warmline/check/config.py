"""
What a project has set for its checks: ``[tool.warmline]`` in ``pyproject.toml``, or ``warmline.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .finding import Confidence, Severity
from .gitignore import NO_PATTERNS, Patterns
from .rules import RULES, Rule

ALL = "ALL"

_TABLE = b"tool.warmline"

_KEYS = ("select", "ignore", "per-file-ignores", "severity", "exclude", "min-confidence", "min-severity")


class ConfigError(ValueError):
    """
    A setting can't be understood; the message says which, where, and what is near.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    What to check, and what counts.

    :param select: ids of the rules to run; empty: those that run by default.
    :param ignore: ids of rules not to run.
    :param root: the folder that shown paths are relative to.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[Patterns, tuple[str, ...]], ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    exclude: Patterns = NO_PATTERNS
    # What is less sure is for audits: `--min-confidence low`.
    min_confidence: Confidence = Confidence.MEDIUM
    min_severity: Severity = Severity.INFO
    root: Path = Path()

    def rules(self) -> tuple[Rule, ...]:
        """
        Return the rules to run.
        """
        return tuple(
            rule
            for rule in RULES
            if (rule.id in self.select if self.select else rule.default) and rule.id not in self.ignore
        )

    def ignored_in(self, path: str, rule_id: str) -> bool:
        """
        Tell whether a rule is ignored in a file, by its path.
        """
        return any(
            rule_id in rules and patterns.match(str(self.root / path)) for patterns, rules in self.per_file_ignores
        )


def load_config(folder: Path) -> Config:
    """
    Read the settings that hold in a folder: its own, or those of the nearest folder above that has some.

    :raises ConfigError: they can't be read, or one of them can't be understood.
    """
    for each in (folder, *folder.parents):
        own = each / "warmline.toml"
        if own.is_file():
            return replace(_config(_parsed(own), own), root=folder)
        project = each / "pyproject.toml"
        if project.is_file() and _TABLE in project.read_bytes():
            table = _parsed(project).get("tool", {}).get("warmline")
            if table is not None:
                return replace(_config(table, project), root=folder)
    return Config(root=folder)


def rule_ids(given: Iterable[str], *, where: str) -> tuple[str, ...]:
    """
    Return the ids of the rules that are meant by an id, the beginning of one (``WL14``), a name, or :data:`ALL`.

    :raises ConfigError: there is no such rule; the message names the nearest.
    """
    known = [name for rule in RULES for name in (rule.id, rule.name)]
    ids: list[str] = []
    for name in given:
        meant = [rule.id for rule in RULES if name in (ALL, rule.name) or (name and rule.id.startswith(name))]
        if not meant:
            raise ConfigError(f"{where}: there is no rule {name!r}{_nearest(name, known)}; `warmline rule` lists them")
        ids += meant
    return tuple(ids)


def level(name: object, levels: type[Severity | Confidence], *, where: str) -> Any:
    """
    Return the severity or confidence of this name.

    :raises ConfigError: there is none.
    """
    names = {each.name.lower(): each for each in levels}
    if not isinstance(name, str) or name.lower() not in names:
        raise ConfigError(f"{where}: {name!r} is none of {', '.join(names)}")
    return names[name.lower()]


def _parsed(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {error}") from error


def _config(table: dict[str, Any], file: Path) -> Config:
    where = f"{file} [tool.warmline]" if file.name == "pyproject.toml" else str(file)
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"{where}: there is no setting {key!r}{_nearest(key, _KEYS)}")
    per_file = _typed(table, "per-file-ignores", dict, where)
    severity = _typed(table, "severity", dict, where)
    return Config(
        select=rule_ids(_texts(table, "select", where), where=f"{where} select"),
        ignore=rule_ids(_texts(table, "ignore", where), where=f"{where} ignore"),
        per_file_ignores=tuple(
            (
                Patterns.of([pattern], base=file.parent),
                rule_ids(_texts(per_file, pattern, where), where=f"{where} per-file-ignores"),
            )
            for pattern in per_file
        ),
        severity={
            rule_id: level(value, Severity, where=f"{where} severity")
            for name, value in severity.items()
            for rule_id in rule_ids([name], where=f"{where} severity")
        },
        exclude=Patterns.of(_texts(table, "exclude", where), base=file.parent),
        min_confidence=level(table.get("min-confidence", "medium"), Confidence, where=f"{where} min-confidence"),
        min_severity=level(table.get("min-severity", "info"), Severity, where=f"{where} min-severity"),
    )


def _typed(table: dict[str, Any], key: str, kind: type, where: str) -> Any:
    value = table.get(key, kind())
    if not isinstance(value, kind):
        raise ConfigError(f"{where}: {key} must be a {'table' if kind is dict else 'list'}, and is {value!r}")
    return value


def _texts(table: dict[str, Any], key: str, where: str) -> list[str]:
    texts = _typed(table, key, list, where)
    if not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"{where}: {key} must be a list of texts")
    return list(texts)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
