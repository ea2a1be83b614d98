"""
Which functions of the templates have to do with MongoDB, and with which clients in the code.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from .infra.facts import Function
from .project import Project
from .source.facts import Client, CodeFacts, Import

_CONNECTION_STRING = re.compile(r"mongodb(\+srv)?://")

# MONGODB_URI, MONGO_CONNECTION_STRING, ATLAS_URL; not the keys of Atlas's Admin API.
_NAMED = re.compile(
    r"(MONGO(DB|OSE)?|DOCDB|DOCUMENTDB)"
    r"|.*(MONGO|ATLAS|DOCDB|DOCUMENTDB).*(URI|URL|CONN|DSN|HOST|CLUSTER|SRV|ENDPOINT|STRING)",
    re.IGNORECASE,
)

# In these all files of a folder are one package.
_PACKAGES = frozenset({"go", "java"})


def names_mongodb(function: Function) -> bool:
    """
    Tell whether a variable of the function holds a connection string, or is called as if it did.
    """
    return any(
        _NAMED.fullmatch(variable.name) is not None
        or (variable.value.text is not None and _CONNECTION_STRING.search(variable.value.text) is not None)
        for variable in function.variables
    )


def code_of(function: Function, project: Project) -> tuple[CodeFacts, ...]:
    """
    Return the files with MongoDB in them that belong to a function: its handler's, and what that imports.

    An import through a file that has nothing to do with MongoDB is not followed.
    """
    by_path = {facts.path: facts for facts in project.code}
    if function.code_path is None or function.code_path not in by_path:
        return ()
    found = {function.code_path: by_path[function.code_path]}
    waiting = [function.code_path]
    while waiting:
        path = waiting.pop()
        for other in _beside(by_path[path], by_path):
            if other not in found:
                found[other] = by_path[other]
                waiting.append(other)
    return tuple(found.values())


def clients_of(function: Function, project: Project) -> tuple[Client, ...]:
    """
    Return the clients in a function's code, as far as :func:`code_of` sees it.
    """
    return tuple(client for facts in code_of(function, project) for client in facts.clients)


def _beside(facts: CodeFacts, by_path: dict[str, CodeFacts]) -> Iterator[str]:
    folder = posixpath.dirname(facts.path)
    if facts.language in _PACKAGES:
        yield from (path for path in by_path if posixpath.dirname(path) == folder)
    for found in facts.imports:
        for wanted in _modules(found, facts, folder):
            yield from (path for path in by_path if _is_module(path, wanted))


def _modules(found: Import, facts: CodeFacts, folder: str) -> Iterator[str]:
    """
    The paths, without suffix, that an import may mean.
    """
    if facts.language != "python":
        if found.module.startswith("."):
            yield posixpath.normpath(posixpath.join(folder, found.module))
        return
    dotted = found.module.lstrip(".")
    if up := len(found.module) - len(dotted):
        bases = [posixpath.normpath(posixpath.join(folder, "../" * (up - 1)))]
    else:
        # From the root of the code, wherever above the file that is.
        bases = [folder, *(parent.as_posix() for parent in PurePosixPath(folder).parents)]
    for base in bases:
        module = posixpath.normpath(posixpath.join(base, dotted.replace(".", "/")))
        yield module
        if found.imported is not None:
            yield posixpath.join(module, found.imported)


def _is_module(path: str, wanted: str) -> bool:
    return path == wanted or posixpath.splitext(path)[0] in (wanted, f"{wanted}/index", f"{wanted}/__init__")
