"""
Which function of which other file a call means.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..modules import Modules
from .facts import Call, CodeFacts, Import
from .tree import last_name

_ECMASCRIPT = frozenset({"javascript", "typescript"})

# A class's name is the same all over the project.
_BY_CLASS = frozenset({"java", "csharp", "ruby"})

# Files that are called as their folder is.
_FOLDERS = frozenset({"index", "__init__", "mod", "lib"})

_DEFAULT = re.compile(
    rb"(?:export\s+default|module\.exports\s*=)\s+"
    rb"(?:(?:async\s+)?(?:function\s*\*?|class)\s+(\w+)|(?:new\s+)?(\w+)\s*(?:\(\s*\))?\s*(?:;|\n|$))"
)

_WORD = re.compile(rb"\w+")


@dataclass(frozen=True, slots=True)
class Mention:
    """
    By what a file can call another one.

    :param module: the words that an import names it by; empty: it needs no import.
    :param names: what it can call in it; empty: it chooses the names itself.
    """

    path: str
    language: str
    module: frozenset[bytes]
    names: frozenset[bytes]

    @property
    def keys(self) -> frozenset[bytes]:
        """
        The words of which a file that may call it has at least one.
        """
        # Another file of a package of Go calls it without the package's name.
        return self.names if self.language == "go" or not self.module else self.module

    def means(self, path: str, language: str, words: frozenset[bytes]) -> bool:
        """
        Tell whether a file with these words may call this one.
        """
        if language != self.language and not {language, self.language} <= _ECMASCRIPT:
            return False
        beside = language == "go" and posixpath.dirname(path) == posixpath.dirname(self.path)
        return (beside or self.module <= words) and (not self.names or not self.names.isdisjoint(words))


def words_of(data: bytes) -> frozenset[bytes]:
    """
    Return the words of a file.
    """
    return frozenset(_WORD.findall(data))


def mention_of(facts: CodeFacts) -> Mention:
    """
    Tell by what other files can call this one.
    """
    names, module = {*facts.classes, *(last_name(name) for name in facts.functions)}, _stem(facts.path)
    if facts.language in _BY_CLASS:
        names, module = set(facts.classes), ""
    elif facts.language == "go":
        module = _last(posixpath.dirname(facts.path))
    elif facts.language in _ECMASCRIPT:
        # A default export is called as the importing file likes.
        names = set()
    return Mention(facts.path, facts.language, words_of(module.encode()), words_of(" ".join(names).encode()))


def _stem(path: str) -> str:
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return posixpath.basename(posixpath.dirname(path)) if stem in _FOLDERS else stem


class Targets:
    """
    What calls mean, in the files of a project.
    """

    def __init__(self, files: Mapping[str, CodeFacts], modules: Modules, content: Mapping[str, bytes]) -> None:
        self._files = files
        self._modules = modules
        self._content = content

    def of(self, call: Call, facts: CodeFacts) -> Iterator[tuple[str, str]]:
        """
        Yield the file and the function that a call of another file means, where that is sure.
        """
        found = set(self._candidates(call, facts))
        if len(found) == 1:
            yield found.pop()

    def _candidates(self, call: Call, facts: CodeFacts) -> Iterator[tuple[str, str]]:
        receiver = re.sub(r"^(new|await|::)\s*|\(\)$", "", call.receiver or "").strip()
        if facts.language == "python" or facts.language in _ECMASCRIPT:
            yield from self._imported(call.name, receiver, facts)
        elif facts.language == "go":
            yield from self._in_package(call.name, receiver, facts)
        elif facts.language in _BY_CLASS:
            constructs = call.name == "new" if facts.language == "ruby" else call.text.startswith("new ")
            owner = last_name(receiver) if facts.language == "ruby" or not constructs else call.name
            for other in self._others(facts):
                if owner in other.classes:
                    yield other.path, owner if constructs else f"{owner}.{call.name}"
        else:
            yield from self._in_module(call.name, receiver, facts)

    def _imported(self, name: str, receiver: str, facts: CodeFacts) -> Iterator[tuple[str, str]]:
        for imported in facts.imports:
            if imported.name == name and not receiver:
                if (path := self._file(imported, facts)) is not None:
                    yield path, self._meaning(imported, path)
            elif imported.name == "*" and not receiver and name not in facts.functions:
                path = self._file(imported, facts)
                if path is not None and name in (*self._files[path].functions, *self._files[path].classes):
                    yield path, name
            elif receiver and receiver in (imported.name, imported.module):
                if (path := self._file(imported, facts)) is None:
                    continue
                other = self._files[path]
                if imported.imported in other.classes:
                    yield path, f"{imported.imported}.{name}"
                elif imported.imported in (None, "*") or _stem(path) == imported.imported:
                    yield path, name
                else:
                    yield path, f"*.{name}"

    def _file(self, imported: Import, facts: CodeFacts) -> str | None:
        paths = [path for path in self._modules.meant(imported, facts) if path != facts.path]
        # A module of a package is nearer than what the package itself has by that name.
        named = [path for path in paths if _stem(path) == imported.imported]
        return next(iter(named or paths), None)

    def _meaning(self, imported: Import, path: str) -> str:
        """
        The name in the other file of what is imported.
        """
        other = self._files[path]
        if imported.imported != "default":
            return imported.imported or imported.name
        if "default" in other.functions:
            return "default"
        if "module.exports" in other.functions:
            return "exports"
        if (found := _DEFAULT.search(self._content[path])) is not None:
            return (found[1] or found[2]).decode("utf-8", "replace")
        return imported.name

    def _in_package(self, name: str, receiver: str, facts: CodeFacts) -> Iterator[tuple[str, str]]:
        folder = posixpath.dirname(facts.path)
        if receiver:
            modules = {imported.module for imported in facts.imports if imported.name == receiver}
            folders = {posixpath.dirname(path) for path in self._files}
            ends = {end for end in folders for module in modules if end and f"/{module}".endswith(f"/{end}")}
            if not ends:
                # The module's own path is not known: by the last folder alone.
                ends = {end for end in folders for module in modules if _last(end) == _last(module) and end}
        elif name in facts.functions:
            return
        else:
            ends = {folder}
        for other in self._others(facts):
            if posixpath.dirname(other.path) in ends and name in other.functions:
                yield other.path, name

    def _in_module(self, name: str, receiver: str, facts: CodeFacts) -> Iterator[tuple[str, str]]:
        """
        Rust: ``db::connect()``, or ``connect()`` with ``use crate::db::connect``.
        """
        modules = {last_name(receiver)}
        if not receiver:
            modules = {last_name(imported.module) for imported in facts.imports if imported.name == name}
        for other in self._others(facts):
            if _stem(other.path) in modules and name in other.functions:
                yield other.path, name

    def _others(self, facts: CodeFacts) -> Iterator[CodeFacts]:
        for other in self._files.values():
            if other.path != facts.path and other.language == facts.language:
                yield other


def _last(path: str) -> str:
    return posixpath.basename(path)
