"""
Fixes: what they change, what they leave, and where there is none.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter

import pytest

from warmline.check.fix import apply_fixes, diff
from warmline.check.read import read_project
from warmline.check.rules import findings, rule
from warmline.check.source.languages import language_of
from warmline.check.source.read import parses

MOVE = (rule("WL101"),)

PYTHON_ARGUMENTS = (
    'os.environ["MONGODB_URI"]',
    'os.getenv("MONGODB_URI"), maxIdleTimeMS=60000',
    "URI",
    'f"mongodb+srv://{HOST}/", **OPTIONS',
    "host=URI, tls=True",
)

PYTHON_HANDLERS = (
    "def lambda_handler(event, context):\n    {line}\n    return client.name\n",
    "@tracer\ndef lambda_handler(event, context):\n    {line}\n    return client.name\n",
    'def lambda_handler(event, context):\n    """\n    Find.\n    """\n    {line}\n    return client.name\n',
    "async def lambda_handler(event, context):\n    # The client.\n    {line}\n    return await client.name\n",
    "def lambda_handler(event, context):\n    {line}  # one\n\n    return client.name\n",
)

PYTHON = """import os

from pymongo import MongoClient

URI = os.environ["MONGODB_URI"]
HOST = "cluster0.example.mongodb.net"
OPTIONS = {{"appName": "shop"}}


{handler}

def other():
    return 1
"""

SCRIPT_ARGUMENTS = (
    "process.env.MONGODB_URI",
    "uri",
    "uri, { maxIdleTimeMS: 60000 }",
    "`mongodb+srv://${host}/`, options",
)

SCRIPT_HANDLERS = (
    "exports.handler = async (event) => {{\n  {line}\n  return client.db('shop').name;\n}};\n",
    "exports.handler = async function (event, context) {{\n  {line} // one\n  return client.db('shop').name;\n}};\n",
    "export const handler = async (event) => {{\n  {line}\n\n  return client.db('shop').name;\n}};\n",
    "export async function handler(event) {{\n  // The client.\n  {line}\n  return client.db('shop').name;\n}}\n",
)

SCRIPT = """const {{ MongoClient }} = require('mongodb');

const uri = process.env.MONGODB_URI;
const host = 'cluster0.example.mongodb.net';
const options = {{ appName: 'shop' }};

