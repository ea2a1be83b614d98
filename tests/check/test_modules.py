from __future__ import annotations

from warmline.check.location import Location
from warmline.check.modules import Modules
from warmline.check.source.facts import CodeFacts, Import


def facts(path: str, *modules: str, language: str = "javascript") -> CodeFacts:
    here = Location(path)
    return CodeFacts(path=path, language=language, imports=tuple(Import("x", name, None, here) for name in modules))


def reached(start: str, *code: CodeFacts) -> list[str]:
    return [each.path for each in Modules(code).reached_from(start)]


def test_imports_are_followed_through_files_and_in_circles() -> None:
    code = (facts("a.js", "./b"), facts("b.js", "./lib/c"), facts("lib/c.js", "../a"), facts("d.js", "./a"))
    assert reached("a.js", *code) == ["a.js", "b.js", "lib/c.js"]


def test_a_folder_s_own_module_is_meant_by_the_folder() -> None:
    assert reached("a.ts", facts("a.ts", "./db"), facts("db/index.ts")) == ["a.ts", "db/index.ts"]
    python = (facts("a.py", "db", language="python"), facts("db/__init__.py", language="python"))
    assert reached("a.py", *python) == ["a.py", "db/__init__.py"]


def test_a_package_s_name_is_no_file_beside_it() -> None:
    assert reached("a.js", facts("a.js", "mongodb"), facts("mongodb.js")) == ["a.js"]


def test_a_folder_of_go_is_one_package() -> None:
    code = (facts("f/main.go", language="go"), facts("f/db.go", language="go"), facts("g/db.go", language="go"))
    assert reached("f/main.go", *code) == ["f/main.go", "f/db.go"]


def test_a_file_that_is_not_among_them_reaches_nothing() -> None:
    assert reached("x.js", facts("a.js")) == []
