"""
Clients that one file constructs and another one asks for: how often, by the calls between the files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ..finding import Step
from ..location import Location
from ..modules import Modules
from .calls import Mention, Targets, mention_of, words_of
from .facts import Client, CodeFacts, Lifetime
from .functions import CALLED
from .languages import language_of

# From the handler's file to the client's.
_MOST_FILES = 4

# A parameter that may hold the client from the last call.
_KEEPS = re.compile(r"(?i)\W*(\w*cache\w*|client|conn|connection|pool|state|keep\w*|existing\w*)\b")

Read = Callable[[str, str | None], CodeFacts]


def follow(code: tuple[CodeFacts, ...], files: Mapping[str, bytes], read: Read) -> tuple[CodeFacts, ...]:
    """
    Decide on the clients of which no file alone tells how often they are constructed.

    :param files: all code files of the project, by path: a caller need not have to do with MongoDB.
    :param read: reads a file, with what of it is called from outside.
    """
    open_ = {facts.path: facts for facts in code if any(_is_open(client) for client in facts.clients)}
    if not open_:
        return code
    around = _callers(open_, {facts.path: facts for facts in code}, files, read)
    if len(around) == 1:
        return code
    calls = _Calls(around, files, read)
    return tuple(calls.decided(facts) if facts.path in open_ else facts for facts in code)


def _is_open(client: Client) -> bool:
    return client.lifetime is Lifetime.UNKNOWN and client.function is not None


def _callers(
    open_: Mapping[str, CodeFacts], code: Mapping[str, CodeFacts], files: Mapping[str, bytes], read: Read
) -> dict[str, CodeFacts]:
    """
    The files with such clients, those that call them, and those that call these.
    """
    around = dict(open_)
    latest: Iterable[CodeFacts] = open_.values()
    languages = {path: found.name for path in files if (found := language_of(path)) is not None}
    words = {path: words_of(files[path]) for path in languages}
    for _ in range(_MOST_FILES - 1):
        by_word: dict[bytes, list[Mention]] = defaultdict(list)
        for mention in map(mention_of, latest):
            for word in mention.keys:
                by_word[word].append(mention)
        added = {}
        for path, language in languages.items():
            near = (mention for word in words[path] & by_word.keys() for mention in by_word[word])
            if path not in around and any(mention.means(path, language, words[path]) for mention in near):
                added[path] = code[path] if path in code else read(path, None)
        around.update(added)
        latest = added.values()
        if not added:
            break
    return around


class _Calls:
    """
    The calls between files.
    """

    def __init__(self, files: Mapping[str, CodeFacts], content: Mapping[str, bytes], read: Read) -> None:
        self._read = read
        self._targets = Targets(files, Modules(tuple(files.values())), content)
        self._reached: dict[tuple[str, str], CodeFacts] = {}
        self._ways: dict[tuple[str, str], tuple[Step, ...]] = {}
        self._at_module_level: set[tuple[str, str]] = set()
        self._somewhere: set[tuple[str, str]] = set()
        for facts in files.values():
            for call in facts.calls:
                for target in self._targets.of(call, facts):
                    if not call.path:
                        kind = self._at_module_level if call.function is None else self._somewhere
                        kind.add(target)
        waiting: list[tuple[CodeFacts, tuple[Step, ...]]] = [(facts, ()) for facts in files.values()]
        while waiting:
            facts, before = waiting.pop(0)
            waiting.extend(self._follow(facts, before))

    def decided(self, facts: CodeFacts) -> CodeFacts:
        """
        The facts, with the lifetimes that the calls tell.
        """
        ways: dict[Location, tuple[Step, ...]] = {}
        once: set[Location] = set()
        doubt: set[Location] = set()
        for target, before in self._ways.items():
            if target[0] == facts.path:
                for client in self._leads_to(target):
                    ways.setdefault(client.location, (*before, *client.path[1:]))
        for target in self._at_module_level:
            if target[0] == facts.path:
                once |= {client.location for client in self._leads_to(target)}
        for target in self._somewhere:
            if target[0] == facts.path:
                doubt |= {client.location for client in self._leads_to(target)}
        return replace(facts, clients=tuple(_decided(client, ways, once - doubt) for client in facts.clients))

    def _follow(self, facts: CodeFacts, before: tuple[Step, ...]) -> Iterator[tuple[CodeFacts, tuple[Step, ...]]]:
        """
        What the handlers of a file call in others; those files, with what is called in them as handlers.
        """
        outside = [entry.location for entry in facts.entry_points if entry.why == CALLED]
        for call in facts.calls:
            if not call.path or (before and call.path[0].location not in outside):
                continue
            for target in self._targets.of(call, facts):
                if target in self._ways:
                    continue
                self._ways[target] = (*before, *(call.path[1:] if before else call.path))
                yield self._with(target), self._ways[target]

    def _with(self, target: tuple[str, str]) -> CodeFacts:
        if target not in self._reached:
            self._reached[target] = self._read(*target)
        return self._reached[target]

    def _leads_to(self, target: tuple[str, str]) -> Iterator[Client]:
        """
        The clients that each call of it from outside constructs.
        """
        facts = self._with(target)
        for entry in facts.entry_points:
            if entry.why == CALLED and not any(_KEEPS.match(parameter) for parameter in entry.parameters):
                for client in facts.clients:
                    if client.lifetime is Lifetime.PER_INVOCATION and client.path[0].location == entry.location:
                        yield client


def _decided(client: Client, ways: Mapping[Location, tuple[Step, ...]], once: set[Location]) -> Client:
    if not _is_open(client):
        return client
    if (way := ways.get(client.location)) is not None:
        why = f"{client.function}() is called for every invocation, from {way[0].location.path}"
        return replace(client, lifetime=Lifetime.PER_INVOCATION, why=why, path=way, across_files=True)
    if client.location in once:
        why = f"{client.function}() is called where another file is loaded"
        return replace(client, lifetime=Lifetime.ONCE, why=why, across_files=True)
    return client
