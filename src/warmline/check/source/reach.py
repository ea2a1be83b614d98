"""
Which functions run for every invocation and by which way, and which run only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..finding import Step
from .functions import Function, Functions
from .once import around, guarded


@dataclass(frozen=True, slots=True)
class Reach:
    """
    What handlers reach by name; functions are named by the ids of their nodes.

    :param ways: the way from a handler to each function that runs for every invocation, the handler first.
    :param kept: functions that are called under a guard and so run once, unless they have a way too.
    """

    ways: Mapping[int, tuple[Step, ...]]
    kept: frozenset[int]


def from_handlers(functions: Functions) -> Reach:
    """
    Follow the calls from every handler.
    """
    source = functions.source
    ways: dict[int, tuple[Step, ...]] = {}
    kept: set[int] = set()
    waiting: list[Function] = []
    for function in functions:
        if function.handler is not None:
            ways[function.node.id] = (Step(function.name, source.at(function.node)),)
            waiting.append(function)
    while waiting:
        caller = waiting.pop(0)
        for call in caller.calls:
            for callee in functions.callees(call):
                if callee.node.id in ways or functions.is_init(callee):
                    continue
                if around(call.node, source.language) is not None or guarded(call.node, caller, functions) is not None:
                    kept.add(callee.node.id)
                    continue
                ways[callee.node.id] = (*ways[caller.node.id], Step(callee.name, source.at(call.node)))
                waiting.append(callee)
    return Reach(ways, frozenset(kept))


def from_init(functions: Functions) -> frozenset[int]:
    """
    Return the ids of the nodes of functions that code which runs once reaches by name.
    """
    # A constructor whose object has a handler among its methods.
    handling = {
        function.node.parent.id for function in functions if function.handler is not None and function.node.parent
    }
    waiting = [
        function
        for function in functions
        if functions.is_init(function)
        or function.short in functions.once_references
        or (functions.is_constructor(function) and function.node.parent and function.node.parent.id in handling)
    ]
    for call in functions.calls:
        # At module level, or where it stands in a function that runs once, whoever calls that.
        at_module_level = functions.owner(call.node) is None and functions.closure(call.node) is None
        if at_module_level or around(call.node, functions.source.language) is not None:
            waiting.extend(functions.callees(call))
    reached = {function.node.id for function in waiting}
    while waiting:
        for call in waiting.pop().calls:
            for callee in functions.callees(call):
                if callee.node.id not in reached:
                    reached.add(callee.node.id)
                    waiting.append(callee)
    return frozenset(reached)
