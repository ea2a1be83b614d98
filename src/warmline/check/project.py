"""
All that is known of the files that are checked together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .images import WithoutBytecode
from .infra.facts import InfraFacts
from .modules import Modules
from .packages import Package
from .source.facts import CodeFacts


@dataclass(frozen=True)
class Project:
    """
    The facts that rules look at: of every code file and of every template, and which belong together.

    :param code: the files that have to do with MongoDB.
    :param handlers: the files of templates' handlers that have nothing to do with it themselves; what they import may.
    :param packages: the drivers whose versions a manifest or a lock file settles.
    :param without_bytecode: what leaves functions' images without compiled Python files.
    """

    code: tuple[CodeFacts, ...] = ()
    infra: tuple[InfraFacts, ...] = ()
    handlers: tuple[CodeFacts, ...] = ()
    packages: tuple[Package, ...] = ()
    without_bytecode: tuple[WithoutBytecode, ...] = ()

    @cached_property
    def modules(self) -> Modules:
        """
        The code files, by what imports call them.
        """
        return Modules(self.code + self.handlers)
