from __future__ import annotations

from pathlib import Path

import pytest

from warmline.lab.errors import UnusableFunction
from warmline.lab.own.handler import find_handler

FILES = {
    "app.py": "def lambda_handler(event, context): ...",
    "async_one.py": "import asyncio\n\nasync def handler(event, context): ...",
    "assigned.py": "from warmline import handler\n\nlambda_handler = handler(print)",
    "both.py": "def handler(event, context): ...\nlambda_handler = handler",
    "neither.py": "from warmline import handler\n\ndef main(event, context): ...",
    "broken.py": "def lambda_handler(:",
    "shop/__init__.py": "",
    "shop/orders.py": "def find(event, context): ...\nhandler: object = find",
}


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "folder", "expected"),
    [
        ("app.lambda_handler", None, (".", "app.lambda_handler")),
        ("shop.orders.find", None, (".", "shop.orders.find")),
        ("shop/orders.find", None, (".", "shop/orders.find")),
        ("orders.find", "shop", ("shop", "orders.find")),
        # What is installed is found too, as if from a layer.
        ("pymongo.mongo_client.MongoClient", None, (".", "pymongo.mongo_client.MongoClient")),
        ("app.py", None, (".", "app.lambda_handler")),
        ("./async_one.py", None, (".", "async_one.handler")),
        ("assigned.py", None, (".", "assigned.lambda_handler")),
        ("shop/orders.py", None, ("shop", "orders.handler")),
        ("shop/orders.py", ".", (".", "shop.orders.handler")),
    ],
)
def test_a_handler_is_found(code: Path, text: str, folder: str | None, expected: tuple[str, str]) -> None:
    found, handler = find_handler(text, Path(folder) if folder else None)
    assert (str(found), handler) == expected


@pytest.mark.parametrize(
    ("text", "folder", "says"),
    [
        ("app", None, "'app' is no handler: name the module and the function in it, as app.lambda_handler"),
        ("", None, "'' is no handler"),
        (".app.handler", None, "is no handler"),
        ("../app.handler", None, "is no handler"),
        ("app.", None, "is no handler"),
        ("missing.handler", None, "there is no module missing in /.*: name the folder that it is in with --code"),
        ("shop.missing.find", None, "there is no module shop.missing in"),
        ("app.lambda_handler", "nowhere", "the code folder is no folder: nowhere"),
        ("missing.py", None, "there is no file missing.py"),
        ("both.py", None, "both.py has both lambda_handler and handler: name the one you mean, as both.lambda_handler"),
        ("neither.py", None, "neither.py has neither lambda_handler nor handler at"),
        ("broken.py", None, "broken.py is not Python: .*line 1"),
        ("app.py", "shop", "app.py is not in the code folder shop"),
    ],
)
def test_what_is_no_handler_is_told_in_one_line(code: Path, text: str, folder: str | None, says: str) -> None:
    with pytest.raises(UnusableFunction, match=says) as caught:
        find_handler(text, Path(folder) if folder else None)
    assert "\n" not in str(caught.value)
