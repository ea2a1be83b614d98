"""
Files, read into one project's facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .infra.facts import InfraFacts
from .infra.join import join
from .infra.readers import READERS
from .project import Project
from .source.across import follow
from .source.facts import CodeFacts
from .source.languages import language_of
from .source.read import read_source


def read_project(files: Mapping[str, bytes]) -> Project:
    """
    Read files that belong together.

    :param files: content by path; what is neither code nor a template is passed over.
    """
    infra = (read_infra(path, data) for path, data in files.items() if not _read_together(path))
    joined = join([*(facts for facts in infra if facts is not None), *_infra_together(files)], files)
    found = (read_code(path, data, handlers=joined.handlers.get(path, ())) for path, data in files.items())
    code = tuple(facts for facts in found if facts is not None)
    known = {facts.path for facts in code}
    handlers = tuple(
        read_source(path, files[path], language, handlers=names)
        for path, names in joined.handlers.items()
        if path not in known and (language := language_of(path)) is not None
    )
    languages = {path: language for path in files if (language := language_of(path)) is not None}

    def read(path: str, called: str | None) -> CodeFacts:
        names = joined.handlers.get(path, ())
        return read_source(path, files[path], languages[path], handlers=names, called=called)

    content = {path: files[path] for path in languages}
    return Project(follow(code, content, read), joined.infra, handlers)


def read_code(path: str, data: bytes, *, handlers: Iterable[str] = ()) -> CodeFacts | None:
    """
    Read a code file; ``None``: it is none, or has nothing to do with MongoDB.

    :param handlers: the names of its functions that templates name as handlers.
    """
    language = language_of(path)
    if language is None or not any(mention in data for mention in language.mentions):
        return None
    return read_source(path, data, language, handlers=handlers)


def _read_together(path: str) -> bool:
    return any(reader.together is not None and path.endswith(reader.suffixes) for reader in READERS)


def _infra_together(files: Mapping[str, bytes]) -> Iterator[InfraFacts]:
    """
    Read the files of the kinds whose files refer to each other.
    """
    for reader in READERS:
        if reader.together is not None:
            yield from reader.together({path: data for path, data in files.items() if path.endswith(reader.suffixes)})


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
