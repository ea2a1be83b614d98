"""
A Python function's handler: from what somebody types to the code folder and the name that Lambda takes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from __future__ import annotations

import ast
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from ..errors import UnusableFunction

# What a handler is called where nobody says: AWS's template for Python, and the name that other languages use.
_NAMES = ("lambda_handler", "handler")

_NODE_ENDINGS = (".js", ".mjs", ".cjs")

# Modules and a function, with dots between them; the runtime client takes slashes for the modules too.
_HANDLER = re.compile(r"[^\W\d]\w*([./][^\W\d]\w*)*\.[^\W\d]\w*")


def find_handler(text: str, code: Path | None = None) -> tuple[Path, str]:
    """
    Return the code folder and the handler, ``app.lambda_handler``.

    :param text: the handler, or the path of a file with one handler in it
    :param code: the code folder; by default this one, or the file's
    :raises UnusableFunction: there is no such module, or the text is no handler and names none.
    """
    if text.endswith(".py"):
        return _in_file(Path(text), code)
    code = Path() if code is None else code
    if not _HANDLER.fullmatch(text):
        raise UnusableFunction(f"{text!r} is no handler: name the module and the function in it, as app.lambda_handler")
    if not code.is_dir():
        raise UnusableFunction(f"the code folder is no folder: {code}; name the one with the handler's module")
    module = text.rpartition(".")[0].replace("/", ".")
    if not _is_there(module, code):
        raise UnusableFunction(
            f"there is no module {module} in {code.resolve()}: name the folder that it is in with --code, or another "
            "handler"
        )
    return code, text


def find_node_handler(text: str, code: Path) -> None:
    """
    Check that a Node.js handler's file is there.

    :param text: ``index.handler``, or ``src/orders.find`` in a folder
    :raises UnusableFunction: it is not, or the text is no handler.
    """
    file, dot, function = text.rpartition(".")
    if not dot or not file or not function:
        raise UnusableFunction(f"{text!r} is no handler: name the file and the function in it, as index.handler")
    if not any((code / f"{file}{ending}").is_file() for ending in _NODE_ENDINGS):
        raise UnusableFunction(
            f"there is no {file}.js, .mjs or .cjs in {code.resolve()}: build it, or name its folder with --code"
        )


def _is_there(module: str, code: Path) -> bool:
    """
    Whether a module is in the folder, or is part of what is installed, as a layer would be.
    """
    search = [str(code.resolve())]
    for number, part in enumerate(module.split(".")):
        found = PathFinder.find_spec(part, search) or (PathFinder.find_spec(part, sys.path) if number == 0 else None)
        if found is None:
            return False
        search = list(found.submodule_search_locations or ())
    return True


def _in_file(file: Path, code: Path | None) -> tuple[Path, str]:
    if not file.is_file():
        raise UnusableFunction(f"there is no file {file}: give the handler, as app.lambda_handler, or a file's path")
    code = file.parent if code is None else code
    try:
        parts = file.resolve().relative_to(code.resolve()).with_suffix("").parts
    except ValueError:
        raise UnusableFunction(f"{file} is not in the code folder {code}: name its own") from None
    module = ".".join(parts)
    found = [name for name in _top_level(file) if name in _NAMES]
    if len(found) == 1:
        return code, f"{module}.{found[0]}"
    problem = (
        "has both lambda_handler and handler" if found else "has neither lambda_handler nor handler at its top level"
    )
    raise UnusableFunction(f"{file} {problem}: name the one you mean, as {module}.lambda_handler")


def _top_level(file: Path) -> list[str]:
    """
    The names that a module itself defines.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise UnusableFunction(f"{file} is not Python: {error}") from None
    names = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return list(dict.fromkeys(names))