{handler}
function other() {{
  return 1;
}}
"""

MOVED = [
    ("app.py", PYTHON.format(handler=handler.format(line=f"client = MongoClient({arguments})")))
    for arguments, handler in itertools.product(PYTHON_ARGUMENTS, PYTHON_HANDLERS)
] + [
    (path, SCRIPT.format(handler=handler.format(line=f"const client = new MongoClient({arguments});")))
    for path, arguments, handler in itertools.product(("app.js", "app.ts"), SCRIPT_ARGUMENTS, SCRIPT_HANDLERS)
]

PYTHON_HANDLER = "def lambda_handler(event, context):\n"

LEFT = {
    "it reads the event": PYTHON_HANDLER + "    client = MongoClient(event['uri'])\n    return client.name\n",
    "it reads a local name": PYTHON_HANDLER
    + "    uri = find()\n    client = MongoClient(uri)\n    return client.name\n",
    "it is closed": PYTHON_HANDLER + "    client = MongoClient(URI)\n    name = client.name\n    client.close()\n",
    "it stands in a block": PYTHON_HANDLER
    + "    if event:\n        client = MongoClient(URI)\n    return client.name\n",
    "it is made by with": PYTHON_HANDLER + "    with MongoClient(URI) as client:\n        return client.name\n",
    "the name is the module's": PYTHON_HANDLER
    + "    client = MongoClient(URI)\n    return client.name\n\n\nclient = None\n",
    "the name is given again": PYTHON_HANDLER + "    client = MongoClient(URI)\n    client = other(client)\n",
    "what it reads comes later": PYTHON_HANDLER
    + "    client = MongoClient(LATE)\n    return client.name\n\n\nLATE = URI\n",
    "it is all there is": PYTHON_HANDLER + "    client = MongoClient(URI)\n",
    "something else is in its line": PYTHON_HANDLER
    + "    client = MongoClient(URI); return client.name\n    return 1\n",
    "it goes over several lines": PYTHON_HANDLER
    + "    client = MongoClient(\n        URI\n    )\n    return client.name\n",
    "it stands in a helper": "def connect():\n    client = MongoClient(URI)\n    return client\n\n\n"
    + PYTHON_HANDLER
    + "    return connect().name\n",
}


@pytest.mark.parametrize(("path", "text"), MOVED, ids=[f"{number}-{path}" for number, (path, _) in enumerate(MOVED)])
def test_a_client_is_moved_to_module_level_and_nothing_else_changes(path: str, text: str) -> None:
    files = {path: text.encode()}
    fixed = apply_fixes(files, findings(read_project(files), MOVE))
    after = fixed.files[path]
    language = language_of(path)
    assert language is not None
    assert parses(after, language)
    assert findings(read_project({path: after}), MOVE) == ()
    assert Counter(map(str.strip, after.decode().split("\n"))) - Counter({"": 99}) == Counter(
        map(str.strip, text.split("\n"))
    ) - Counter({"": 99})


def test_what_is_moved_in_python_is_formatted_as_before() -> None:
    for path, text in MOVED:
        if path.endswith(".py"):
            files = {path: text.encode()}
            after = apply_fixes(files, findings(read_project(files), MOVE)).files[path]
            ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", path, "-"]
            formatted = subprocess.run(ruff, input=after, capture_output=True, check=True).stdout
            assert formatted == after


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT.keys())
def test_what_could_not_be_moved_safely_is_left(text: str) -> None:
    files = {"app.py": PYTHON.format(handler="").encode() + b"\n" + text.encode()}
    found = findings(read_project(files), MOVE)
    assert found
    assert apply_fixes(files, found).files == {}


def test_two_fixes_of_one_file_are_both_put_in() -> None:
    text = PYTHON.format(
        handler="".join(
            f"@app.get('/{name}')\ndef {name}(event, context):\n    {name}_client = MongoClient(URI)\n"
            f"    return {name}_client.name\n\n\n"
            for name in ("one", "two")
        )
    )
    files = {"app.py": text.encode()}
    fixed = apply_fixes(files, findings(read_project(files), MOVE))
    assert len(fixed.applied) == 2
    assert findings(read_project(fixed.files), MOVE) == ()


TEMPLATES = {
    "template.yaml": (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Orders:\n    Type: AWS::Serverless::Function\n"
        "    Properties:\n      Handler: app.lambda_handler\n      Runtime: python3.13\n      Environment:\n"
        "        Variables:\n          MONGODB_URI: !Ref Uri\n",
        "      MemorySize: 512",
    ),
    "serverless.yml": (
        "service: shop\nprovider:\n  name: aws\n  runtime: python3.13\nfunctions:\n  orders:\n"
        "    handler: app.lambda_handler\n    memorySize: 128 # small\n    environment:\n"
        "      MONGODB_URI: ${ssm:/shop/uri}\n",
        "    memorySize: 512 # small",
    ),
}


@pytest.mark.parametrize("path", TEMPLATES)
def test_memory_is_raised_and_nothing_else_changes(path: str) -> None:
    text, line = TEMPLATES[path]
    wanted = (rule("WL191"),)
    files = {path: text.encode()}
    after = apply_fixes(files, findings(read_project(files), wanted)).files[path]
    assert findings(read_project({path: after}), wanted) == ()
    removed, added = (Counter(each.split("\n")) for each in (text, after.decode()))
    assert list(added - removed) == [line]
    assert all("128" in gone for gone in removed - added)


STRINGS = {
    "app.py": 'from pymongo import MongoClient\n\nclient = MongoClient("{}")\n',
    "app.js": "const {{ MongoClient }} = require('mongodb');\nconst client = new MongoClient('{}');\n",
    "App.java": 'import com.mongodb.client.MongoClients;\nclass App {{ Object c = MongoClients.create("{}"); }}\n',
    "app.rb": "require 'mongo'\n$client = Mongo::Client.new('{}')\n",
}


@pytest.mark.parametrize("path", STRINGS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mongodb+srv://c.example.net", "mongodb+srv://c.example.net/?maxIdleTimeMS=60000"),
        ("mongodb+srv://c.example.net/shop", "mongodb+srv://c.example.net/shop?maxIdleTimeMS=60000"),
        ("mongodb+srv://c.example.net/?w=majority", "mongodb+srv://c.example.net/?w=majority&maxIdleTimeMS=60000"),
    ],
)
def test_an_option_is_added_to_a_literal_connection_string(path: str, before: str, after: str) -> None:
    files = {path: STRINGS[path].format(before).encode()}
    fixed = apply_fixes(files, findings(read_project(files), (rule("WL141"),)))
    assert fixed.files[path].decode() == STRINGS[path].format(after)


def test_a_connection_string_that_is_put_together_is_left() -> None:
    text = (
        "import os\nfrom pymongo import MongoClient\n\nclient = MongoClient(f\"mongodb+srv://{os.environ['HOST']}/\")\n"
    )
    files = {"app.py": text.encode()}
    assert apply_fixes(files, findings(read_project(files), (rule("WL141"),))).files == {}


def test_a_callback_handler_begins_with_the_flag() -> None:
    text = (
        "const { MongoClient } = require('mongodb');\nconst client = new MongoClient(process.env.URI);\n\n"
        "exports.handler = (event, context, callback) => {\n  client.db('a').stats(callback);\n};\n"
    )
    files = {"app.js": text.encode()}
    wanted = (rule("WL121"),)
    after = apply_fixes(files, findings(read_project(files), wanted)).files["app.js"]
    assert after.decode() == text.replace(
        "  client.db", "  context.callbackWaitsForEmptyEventLoop = false;\n  client.db"
    )
    assert findings(read_project({"app.js": after}), wanted) == ()


def test_a_diff_shows_what_changes() -> None:
    files = {"app.py": MOVED[0][1].encode()}
    lines = list(diff(files, apply_fixes(files, findings(read_project(files), MOVE))))
    assert [line.strip() for line in lines if line[0] in "+-" and line.strip("+-\n ")] == [
        "--- a/app.py",
        "+++ b/app.py",
        '+client = MongoClient(os.environ["MONGODB_URI"])',
        '-    client = MongoClient(os.environ["MONGODB_URI"])',
    ]
