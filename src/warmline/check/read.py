"""
Files, read into one project's facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from .images import without_bytecode
from .infra.facts import InfraFacts
from .infra.join import join
from .infra.readers import READERS
from .packages import is_manifest, packages
from .project import Project
from .source.across import follow
from .source.facts import CodeFacts
from .source.language import Language
from .source.languages import language_of
from .source.read import read_source

Facts = TypeVar("Facts")

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Each(Protocol):
    """
    Calls a reader for each file and returns what it has made, without the ``None`` of files that are not its kind.
    """

    def __call__(self, read: Callable[[str, bytes], Facts | None], files: Mapping[str, bytes]) -> list[Facts]: ...


def one_by_one(read: Callable[[str, bytes], Facts | None], files: Mapping[str, bytes]) -> list[Facts]:
    """
    Call a reader for each file, here and now.
    """
    facts = (read(path, data) for path, data in files.items())
    return [each for each in facts if each is not None]


def read_project(files: Mapping[str, bytes], *, each: Each = one_by_one) -> Project:
    """
    Read files that belong together.

    :param files: content by path; what is neither code nor a template is passed over.
    :param each: how the files are gone through.
    """
    alone = {path: data for path, data in files.items() if may_be_infra(path, data) and not _read_together(path)}
    joined = join([*each(read_infra, alone), *_infra_together(files, each)], files)
    concerned = {path: data for path, data in files.items() if may_be_code(path, data)}
    # Those that templates name, whatever is in them.
    others = {path: files[path] for path in joined.handlers if path not in concerned}
    reader = _Reader(joined.handlers, frozenset(_on_lambda(files)))
    code = each(reader.read, concerned)
    handlers = each(reader.read, others)

    languages = {path: language for path in files if (language := language_of(path)) is not None}

    def read(path: str, called: str | None) -> CodeFacts:
        def again(path: str, data: bytes) -> CodeFacts:
            return reader.read_as(languages[path], path, data, called=called)

        # One that can't be read has been named, and calls nobody.
        found = each(again, {path: files[path]})
        return found[0] if found else CodeFacts(path=path, language=languages[path].name)

    content = {path: files[path] for path in languages}
    return Project(
        follow(tuple(code), content, read),
        joined.infra,
        tuple(handlers),
        tuple(packages(files)),
        tuple(without_bytecode(files)),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """
    Reads code with what the rest of the project tells of it.

    :param handlers: by path the functions that templates name.
    :param on_lambda: the folders of which a file hands a web application to Lambda, with its language.
    """

    handlers: Mapping[str, Iterable[str]]
    on_lambda: frozenset[tuple[str, str]]

    def read(self, path: str, data: bytes) -> CodeFacts | None:
        language = language_of(path)
        return self.read_as(language, path, data) if language is not None else None

    def read_as(self, language: Language, path: str, data: bytes, *, called: str | None = None) -> CodeFacts:
        # In a folder below, or in the same.
        on_lambda = bool(self.on_lambda) and any(
            (str(folder), language.name) in self.on_lambda for folder in PurePosixPath(path).parents
        )
        return read_source(
            path, data, language, handlers=self.handlers.get(path, ()), called=called, on_lambda=on_lambda
        )


def _on_lambda(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    for path, data in files.items():
        language = language_of(path)
        if language is not None and language.on_lambda is not None and language.on_lambda.search(data):
            yield str(PurePosixPath(path).parent), language.name


def is_checked(path: str) -> bool:
    """
    Tell by its name whether a file may be code, a template, a manifest or a Dockerfile, which are read.
    """
    return (
        is_manifest(path) or language_of(path) is not None or any(path.endswith(reader.suffixes) for reader in READERS)
    )


def may_be_code(path: str, data: bytes) -> bool:
    """
    Tell, without parsing it, whether a file may be code that has to do with MongoDB.
    """
    language = language_of(path)
    return language is not None and (data.startswith(_UTF_16) or any(mention in data for mention in language.mentions))


def may_be_infra(path: str, data: bytes) -> bool:
    """
    Tell, without parsing it, whether a file may be a template.
    """
    return any(
        path.endswith(reader.suffixes) and any(mention in data for mention in reader.mentions) for reader in READERS
    )


def _read_together(path: str) -> bool:
    return any(reader.together is not None and path.endswith(reader.suffixes) for reader in READERS)


def _infra_together(files: Mapping[str, bytes], each: Each) -> Iterator[InfraFacts]:
    """
    Read the files of the kinds whose files refer to each other.
    """
    for reader in READERS:
        if reader.together is None:
            continue
        of_kind = {path: data for path, data in files.items() if path.endswith(reader.suffixes)}
        try:
            yield from tuple(reader.together(of_kind))
        except Exception:
            # One of them has something that nobody has thought of: read alone, it is named and the others are not lost.
            yield from each(read_infra, of_kind)


def read_infra(path: str, data: bytes) -> InfraFacts | None:
    """
    Read a template; ``None``: it is none.
    """
    for reader in READERS:
        if path.endswith(reader.suffixes) and any(mention in data for mention in reader.mentions):
            facts = reader.read(path, data)
            if facts is not None:
                return facts
    return None
