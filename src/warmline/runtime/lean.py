"""
PyMongo imported at a cold start: the garbage collector rests, and what is imported but not used waits for its use.

Everything here is over when the import is.
"""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType
from typing import Any

from .environment import on_lambda

# Of this module PyMongo takes two functions, for messages about optional packages that are missing. Loading it (with
# email, zipfile, csv) is a tenth of importing PyMongo.
_LATE = "importlib.metadata"


class LeanImport:
    """
    Makes the imports in its ``with`` block lean, on Lambda and if PyMongo has not been imported before.
    """

    def __init__(self) -> None:
        self._late: _Late | None = None
        self._collects = False

    def __enter__(self) -> None:
        if not on_lambda() or "pymongo" in sys.modules:
            return
        # Of the hundred thousand objects that an import makes nearly all stay: looking through them time and again is
        # a tenth of the import, too.
        self._collects = gc.isenabled()
        gc.disable()
        if _LATE not in sys.modules:
            self._late = _Late(_LATE)
            self._late.stand_in()

    def __exit__(self, *_: object) -> None:
        if self._late is not None:
            self._late.step_aside()
        if self._collects:
            # Else the first collection would look through all of them after all. They stay as long as the process.
            gc.freeze()
            gc.enable()


class _Late(ModuleType):
    """
    Stands in a module's place: has what PyMongo takes of it, and gives way to the module for whatever else is wanted.
    """

    def stand_in(self) -> None:
        """
        Be what an import of the module finds.
        """
        sys.modules[_LATE] = self
        vars(importlib)["metadata"] = self

    def step_aside(self) -> None:
        """
        Have the next import find the module itself.
        """
        if sys.modules.get(_LATE) is self:
            del sys.modules[_LATE]
            vars(importlib).pop("metadata", None)

    def requires(self, distribution: str) -> Any:
        """
        As the module's function.
        """
        return self.__getattr__("requires")(distribution)

    def version(self, distribution: str) -> Any:
        """
        As the module's function.
        """
        return self.__getattr__("version")(distribution)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # What the import system asks of any module.
            raise AttributeError(name)
        self.step_aside()
        return getattr(importlib.import_module(_LATE), name)
