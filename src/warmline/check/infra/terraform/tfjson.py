"""
Terraform's JSON: ``.tf.json`` with the same blocks as HCL, and what ``terraform show -json`` prints.

https://developer.hashicorp.com/terraform/language/syntax/json
https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from collections.abc import Iterator

from ...location import Location
from ...values import Value
from .. import yaml
from ..nodes import Mapping, Node, Scalar, Sequence, is_null
from .data import Data, Fields, Items, Resource
from .hcl import read_template
from .syntax import Block, Expression, File, Other, Record, Text
from .syntax import Sequence as List

# How many names stand before a block's content.
_LABELS = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1, "locals": 0}


def read_json(path: str, data: bytes) -> File:
    """
    Read a ``.tf.json`` or a ``.tfvars.json``.
    """
    document = yaml.read(path, data)
    top = document.root if isinstance(document.root, Mapping) else None
    blocks: list[Block] = []
    attributes: dict[str, Expression] = {}
    for key, node in top or ():
        if path.endswith(".tfvars.json"):
            attributes[key.text] = _expression(document, node)
        elif key.text in _LABELS:
            blocks.extend(_blocks(document, key.text, (), key, node))
    file = Block(kind="file", attributes=attributes, blocks=tuple(blocks), location=Location(path))
    return File(path, file, document.problem)


def _blocks(document: yaml.Document, kind: str, labels: tuple[str, ...], key: Scalar, node: Node) -> Iterator[Block]:
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _blocks(document, kind, labels, key, item)
    elif isinstance(node, Mapping) and len(labels) < _LABELS[kind]:
        for name, inner in node:
            yield from _blocks(document, kind, (*labels, name.text), name, inner)
    elif isinstance(node, Mapping):
        attributes = {name.text: _expression(document, inner) for name, inner in node}
        # How many blocks there are is not known, nor what is in them.
        dynamic = node.mapping("dynamic")
        attributes.update({name.text: Other((), document.at(name)) for name, _ in dynamic or ()})
        yield Block(kind=kind, labels=labels, attributes=attributes, location=document.at(key))


def _expression(document: yaml.Document, node: Node) -> Expression:
    location = document.at(node)
    match node:
        case Scalar(text, plain):
            return Text((text,), location) if plain else read_template(text, location)
        case Sequence(items):
            return List(tuple(_expression(document, item) for item in items), location)
        case Mapping():
            return Record(tuple((key.text, _expression(document, value)) for key, value in node), location)


def read_plan(document: yaml.Document) -> tuple[Resource, ...]:
    """
    Return the resources that a plan or a state holds.

    What a deployment decides, and what is marked as sensitive, is not known.
    """
    root = document.root
    if not isinstance(root, Mapping):
        return ()
    changes = root.get("resource_changes")
    unknown: dict[str, Node | None] = {}
    for each in changes.items if isinstance(changes, Sequence) else ():
        if isinstance(each, Mapping) and isinstance(address := each.get("address"), Scalar):
            change = each.mapping("change")
            unknown[address.text] = change.get("after_unknown") if change is not None else None
    state = root.mapping("planned_values") or root.mapping("values")
    module = state.mapping("root_module") if state is not None else None
    return tuple(_resources(document, module, unknown)) if module is not None else ()


def _resources(document: yaml.Document, module: Mapping, unknown: dict[str, Node | None]) -> Iterator[Resource]:
    resources, children = module.get("resources"), module.get("child_modules")
    for each in resources.items if isinstance(resources, Sequence) else ():
        if not isinstance(each, Mapping):
            continue
        address, kind, name = (each.get(key) for key in ("address", "type", "name"))
        if not (isinstance(address, Scalar) and isinstance(kind, Scalar) and isinstance(name, Scalar)):
            continue
        data = _data(document, each.get("values") or each, unknown.get(address.text), each.get("sensitive_values"))
        mode = each.get("mode")
        if isinstance(data, Fields):
            yield Resource(
                kind=kind.text,
                name=name.text,
                address=address.text,
                body=data,
                location=document.at(address),
                data=isinstance(mode, Scalar) and mode.text == "data",
            )
    for child in children.items if isinstance(children, Sequence) else ():
        if isinstance(child, Mapping):
            yield from _resources(document, child, unknown)


def _data(document: yaml.Document, node: Node, *hidden: Node | None) -> Data:
    location = document.at(node)
    if any(isinstance(each, Scalar) and each.text == "true" for each in hidden):
        return Value(None, location)
    match node:
        case Scalar(text):
            return Value(text, location)
        case Sequence(items):
            lists = [each.items for each in hidden if isinstance(each, Sequence)]
            members = [
                _data(document, item, *(each[index] for each in lists if index < len(each)))
                for index, item in enumerate(items)
            ]
            return Items(tuple(members), location, all(len(each) <= len(items) for each in lists))
        case Mapping():
            fields: dict[str, Data] = {}
            maps = [each for each in hidden if isinstance(each, Mapping)]
            # What is not known before the deployment is left out of the values.
            for key, each in (pair for mapping in maps for pair in mapping):
                if isinstance(each, Scalar) and each.text == "true":
                    fields[key.text] = Value(None, location)
            for key, value in node:
                if not is_null(value):
                    fields[key.text] = _data(document, value, *(mapping.get(key.text) for mapping in maps))
            return Fields(fields, location)
