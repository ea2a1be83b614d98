from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from warmline.check.infra import yaml


def nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    if isinstance(node, yaml.Sequence):
        for item in node.items:
            yield from nodes(item)
    elif isinstance(node, yaml.Mapping):
        for pair in node.pairs:
            for part in pair:
                yield from nodes(part)


def get(text: str, *path: str) -> yaml.Node | None:
    node = yaml.read("t.yaml", text.encode()).root
    for name in path:
        assert isinstance(node, yaml.Mapping)
        node = node.get(name)
    return node


@pytest.mark.parametrize(
    "data",
    [
        b"a: 1\nb:\n  - x\n  - {c: 'y', d: \"z\"}\n",
        "ä: é\nb: 'ü x'\nemoji: 😀 # 😀\nc: [ß, 1]\n".encode(),
        b"a: 1\r\nb:\r\n  c: 2\r\n",
        b"\xef\xbb\xbfa: 1\nb: 2\n",
        b'{"a": [1, {"b": "c"}],\n\t"d": "e"}',
    ],
)
def test_every_scalar_is_where_its_location_says(data: bytes) -> None:
    document = yaml.read("t.yaml", data)
    assert document.root is not None
    scalars = [node for node in nodes(document.root) if isinstance(node, yaml.Scalar)]
    assert len(scalars) >= 4
    lines = data.decode("utf-8-sig").split("\n")
    for scalar in scalars:
        at = document.at(scalar)
        written = data[at.start : at.end].decode()
        assert written.strip("'\"") == scalar.text
        assert lines[at.line - 1][at.column - 1 :].startswith(written)
        assert (at.end_line, at.end_column) == (at.line, at.column + len(written))


def test_a_block_ends_with_the_last_thing_in_it() -> None:
    data = b"a:\n  b: 1\n  c: [x,\n    y]\n\n# later\nd: 2\n"
    document = yaml.read("t.yaml", data)
    assert isinstance(document.root, yaml.Mapping)
    inner = document.root.get("a")
    assert inner is not None
    at = document.at(inner)
    assert data[at.start : at.end] == b"b: 1\n  c: [x,\n    y]"


def test_tags_are_kept_as_they_are_written() -> None:
    node = get("a: !Sub '${X}-y'\n", "a")
    assert isinstance(node, yaml.Scalar)
    assert (node.tag, node.text) == ("!Sub", "${X}-y")
    node = get("a: !GetAtt [B, Arn]\n", "a")
    assert isinstance(node, yaml.Sequence)
    assert node.tag == "!GetAtt"


def test_a_null_is_as_if_it_were_not_there_and_a_quoted_one_is_a_text() -> None:
    assert get("a:\nb: ~\n", "a") is None
    assert get("a:\nb: ~\n", "b") is None
    node = get("a: ''\n", "a")
    assert isinstance(node, yaml.Scalar)
    assert node.text == ""


def test_merged_keys_come_after_own_ones() -> None:
    text = "base: &base {x: 1, y: 2}\na:\n  <<: *base\n  y: 3\nb:\n  <<: [*base, {z: 4}]\n"
    for path, expected in ((("a", "x"), "1"), (("a", "y"), "3"), (("b", "z"), "4"), (("b", "y"), "2")):
        node = get(text, *path)
        assert isinstance(node, yaml.Scalar)
        assert node.text == expected


def test_halves_of_a_character_in_json_are_read_and_move_nothing() -> None:
    data = json.dumps({"a": "😀", "b": "later"}).encode()
    document = yaml.read("t.json", data)
    assert document.problem is None
    assert isinstance(document.root, yaml.Mapping)
    later = document.root.get("b")
    assert later is not None
    at = document.at(later)
    assert data[at.start : at.end] == b'"later"'


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n".encode()
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (BOMB, "it has more than 1,000,000 parts, with what its aliases stand for"),
        (b"a: &a [*a]", "the alias *a stands within what it means"),
        (b"a: *b", "it has an alias *b without an anchor"),
        (b"\ta: 1", "it can't be parsed as YAML: found character that cannot start any token in line 1"),
        (b"a: {{ x }}-{{ y }}", "it can't be parsed as YAML: did not find expected key in line 1"),
        (b"{% if x %}\na: 1\n{% endif %}", "it can't be parsed as YAML: "),
        (b"[" * 200_000, "it can't be parsed as YAML: exceeded maximum nesting depth in line 1"),
        (b"[" * 150 + b"]" * 150, "it is nested more than 100 levels deep"),
        (b"a: \x00", "it can't be parsed as YAML: unacceptable character #x0000"),
        (b"a: \xff", "it is not UTF-8: byte 3"),
        (b"a: 1" + b" " * 10_000_000, "it is larger than 10 MB"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_what_cannot_be_read_is_a_problem_of_one_line(data: bytes, problem: str) -> None:
    document = yaml.read("t.yaml", data)
    assert document.root is None
    assert document.problem is not None
    assert document.problem.startswith(problem)
    assert "\n" not in document.problem


def test_levels_are_counted_through_aliases() -> None:
    levels = b"a0: &a0 [x]\n" + b"".join(f"a{n}: &a{n} [*a{n - 1}]\n".encode() for n in range(1, 120))
    assert yaml.read("t.yaml", levels).problem == "it is nested more than 100 levels deep"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: 1\nb: 2\na: 3\n", "the key 'a' stands twice in one mapping; the last is read"),
        (b"---\na: 3\n---\nb: 1\n", "it holds several documents, of which only the first is read"),
    ],
)
def test_what_can_be_read_in_part_is_read_and_named(data: bytes, problem: str) -> None:
    document = yaml.read("t.yaml", data)
    assert isinstance(document.root, yaml.Mapping)
    node = document.root.get("a")
    assert isinstance(node, yaml.Scalar)
    assert node.text == "3"
    assert document.problem == problem


def test_keys_that_are_no_texts_are_passed_over() -> None:
    document = yaml.read("t.yaml", b"? [a, b]\n: 1\n? {c: d}\n: 2\ne: 3\n")
    assert isinstance(document.root, yaml.Mapping)
    assert [key.text for key, _ in document.root] == ["e"]


def test_an_empty_file_has_neither_a_root_nor_a_problem() -> None:
    document = yaml.read("t.yaml", b"# nothing\n")
    assert (document.root, document.problem) == (None, None)
