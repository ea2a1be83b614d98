"""
Which file and which function a template's ``Handler`` means.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from .facts import Function, InfraFacts

# What a function's file may be called, by what its runtime's name begins with.
_EXTENSIONS = {
    "nodejs": (".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx"),
    "python": (".py",),
    "ruby": (".rb",),
}
# What is deployed as it is written, under the same names.
_AS_WRITTEN = frozenset({_EXTENSIONS["python"], _EXTENSIONS["ruby"]})
_ANY = tuple(extension for extensions in _EXTENSIONS.values() for extension in extensions)

# What a build writes: its sources have the same names elsewhere.
_BUILT = frozenset({"dist", "build", "lib", "out", "target", "bin", ".build", "bundle", "compiled"})
_ARCHIVES = (".zip", ".jar", ".war")

# Java's and .NET's runtime clients call this where the handler is a class alone.
_JAVA_METHOD = "handleRequest"

_MAINS = {
    "go": ("main.go",),
    "provided": ("main.go", "src/main.rs"),
}


# What a program is called that has no name of its own.
_ANONYMOUS = frozenset({"", "bootstrap", "main", "handler"})


@dataclass(frozen=True, slots=True)
class Joined:
    """
    Templates with the files of their functions.

    :param handlers: by path the names of the functions in it that are handlers.
    """

    infra: tuple[InfraFacts, ...]
    handlers: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Files:
    content: Mapping[str, bytes]
    by_stem: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    folders: set[str] = field(default_factory=set)


def join(infra: Sequence[InfraFacts], files: Mapping[str, bytes]) -> Joined:
    """
    Find the handlers of all functions among the files.

    A handler that is not found, or could be in more than one file, stays without.
    """
    known = _Files(files)
    if any(facts.functions for facts in infra):
        for path in files:
            folder, base = posixpath.split(path)
            known.by_stem[posixpath.splitext(base)[0]].append(path)
            if (folder or ".") not in known.folders:
                known.folders.update(parent.as_posix() for parent in PurePosixPath(path).parents)
    handlers: dict[str, set[str]] = defaultdict(set)
    joined = []
    for facts in infra:
        functions = []
        for function in facts.functions:
            found = next(_handlers(function, posixpath.dirname(facts.path), known), None)
            if found is not None:
                path, name = found
                handlers[path].update({name} if name is not None else ())
                functions.append(replace(function, code_path=path))
            else:
                functions.append(function)
        joined.append(replace(facts, functions=tuple(functions)))
    return Joined(tuple(joined), {path: frozenset(names) for path, names in handlers.items()})


def _handlers(function: Function, template: str, files: _Files) -> Iterator[tuple[str, str | None]]:
    handler = function.handler.text if function.handler is not None and function.handler.complete else None
    runtime = (function.runtime.text if function.runtime is not None else None) or ""
    if function.code is not None and not function.code.complete:
        return
    code = (function.code.text if function.code is not None else None) or "."
    # Terraform may pack a single file.
    archive = code.endswith((*_ARCHIVES, *_ANY))
    folder = posixpath.normpath(posixpath.join(template, posixpath.dirname(code) if archive else code))
    if runtime.startswith(tuple(_MAINS)):
        built = (PurePosixPath(handler or ".").name, PurePosixPath(code).stem if archive else "")
        yield from _mains(folder, built, runtime, template, files)
    elif handler is None:
        return
    elif "::" in handler and not runtime.startswith("ruby"):
        yield from _classes(handler, template, files)
    elif runtime.startswith("java"):
        yield from _classes(f"{handler}::{_JAVA_METHOD}", template, files)
    else:
        yield from _modules(function, handler, runtime, folder, template, files)


def _mains(
    folder: str, built: tuple[str, ...], runtime: str, template: str, files: _Files
) -> Iterator[tuple[str, str | None]]:
    """
    The file of a program's ``main``, in the folder of the code or, where it is built before, in one of its name.
    """
    names = next(mains for prefix, mains in _MAINS.items() if runtime.startswith(prefix))
    for name in built:
        candidates = [
            path
            for path in files.by_stem.get("main", ())
            if path.endswith(tuple(f"/{name}/{main}" for main in names)) and _below(path, template)
        ]
        if name not in _ANONYMOUS and len(candidates) == 1:
            yield candidates[0], None
    for name in names:
        path = posixpath.normpath(posixpath.join(folder, name))
        if path in files.content:
            yield path, None


def _classes(handler: str, template: str, files: _Files) -> Iterator[tuple[str, str | None]]:
    """
    ``package.Class::method`` of Java, ``Assembly::Namespace.Class::Method`` of .NET.
    """
    *_, qualified, method = handler.split("::")
    package, _, name = qualified.rpartition(".")
    candidates = [
        path
        for path in files.by_stem.get(name, ())
        if _below(path, template) and path.endswith((".java", ".cs")) and method.encode() in files.content[path]
    ]
    inside = [path for path in candidates if f"/{package.replace('.', '/')}/{name}." in f"/{path}"]
    if len(chosen := inside or candidates) == 1:
        yield chosen[0], method


def _modules(
    function: Function, handler: str, runtime: str, folder: str, template: str, files: _Files
) -> Iterator[tuple[str, str | None]]:
    """
    ``folder/module.function`` of Node.js, Python and Ruby.
    """
    extensions = next((known for prefix, known in _EXTENSIONS.items() if runtime.startswith(prefix)), _ANY)
    module, _, name = handler.rpartition(".")
    if runtime.startswith("ruby"):
        # `module.Namespace::Class.method`.
        module = handler.partition(".")[0]
    elif extensions == _EXTENSIONS["python"]:
        module = module.replace(".", "/")
    if not module:
        return
    for base in _places(folder, module):
        for extension in extensions:
            if f"{base}{extension}" in files.content:
                yield f"{base}{extension}", name
    for entry in function.entries:
        path = posixpath.normpath(posixpath.join(folder, entry.text or "."))
        if PurePosixPath(path).stem == PurePosixPath(module).stem and path in files.content:
            yield path, name
    yield from _elsewhere(module, name, extensions, folder, template, files)


def _elsewhere(
    module: str, name: str, extensions: tuple[str, ...], folder: str, template: str, files: _Files
) -> Iterator[tuple[str, str | None]]:
    """
    The only file with such a function whose path ends as the module's or, where the code is still to be built, with its
    name.
    """
    written = posixpath.normpath(module).split("/")
    parts = [part for part in written if part not in _BUILT]
    named = re.compile(rf"\b{re.escape(name)}\b".encode())
    candidates = [
        path
        for path in files.by_stem.get(parts[-1] if parts else "", ())
        if path.endswith(extensions) and _below(path, template) and named.search(files.content[path])
    ]
    if len(parts) > 1:
        end = "/".join(("", *parts))
        candidates = [path for path in candidates if f"/{posixpath.splitext(path)[0]}".endswith(end)]
    elif extensions in _AS_WRITTEN or (folder in files.folders and parts == written):
        # The code is there and has no such file.
        return
    if len(candidates) == 1:
        yield candidates[0], name


def _places(folder: str, module: str) -> Iterator[str]:
    """
    Where a module may be: as it is written, and with what a build has put in front left out or called ``src``.
    """
    written = posixpath.normpath(posixpath.join(folder, module))
    yield written
    parts = written.split("/")
    for index, part in enumerate(parts[:-1]):
        if part in _BUILT:
            yield posixpath.join(*parts[:index], "src", *parts[index + 1 :])
            yield posixpath.join(*parts[:index], *parts[index + 1 :])


def _below(path: str, folder: str) -> bool:
    return not folder or folder == "." or path.startswith(f"{folder}/")
