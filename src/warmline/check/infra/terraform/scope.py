"""
A module's names: variables, locals, what it calls and what calls it; and what its expressions come to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...location import Location
from ...values import HOLE, Value
from .data import Data, Fields, Items
from .syntax import Block, Call, Expression, File, Record, Reference, Sequence, Text, children

# So many expressions within each other, with those that names stand for; a cycle must end.
_DEEPEST = 60

# A name that stands for more than so many values stands for none: copies of copies must end.
_MOST_VALUES = 2000

# A longer text is no option and no connection string.
_MOST_CHARACTERS = 4096

# Functions that give back what they are given.
_SAME = frozenset({"tostring", "tonumber", "tobool", "toset", "tolist", "tomap", "nonsensitive", "sensitive", "try"})


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """
    The files of one folder.

    :param variables: by name; likewise the others.
    :param settings: what a file of values that Terraform reads by itself gives the variables; ``None``: some other one
        gives a value.
    """

    folder: str
    files: tuple[File, ...]
    variables: Mapping[str, Block]
    locals: Mapping[str, Expression]
    outputs: Mapping[str, Block]
    calls: Mapping[str, Block]
    settings: Mapping[str, Expression | None] = field(default_factory=dict)


def module(folder: str, files: Iterable[File], settings: Mapping[str, Expression | None]) -> Module:
    """
    Collect what the files of a folder define.
    """
    files = tuple(files)
    blocks = [block for file in files for block in file.top.blocks]

    def named(kind: str) -> dict[str, Block]:
        return {block.labels[0]: block for block in blocks if block.kind == kind and block.labels}

    given = {name: value for block in blocks if block.kind == "locals" for name, value in block.attributes.items()}
    return Module(folder, files, named("variable"), given, named("output"), named("module"), settings)


@dataclass(slots=True, eq=False)
class Scope:
    """
    A module as it is called once.

    :param caller: the scope that calls it; ``None``: nothing does.
    :param arguments: what the call gives the variables.
    :param prefix: the call's address with a dot (``module.api.``), empty where nothing calls it.
    :param calls: the modules that it calls, as far as they are among the files.
    :param conditional: whether a count or a set that is not known decides if it is called.
    :param each: what ``each.key`` and ``each.value`` are, within one resource.
    """

    module: Module
    caller: Scope | None = None
    arguments: Mapping[str, Expression] = field(default_factory=dict)
    prefix: str = ""
    calls: dict[str, Scope] = field(default_factory=dict)
    conditional: bool = False
    each: tuple[Data, Data] | None = None
    _found: dict[tuple[str, str], Data] = field(default_factory=dict)

    def within(self, key: Data, value: Data) -> Scope:
        """
        Return the scope of one member of ``for_each``.
        """
        return replace(self, each=(key, value))

    def of(self, expression: Expression, hops: int = 0) -> Data:
        """
        Evaluate an expression.
        """
        location = expression.location
        if hops > _DEEPEST:
            return Value(None, location)
        match expression:
            case Text(parts):
                return self._text(parts, location, hops)
            case Reference(steps):
                return self._reference(steps, location, hops)
            case Sequence(items):
                return Items(tuple(self.of(item, hops + 1) for item in items), location)
            case Record(entries):
                fields = {key: self.of(value, hops + 1) for key, value in entries if key is not None}
                return Fields(fields, location, all(key is not None for key, _ in entries))
            case Call(name, arguments, spread=spread):
                return self._call(name, arguments, location, hops, spread=spread)
        return Value(None, location, self._read(expression, hops))

    def block(self, block: Block) -> Fields:
        """
        Evaluate all that stands in a block; the blocks of one kind become a list.
        """
        fields: dict[str, Data] = {name: self.of(value) for name, value in block.attributes.items()}
        found: dict[str, list[Data]] = {}
        open_ended: set[str] = set()
        for inner in block.blocks:
            kind = inner.kind
            if kind == "dynamic" and inner.labels:
                # How many of them there are, and what the iterator stands for, is not known.
                kind = inner.labels[0]
                open_ended.add(kind)
                contents = [self.block(content) for content in inner.inner("content")]
                found.setdefault(kind, []).extend(replace(content, complete=False) for content in contents)
            else:
                found.setdefault(kind, []).append(self.block(inner))
        for kind, members in found.items():
            fields[kind] = Items(tuple(members), block.location, kind not in open_ended)
        return Fields(fields, block.location)

    def named(self, kind: str, name: str, expression: Expression, hops: int) -> Data:
        """
        Evaluate what a local, an output or a variable's default stands for, once.
        """
        key = (kind, name)
        if key not in self._found:
            self._found[key] = Value(None, expression.location)
            data = self.of(expression, hops + 1)
            small = _size(data, _MOST_VALUES) <= _MOST_VALUES
            self._found[key] = data if small else Value(None, expression.location)
        return self._found[key]

    def _text(self, parts: tuple[str | Expression, ...], location: Location, hops: int) -> Data:
        if len(parts) == 1 and not isinstance(parts[0], str):
            # "${x}" is x.
            return self.of(parts[0], hops + 1)
        texts: list[str] = []
        names: dict[str, None] = {}
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            inner = self.of(part, hops + 1)
            texts.append(inner.text if isinstance(inner, Value) and inner.text is not None else HOLE)
            names.update(dict.fromkeys(_names(inner)))
        text = "".join(texts)[:_MOST_CHARACTERS]
        return Value(text if text.replace(HOLE, "") or not text else None, location, tuple(names))

    def _reference(self, steps: tuple[str | None, ...], location: Location, hops: int) -> Data:
        unknown = Value(None, location, (self._name(steps),))
        match steps:
            case ("var", str(name), *rest):
                return _follow(self._variable(name, location, hops), rest, unknown)
            case ("local", str(name), *rest) if name in self.module.locals:
                return _follow(self.named("local", name, self.module.locals[name], hops), rest, unknown)
            case ("module", str(name), str(output), *rest) if name in self.calls:
                child = self.calls[name]
                block = child.module.outputs.get(output)
                if block is not None and "value" in block.attributes:
                    return _follow(child.named("output", output, block.attributes["value"], hops), rest, unknown)
            case ("path", "module" | "root" | "cwd" as which):
                return Value(self._folder() if which == "module" else ".", location)
            case ("each", "key" | "value" as which, *rest) if self.each is not None:
                return _follow(self.each[which == "value"], rest, unknown)
        return unknown

    def _folder(self) -> str:
        # As Terraform does, from the folder of the module that is deployed.
        top = self
        while top.caller is not None:
            top = top.caller
        return posixpath.relpath(self.module.folder or ".", top.module.folder or ".")

    def _variable(self, name: str, location: Location, hops: int) -> Data:
        unknown = Value(None, location, (f"var.{name}",))
        if self.caller is not None and name in self.arguments:
            return self.caller.of(self.arguments[name], hops + 1)
        if self.caller is None and name in self.module.settings:
            given = self.module.settings[name]
            return self.of(given, hops + 1) if given is not None else unknown
        block = self.module.variables.get(name)
        default = block.attributes.get("default") if block is not None else None
        if default is None:
            return unknown
        data = self.named("var", name, default, hops)
        # A deployment may give another value, unless a module's call leaves it out.
        return _assumed(data, f"var.{name}") if self.caller is None else data

    def _call(
        self, name: str, arguments: tuple[Expression, ...], location: Location, hops: int, *, spread: bool
    ) -> Data:
        given = [self.of(argument, hops + 1) for argument in arguments]
        if name in _SAME and len(given) == 1:
            return given[0]
        if name == "merge" and given and all(isinstance(each, Fields) for each in given):
            merged = [each for each in given if isinstance(each, Fields)]
            fields = {key: value for each in merged for key, value in each.fields.items()}
            return Fields(fields, location, all(each.complete for each in merged) and not spread)
        if name == "merge":
            # What comes after may overwrite what is known of the rest.
            names = [key for each in given if isinstance(each, Fields) for key in each.fields]
            return Fields({key: Value(None, location) for key in names}, location, complete=False)
        if name == "concat" and not spread:
            whole = all(isinstance(each, Items) and each.complete for each in given)
            return Items(tuple(item for each in given for item in _members(each)), location, whole)
        return Value(None, location, tuple(name for each in given for name in _names(each)))

    def _read(self, expression: Expression, hops: int) -> tuple[str, ...]:
        return tuple(name for inner in children(expression) for name in _names(self.of(inner, hops + 1)))

    def _name(self, steps: tuple[str | None, ...]) -> str:
        written = ".".join(step if step is not None else "*" for step in steps)
        return written if steps[0] in ("var", "local", "each", "count", "path") else f"{self.prefix}{written}"


def _follow(data: Data, steps: Iterable[str | None], unknown: Value) -> Data:
    for step in steps:
        match data:
            case Fields() if step is not None and step in data.fields:
                data = data.fields[step]
            case Items() if step is not None and step.isdecimal() and int(step) < len(data.items) and data.complete:
                data = data.items[int(step)]
            case Value(text=None):
                # What an unknown value has in it is made of the same things.
                return data
            case _:
                return Value(None, unknown.location, _names(data) or unknown.names)
    return data


def _members(data: Data) -> tuple[Data, ...]:
    return data.items if isinstance(data, Items) else (data,)


def _size(data: Data, most: int) -> int:
    count, waiting = 0, [data]
    while waiting and count <= most:
        current = waiting.pop()
        count += 1
        if isinstance(current, Items):
            waiting.extend(current.items)
        elif isinstance(current, Fields):
            waiting.extend(current.fields.values())
    return count


def _names(data: Data) -> tuple[str, ...]:
    match data:
        case Value():
            return data.names
        case Items():
            return tuple(name for item in data.items for name in _names(item))
        case Fields():
            return tuple(name for item in data.fields.values() for name in _names(item))


def _assumed(data: Data, name: str) -> Data:
    match data:
        case Value():
            return replace(data, names=(name, *data.names))
        case Items():
            return replace(data, items=tuple(_assumed(item, name) for item in data.items))
        case Fields():
            return replace(data, fields={key: _assumed(item, name) for key, item in data.fields.items()})
