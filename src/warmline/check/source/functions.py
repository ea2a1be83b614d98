"""
The functions of a file, who calls whom, and which of them Lambda calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node, Query, QueryCursor

from .tree import REFERENCES, Source, ancestors, assigned, find, last_name, names, target, text, within

# What runs where an object is made, in languages in which it is named after its class.
CONSTRUCTORS = frozenset({"constructor_declaration", "field_declaration", "property_declaration"})

# Through so many names and calls a handler is followed back to the function that it is.
_MOST_HOPS = 3


# By what a function is an entry point that another file calls.
CALLED = "another file calls it for every invocation"


@dataclass(frozen=True, slots=True)
class CallSite:
    """
    One call: the name that is called, and the whole of it.
    """

    name: str
    callee: Node
    node: Node


@dataclass(slots=True, eq=False)
class Function:
    """
    One function with a name, or one without that is handed to Lambda's runtime.

    :param handler: by what it is known as an entry point, ``None`` if it is none.
    """

    node: Node
    name: str
    handler: str | None = None
    calls: list[CallSite] = field(default_factory=list)

    @property
    def short(self) -> str:
        """
        The last part of its name: ``handler`` of ``exports.handler``.
        """
        return last_name(self.name)

    @property
    def parameters(self) -> tuple[Node, ...]:
        """
        Its parameters; a comment between them is none.
        """
        found = self.node.child_by_field_name("parameters")
        if found is None:
            # An arrow function with one parameter and no parentheses.
            single = self.node.child_by_field_name("parameter")
            return (single,) if single is not None else ()
        return tuple(node for node in found.named_children if "comment" not in node.type)

    @property
    def asynchronous(self) -> bool:
        """
        Whether it is declared ``async``.
        """
        return any(child.type == "async" or text(child) == "async" for child in self.node.children[:3])


class Functions:
    """
    All functions and calls of one file.
    """

    def __init__(self, source: Source, query: Query, handlers: Iterable[str] = ()) -> None:
        """
        :param handlers: names of functions that a template names as handlers.
        """
        self.source = source
        self._language = source.language
        self._by_node: dict[int, Function] = {}
        self.calls: list[CallSite] = []
        self._early: dict[int, int | None] = {}
        self._shared: dict[int, frozenset[str]] = {}
        entries: list[Node] = []
        for _, captured in QueryCursor(query).matches(source.root):
            for node in captured.get("function", ()):
                named = captured.get("function.name")
                self._by_node.setdefault(node.id, Function(node, text(named[0]) if named else "default"))
            if "callee" in captured:
                callee = captured["callee"][0]
                node = captured["call"][0] if "call" in captured else callee
                self.calls.append(CallSite(text(callee), callee, node))
            entries.extend(captured.get("entry", ()))
        entries.extend(self._language.entries(source))
        if self._language.properties:
            own = {function.name for function in self}
            self.calls = [call for call in self.calls if call.node != call.callee or call.name in own]
        self._name(handlers)
        for entry in entries:
            self._hand_over(entry)
        for call in self.calls:
            if (owner := self.owner(call.node)) is not None:
                owner.calls.append(call)

    def __iter__(self) -> Iterator[Function]:
        return iter(self._by_node.values())

    def named(self, name: str) -> list[Function]:
        """
        Return the functions that a call of this name may mean: by their own name, or as a class's constructor.
        """
        return self._by_name.get(name, [])

    def callees(self, call: CallSite) -> list[Function]:
        """
        Return the functions that a call may mean.
        """
        return [found for found in self.named(call.name) if self._language.means(call, found, self)]

    def owner(self, node: Node) -> Function | None:
        """
        Return the innermost function with a name that a node stands in; closures belong to it. ``None``: none.
        """
        early = False
        for outer in ancestors(node):
            if outer.type in self._language.early:
                early = True
            elif outer.id in self._by_node:
                if not early:
                    return self._by_node[outer.id]
                early = False
        return None

    def closure(self, node: Node) -> Node | None:
        """
        Return the innermost function that a node stands in if it has no name and is not called where it stands.
        """
        for outer in ancestors(node):
            if outer.id in self._by_node:
                return None
            if outer.type in self._language.functions and not _called_at_once(outer):
                return outer
        return None

    def call_from_outside(self, called: str) -> None:
        """
        Mark the one function as an entry point that another file means by this; none, if that is not sure.
        """
        owner, _, name = called.rpartition(".")
        found = self.named(name)
        if owner not in ("", "*"):
            found = [function for function in found if self.class_of(function) == owner]
        elif owner == "":
            found = [
                function for function in found if self.class_of(function) in (None, name) or function.short != name
            ]
        if len(found) == 1:
            found[0].handler = CALLED

    @cached_property
    def imported(self) -> frozenset[str]:
        """
        The names that come from other modules.
        """
        return frozenset(found.name for found in self._language.imports(self.source))

    @cached_property
    def once_references(self) -> set[str]:
        """
        The names of functions that are given to a call that runs them once.
        """
        found = set()
        for call in self.calls:
            if call.name in self._language.once_calls:
                for argument in self._language.arguments(call.node).positional:
                    if argument.type in REFERENCES:
                        found.add(last_name(text(argument)))
        return found

    def shared(self, function: Function) -> frozenset[str]:
        """
        Return the names that outlive a call of the function, as far as this file gives them values: by itself, or by
        another function while they are no locals of this one.
        """
        if function.node.id not in self._shared:
            own = self._language.outliving(function.node)
            self._shared[function.node.id] = frozenset(own | (self._outliving - self._locals(function) - own))
        return self._shared[function.node.id]

    def early_return(self, function: Function) -> int | None:
        """
        Return where the first condition on what outlives a call ends that returns from the function; ``None``: none.
        """
        if function.node.id not in self._early:
            language, shared = self._language, self.shared(function)
            self._early[function.node.id] = min(
                (
                    condition.end_byte
                    for condition in find(function.node, language.conditions)
                    if (asked := language.asked(condition)) is not None
                    and names(asked, language.identifiers) & shared
                    and any(find(condition.child_by_field_name("consequence") or condition, language.returns))
                ),
                default=None,
            )
        return self._early[function.node.id]

    @cached_property
    def _outliving(self) -> set[str]:
        return set().union(*(self._language.outliving(function.node) for function in self))

    def _locals(self, function: Function) -> set[str]:
        language = self._language
        found: set[str] = set()
        for given in find(function.node, language.declarations | language.assignments):
            if (left := target(given)) is not None:
                found |= names(left, language.identifiers)
        for parameter in function.parameters:
            found |= names(parameter, language.identifiers)
        return found

    def is_init(self, function: Function) -> bool:
        """
        Tell whether the runtime calls it once, before any invocation.
        """
        return function.short in self._language.init_names

    def is_constructor(self, function: Function) -> bool:
        """
        Tell whether it constructs the object of a class.
        """
        language = self._language
        return function.node.type in CONSTRUCTORS or function.short in language.constructor_names

    @cached_property
    def _by_name(self) -> dict[str, list[Function]]:
        by_name: dict[str, list[Function]] = {}
        for function in self:
            by_name.setdefault(function.short, []).append(function)
            if function.short in self._language.constructor_names and (owner := self.class_of(function)):
                by_name.setdefault(owner, []).append(function)
        for name, bases in self.classes.items():
            # Without a constructor of its own it has its base's.
            inherited = [found for base in bases for found in by_name.get(base, ())]
            by_name.setdefault(name, inherited)
        return by_name

    @cached_property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """
        The classes of the file, and what each inherits from.
        """
        found = {}
        for node in self.source.find(self._language.classes):
            if (name := node.child_by_field_name("name")) is not None:
                found[text(name)] = self._language.bases(node)
        return found

    def class_of(self, function: Function) -> str | None:
        """
        Return the name of the class that a function is a member of.
        """
        for outer in ancestors(function.node):
            if outer.type in self._language.classes:
                name = outer.child_by_field_name("name")
                return text(name) if name is not None else None
        return None

    def _name(self, handlers: Iterable[str]) -> None:
        given = frozenset(handlers)
        for function in self:
            if function.short in given:
                function.handler = "the template names it"
            elif function.short in self._language.handler_names:
                function.handler = "its name"
            else:
                function.handler = self._language.handler(function, self.source)

    def _hand_over(self, entry: Node, hops: int = 0) -> None:
        """
        Mark the function that is handed to Lambda's runtime: itself, by its name, or made by another one.
        """
        why = "it is given to Lambda's runtime"
        if hops > _MOST_HOPS:
            return
        if entry.type in self._language.functions:
            function = self._by_node.setdefault(entry.id, Function(entry, "handler"))
            function.handler = why
        elif entry.type in ("as_expression", "satisfies_expression", "parenthesized_expression", "await_expression"):
            self._hand_over(entry.named_children[0], hops)
        elif entry.type in REFERENCES:
            functions = [found for found in self.named(last_name(text(entry))) if not self.is_init(found)]
            for function in functions:
                function.handler = why
            if not functions:
                self._follow_name(entry, hops)
        elif entry.type == "expression_list" and entry.named_children:
            self._hand_over(entry.named_children[0], hops + 1)
        elif entry.type in ("call_expression", "call"):
            self._follow_call(entry, hops)

    def _follow_name(self, entry: Node, hops: int) -> None:
        # handler := make(); Start(handler)
        language = self._language
        for assignment in self.source.find(language.declarations | language.assignments):
            given = target(assignment)
            if given is not None and text(entry) in names(given, language.identifiers):
                value = assigned(assignment)
                if value is not None:
                    self._hand_over(value, hops + 1)

    def _follow_call(self, entry: Node, hops: int) -> None:
        callee = entry.child_by_field_name("function")
        for factory in self.named(last_name(text(callee))) if callee is not None else ():
            for closure in find(factory.node, self._language.functions):
                if closure.id != factory.node.id:
                    self._hand_over(closure, hops + 1)
        # wrap(handler).use(…), handler.bind(…)
        holder = callee.child_by_field_name("object") if callee is not None else None
        if holder is not None and (holder.type == "call_expression" or text(holder.parent or holder).endswith(".bind")):
            self._hand_over(holder, hops + 1)
        arguments = entry.child_by_field_name("arguments")
        for argument in arguments.named_children if arguments is not None else ():
            self._hand_over(argument, hops + 1)


def _called_at_once(function: Node) -> bool:
    outer = function.parent
    while outer is not None and outer.type == "parenthesized_expression":
        outer = outer.parent
    if outer is None or outer.type not in ("call_expression", "call"):
        return False
    callee = outer.child_by_field_name("function")
    return callee is not None and within(callee, function)
