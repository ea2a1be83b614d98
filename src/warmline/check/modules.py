"""
Which code file an import means.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from .source.facts import CodeFacts, Import

# In these all files of a folder are one package.
_PACKAGES = frozenset({"go", "java"})

# A folder's own module.
_FOLDERS = frozenset({"index", "__init__"})

_BUILT = (".js", ".mjs", ".cjs")


class Modules:
    """
    The code files of a project, by path and by what imports call them.
    """

    def __init__(self, code: tuple[CodeFacts, ...]) -> None:
        self._by_path = {facts.path: facts for facts in code}
        self._by_module: dict[str, list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        self._reached: dict[str, tuple[CodeFacts, ...]] = {}
        for path in self._by_path:
            module, folder = posixpath.splitext(path)[0], posixpath.dirname(path)
            for name in (path, module, *([folder] if posixpath.basename(module) in _FOLDERS else ())):
                self._by_module[name].append(path)
            self._by_folder[folder].append(path)

    def reached_from(self, path: str) -> tuple[CodeFacts, ...]:
        """
        Return the file and those that it imports, directly or through others of them.
        """
        # Every rule on a template's functions asks this.
        if path not in self._reached:
            self._reached[path] = self._follow(path) if path in self._by_path else ()
        return self._reached[path]

    def _follow(self, path: str) -> tuple[CodeFacts, ...]:
        found = {path: self._by_path[path]}
        waiting = [path]
        while waiting:
            for other in self._beside(self._by_path[waiting.pop()]):
                if other not in found:
                    found[other] = self._by_path[other]
                    waiting.append(other)
        return tuple(found.values())

    def meant(self, imported: Import, facts: CodeFacts) -> Iterator[str]:
        """
        Yield the files that an import of a file may mean, the nearest first.
        """
        for module in _meant(imported, facts, posixpath.dirname(facts.path)):
            yield from self._by_module.get(module, ())

    def _beside(self, facts: CodeFacts) -> Iterator[str]:
        folder = posixpath.dirname(facts.path)
        if facts.language in _PACKAGES:
            yield from self._by_folder.get(folder, ())
        for imported in facts.imports:
            yield from self.meant(imported, facts)


def _meant(imported: Import, facts: CodeFacts, folder: str) -> Iterator[str]:
    """
    The paths, without suffix, that an import may mean.
    """
    if facts.language != "python":
        if imported.module.startswith("."):
            module = posixpath.normpath(posixpath.join(folder, imported.module))
            yield module
            # TypeScript imports `./db.ts` by the name that it is built to.
            if module.endswith(_BUILT):
                yield posixpath.splitext(module)[0]
        return
    dotted = imported.module.lstrip(".")
    if up := len(imported.module) - len(dotted):
        bases = [posixpath.normpath(posixpath.join(folder, "../" * (up - 1)))]
    else:
        # From the root of the code, wherever above the file that is.
        bases = [folder, *_above(folder)]
    for base in bases:
        module = posixpath.normpath(posixpath.join(base, dotted.replace(".", "/")))
        yield module
        if imported.imported is not None:
            yield posixpath.join(module, imported.imported)


def _above(folder: str) -> Iterator[str]:
    while folder not in ("", "/", "."):
        folder = posixpath.dirname(folder)
        yield folder
