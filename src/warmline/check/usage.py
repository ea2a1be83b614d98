"""
Which functions of the templates have to do with MongoDB, and with which clients in the code.
"""

from __future__ import annotations

import posixpath
import re

from .infra.facts import Function
from .location import Location
from .project import Project
from .source.facts import Client, CodeFacts

_CONNECTION_STRING = re.compile(r"mongodb(\+srv)?://")

# MONGODB_URI, MONGO_CONNECTION_STRING, ATLAS_URL; not the keys of Atlas's Admin API.
_NAMED = re.compile(
    r"(MONGO(DB|OSE)?|DOCDB|DOCUMENTDB)"
    r"|.*(MONGO|ATLAS|DOCDB|DOCUMENTDB).*(URI|URL|CONN|DSN|HOST|CLUSTER|SRV|ENDPOINT|STRING)",
    re.IGNORECASE,
)


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
    Return the files that belong to a function: its handler's, and what that imports and has to do with MongoDB.

    An import through another file that has nothing to do with it is not followed.
    """
    return project.modules.reached_from(function.code_path) if function.code_path is not None else ()


def clients_of(function: Function, project: Project) -> tuple[Client, ...]:
    """
    Return the clients in a function's code, as far as :func:`code_of` sees it.
    """
    return tuple(client for facts in code_of(function, project) for client in facts.clients)


def in_functions(project: Project) -> frozenset[str]:
    """
    Return the paths of the files that run in a function: those with a handler, and what they import.
    """
    handlers = {facts.path for facts in project.code if facts.entry_points}
    handlers |= {
        function.code_path for facts in project.infra for function in facts.functions if function.code_path is not None
    }
    return frozenset(facts.path for path in handlers for facts in project.modules.reached_from(path))


def runs_below(location: Location, project: Project, *languages: str) -> bool:
    """
    Tell whether code with a client that runs in a function, in one of these languages, stands beside a place or below.
    """
    folder = posixpath.dirname(location.path)
    below, used = f"{folder}/" if folder else "", in_functions(project)
    return any(
        facts.path in used and facts.clients and facts.language in languages and facts.path.startswith(below)
        for facts in project.code
    )
