"""
HCL's text, read into Terraform's syntax.

The grammar gives no heredoc's or template's white space: texts are taken from the bytes between its nodes.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING

from ...location import Location
from ...source.tree import at, text
from .syntax import Block, Call, Expression, File, Other, Record, Reference, Sequence, Text

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# Nothing that people write is nested deeper, and what is must not end the run.
_DEEPEST = 60

_ESCAPE = re.compile(r"\\(?:[nrt\"\\]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")


def read_hcl(path: str, data: bytes) -> File:
    """
    Read one file, ``.tf`` or ``.tfvars``.
    """
    root = _parser().parse(data).root_node
    reader = _Reader(path, data)
    return File(path, reader.block("file", (), root, Location(path), 0), _problem(root))


def read_template(written: str, location: Location) -> Expression:
    """
    Read a text of Terraform's JSON form, in which ``${…}`` stands for an expression.

    :param location: given to all that is in it.
    """
    if "${" not in written and "%{" not in written:
        return Text((written,), location)
    data = f"x = {json.dumps(written, ensure_ascii=False)}\n".encode("utf-8", "replace")
    top = _Reader(location.path, data, location).block("file", (), _parser().parse(data).root_node, location, 0)
    return top.attributes.get("x", Other((), location))


@functools.cache
def _parser() -> Parser:
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_hcl.language()))


def _problem(root: Node) -> str | None:
    if not root.has_error:
        return None
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            return f"line {node.start_point[0] + 1} can't be parsed as HCL; the block that it stands in is left out"
        stack.extend(reversed([child for child in node.children if child.has_error or child.is_missing]))
    return "can't be parsed as HCL in full"


class _Reader:
    def __init__(self, path: str, data: bytes, location: Location | None = None) -> None:
        self._path = path
        self._data = data
        self._location = location

    def _at(self, node: Node, last: Node | None = None) -> Location:
        return self._location or at(self._path, self._data, node, last)

    def block(self, kind: str, labels: tuple[str, ...], node: Node, location: Location, depth: int) -> Block:
        attributes: dict[str, Expression] = {}
        blocks: list[Block] = []
        bodies = [child for child in node.children if child.type == "body"]
        members = [member for body in bodies for member in body.named_children]
        for member in members if depth < _DEEPEST else ():
            if member.has_error:
                continue
            if member.type == "attribute":
                name, value = member.named_children[0], member.named_children[-1]
                attributes[text(name)] = self.expression(value, depth + 1)
            elif member.type == "block":
                blocks.append(self._inner_block(member, depth + 1))
        return Block(
            kind=kind,
            labels=labels,
            attributes=attributes,
            blocks=tuple(blocks),
            location=location,
            inside=self._inside(node),
            indent=members[0].start_point[1] if members else 2,
        )

    def _inner_block(self, node: Node, depth: int) -> Block:
        head = [child for child in node.children if child.type in ("identifier", "string_lit")]
        names = [text(child).strip('"') for child in head]
        return self.block(names[0], tuple(names[1:]), node, self._at(node, head[-1]), depth)

    def _inside(self, node: Node) -> Location | None:
        brace = next((child for child in node.children if child.type == "block_start"), None)
        if brace is None:
            return None
        end = self._data.find(b"\n", brace.end_byte) + 1
        if not end or self._data[brace.end_byte : end].strip():
            return None
        line = brace.end_point[0] + 2
        return Location(self._path, line, 1, line, 1, end, end)

    def expression(self, node: Node, depth: int) -> Expression:
        location = self._at(node)
        if depth > _DEEPEST:
            return Other((), location)
        parts = [child for child in node.named_children if child.type != "comment"]
        match node.type:
            case "expression" if parts and parts[0].type == "variable_expr":
                return self._reference(parts, location, depth)
            # `f(x).y` and `[…][0]`, which have more parts, are not followed.
            case "expression" | "literal_value" | "collection_value" | "template_expr" if len(parts) == 1:
                return self.expression(parts[0], depth + 1)
            case "variable_expr":
                return Reference((text(node),), location)
            case "numeric_lit" | "bool_lit" | "null_lit":
                return Text((text(node),), location)
            case "operation" if text(node).startswith("-") and text(node)[1:].strip().isdecimal():
                return Text(("-" + text(node)[1:].strip(),), location)
            case "string_lit" | "quoted_template":
                return self._text(node, node.start_byte + 1, node.end_byte - 1, depth, quoted=True)
            case "heredoc_template":
                return self._heredoc(node, depth)
            case "tuple":
                items = (self.expression(child, depth + 1) for child in parts if child.type == "expression")
                return Sequence(tuple(items), location)
            case "object":
                pairs = [child.named_children for child in parts if child.type == "object_elem"]
                return Record(
                    tuple((self._key(pair[0]), self.expression(pair[-1], depth + 1)) for pair in pairs), location
                )
            case "function_call" if parts:
                return self._call(node, parts, location, depth)
        return self._other(node, depth)

    def _reference(self, parts: list[Node], location: Location, depth: int) -> Expression:
        steps: list[str | None] = [text(parts[0])]
        stack = list(reversed(parts[1:]))
        while stack:
            part = stack.pop()
            match part.type:
                case "get_attr":
                    steps.append(text(part.named_children[-1]))
                case "new_index":
                    inner = self.expression(part.named_children[-1], depth + 1)
                    literal = isinstance(inner, Text) and all(isinstance(piece, str) for piece in inner.parts)
                    steps.append(text(part.named_children[-1]).strip('"') if literal else None)
                case "legacy_index":
                    steps.append(text(part)[1:])
                case "attr_splat" | "full_splat":
                    steps.append(None)
                    stack.extend(reversed(part.named_children))
                case _:
                    stack.extend(reversed(part.named_children))
        return Reference(tuple(steps), location)

    def _key(self, node: Node) -> str | None:
        written = text(node)
        if written.startswith("(") or "${" in written:
            return None
        return written.strip('"')

    def _call(self, node: Node, parts: list[Node], location: Location, depth: int) -> Call:
        given = [child for part in parts if part.type == "function_arguments" for child in part.named_children]
        arguments = tuple(self.expression(child, depth + 1) for child in given if child.type == "expression")
        return Call(text(parts[0]), arguments, location, any(child.type == "ellipsis" for child in given))

    def _other(self, node: Node, depth: int) -> Other:
        found: list[Expression] = []
        stack = [(child, depth) for child in node.named_children]
        while stack:
            child, level = stack.pop()
            if child.type in ("expression", "variable_expr"):
                found.append(self.expression(child, depth + 1))
            elif level < _DEEPEST:
                stack.extend((inner, level + 1) for inner in child.named_children)
        return Other(tuple(found), self._at(node))

    def _heredoc(self, node: Node, depth: int) -> Text:
        # The first line names the delimiter, the last one repeats it.
        start = self._data.find(b"\n", node.start_byte, node.end_byte) + 1 or node.end_byte
        last = node.children[-1] if node.children else node
        return self._text(node, start, max(start, last.start_byte), depth, quoted=False)

    def _text(self, node: Node, start: int, end: int, depth: int, *, quoted: bool) -> Text:
        parts: list[str | Expression] = []
        for child in node.named_children:
            if child.type not in ("template_interpolation", "template_directive"):
                continue
            parts.append(self._written(start, child.start_byte, quoted=quoted))
            inner = [found for found in child.named_children if found.type == "expression"]
            whole = child.type == "template_interpolation" and len(inner) == 1
            parts.append(self.expression(inner[0], depth + 1) if whole else self._other(child, depth + 1))
            start = child.end_byte
        parts.append(self._written(start, end, quoted=quoted))
        return Text(tuple(part for part in parts if part != ""), self._at(node))

    def _written(self, start: int, end: int, *, quoted: bool) -> str:
        written = self._data[start:end].decode("utf-8", "replace")
        if quoted:
            written = _ESCAPE.sub(_unescaped, written)
        return written.replace("$${", "${").replace("%%{", "%{")


def _unescaped(match: re.Match[str]) -> str:
    written = match.group()
    if written[1] in "uU":
        code = int(f"0x{written[2:]}", 0)
        return chr(code) if code < 0x110000 else written
    return {"n": "\n", "r": "\r", "t": "\t"}.get(written[1], written[1])
