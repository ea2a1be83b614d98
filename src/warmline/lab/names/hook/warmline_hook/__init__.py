"""
What a Python process of the lab changes in itself: who answers the lab's names, and where its connections come from.

Standard library only, and nothing is imported before the program does it: ``socket`` and dnspython are changed when
they are imported, or at once where they have been. Two variables turn it on, together or alone:

``WARMLINE_NAMES``
    ``lab.mongodb.test@127.0.0.1:5353``: the names of this domain come from this DNS server, for ``socket.getaddrinfo``
    and for dnspython's default resolvers; all other names are left to the machine. Not changed: ``gethostbyname``,
    ``connect`` with a name instead of an address, and resolvers that a program makes itself.

``WARMLINE_EGRESS``
    ``127.47.0.1``: TCP connections to 127.0.0.0/8 come from this address, as if from behind a NAT gateway. Not changed:
    what connects without Python's ``socket`` (libcurl, and with it the real runtime client's calls; gRPC; uvloop),
    ``connect`` with a name, IPv6, and programs that are not Python. There is nothing yet for those.
"""

from __future__ import annotations

import sys

# Python itself has loaded this one; collections.abc would bring the whole of collections.
from _collections_abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

NAMES_VARIABLE = "WARMLINE_NAMES"
EGRESS_VARIABLE = "WARMLINE_EGRESS"


def activate(environ: Mapping[str, str]) -> None:
    """
    Do in this process what the variables say; without them nothing.
    """
    names, egress = environ.get(NAMES_VARIABLE), environ.get(EGRESS_VARIABLE)
    patches: dict[str, Callable[[ModuleType], None]] = {}
    if names or egress:
        patches["socket"] = lambda _: _patch_socket(names, egress)
    if names:
        patches["dns.resolver"] = patches["dns.asyncresolver"] = lambda module: _patch_resolver(module, names)
    for name in patches.keys() & sys.modules.keys():
        patches.pop(name)(sys.modules[name])
    if patches:
        sys.meta_path.insert(0, _OnImport(patches))


def _patch_socket(names: str | None, egress: str | None) -> None:
    if names:
        from .names import patch_getaddrinfo

        patch_getaddrinfo(names)
    if egress:
        from .egress import patch_connect

        patch_connect(egress)


def _patch_resolver(module: ModuleType, names: str) -> None:
    from .names import patch_default_resolver

    patch_default_resolver(module, names)


class _OnImport:
    """
    Changes modules as soon as they have been imported.
    """

    def __init__(self, patches: Mapping[str, Callable[[ModuleType], None]]) -> None:
        self._patches = patches

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        patch = self._patches.get(name)
        spec = PathFinder.find_spec(name, path, target) if patch else None
        if patch and spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                # A zip file has one loader for all of its modules.
                if module.__name__ == name:
                    patch(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
