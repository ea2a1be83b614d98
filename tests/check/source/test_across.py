from __future__ import annotations

from textwrap import dedent

import pytest

from warmline.check.finding import Confidence
from warmline.check.read import read_project
from warmline.check.rules import findings, rule
from warmline.check.source.facts import Client, Lifetime


def in_files(files: dict[str, str]) -> list[Client]:
    project = read_project({path: dedent(code).encode() for path, code in files.items()})
    return [client for facts in project.code for client in facts.clients]


DB = """
from pymongo import MongoClient

def connect():
    return MongoClient(URI)

class Database:
    def __init__(self):
        self.client = MongoClient(URI)
"""

HANDLER = "def lambda_handler(event, context):\n    {}"


def lifetime(caller: str, *, path: str = "app/handler.py", db: str = DB) -> Lifetime:
    """
    How often the client of connect() is constructed.
    """
    found = in_files({"app/db.py": db, "app/__init__.py": "", path: caller})
    return next(client.lifetime for client in found if client.function == "connect")


@pytest.mark.parametrize(
    "caller",
    [
        "from db import connect\n" + HANDLER.format("connect()"),
        "from .db import connect\n" + HANDLER.format("connect()"),
        "from app.db import connect as get\n" + HANDLER.format("get()"),
        "import db\n" + HANDLER.format("db.connect()"),
        "import app.db\n" + HANDLER.format("app.db.connect()"),
        "from app import db\n" + HANDLER.format("db.connect()"),
        "from . import db as database\n" + HANDLER.format("database.connect()"),
        "from db import *\n" + HANDLER.format("connect()"),
        "from db import connect\ndef load():\n    return connect()\n" + HANDLER.format("load()"),
    ],
)
def test_python_a_handler_in_another_file_calls_it_in_every_invocation(caller: str) -> None:
    assert lifetime(caller) is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(
    "caller",
    [
        "from db import connect\n" + HANDLER.format("pass"),
        "from elsewhere import connect\n" + HANDLER.format("connect()"),
        "from db import connect\nc = None\n" + HANDLER.format("global c\n    if c is None:\n        c = connect()"),
        "from db import connect\n" + HANDLER.format("event.connect()"),
        "from db import connect\ndef load():\n    return connect()\n",
        "from db import connect\nclient = connect()\ndef load():\n    return connect()\n",
    ],
)
def test_python_what_no_handler_is_seen_to_call_stays_unknown(caller: str) -> None:
    assert lifetime(caller) is Lifetime.UNKNOWN


def test_python_what_is_called_only_where_a_module_is_loaded_happens_once() -> None:
    assert lifetime("from db import connect\nclient = connect()\n" + HANDLER.format("client.shop")) is Lifetime.ONCE


def test_python_a_function_that_is_handed_what_keeps_the_client_stays_unknown() -> None:
    db = "from pymongo import MongoClient\n\ndef connect(cache):\n    cache.client = MongoClient(URI)\n"
    assert lifetime("from db import connect\n" + HANDLER.format("connect({})"), db=db) is Lifetime.UNKNOWN


def test_python_a_cached_function_is_no_matter_for_its_callers() -> None:
    db = "from functools import cache\n" + DB.replace("def connect", "@cache\ndef connect")
    assert lifetime("from db import connect\n" + HANDLER.format("connect()"), db=db) is Lifetime.ONCE


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("from db import Database\n" + HANDLER.format("Database()"), Lifetime.PER_INVOCATION),
        ("import db\n" + HANDLER.format("db.Database()"), Lifetime.PER_INVOCATION),
        ("from db import Database\ndatabase = Database()\n" + HANDLER.format("database"), Lifetime.ONCE),
        ("from db import Database\n", Lifetime.UNKNOWN),
    ],
)
def test_python_an_object_s_client_is_constructed_as_often_as_another_file_makes_the_object(
    caller: str, expected: Lifetime
) -> None:
    found = in_files({"db.py": DB, "handler.py": caller})
    assert [client.lifetime for client in found if client.function == "__init__"] == [expected]


def test_the_way_goes_through_files_that_have_nothing_to_do_with_mongodb_and_names_each() -> None:
    files = {
        "handler.py": "from orders import load\n" + HANDLER.format("return load()"),
        "orders.py": "from db import connect\n\ndef load():\n    return connect().shop\n",
        "db.py": DB,
    }
    project = read_project({path: code.encode() for path, code in files.items()})
    (finding,) = findings(project, (rule("WL101"),))
    assert finding.confidence is Confidence.MEDIUM
    assert [(step.text, step.location.path, step.location.line) for step in finding.path] == [
        ("lambda_handler", "handler.py", 2),
        ("load", "handler.py", 3),
        ("connect", "orders.py", 4),
        ("MongoClient", "db.py", 5),
    ]
    assert "handler.py" in finding.message


ROUTER = """
from fastapi import APIRouter, Depends
from .deps import get_db

router = APIRouter()

@router.get("/orders")
def orders(db=Depends(get_db)):
    return list(db.orders.find())
"""

DEPENDS = """
from pymongo import MongoClient

def get_db():
    return MongoClient(URI).shop
"""


@pytest.mark.parametrize(
    ("main", "expected"),
    [
        ("from mangum import Mangum\nhandler = Mangum(app)\n", Lifetime.PER_INVOCATION),
        ("import uvicorn\nuvicorn.run(app)  # not Mangum\n", Lifetime.UNKNOWN),
    ],
)
def test_python_routes_are_handlers_where_a_folder_above_hands_the_application_to_lambda(
    main: str, expected: Lifetime
) -> None:
    (client,) = in_files({"api/main.py": main, "api/routers/orders.py": ROUTER, "api/routers/deps.py": DEPENDS})
    assert client.lifetime is expected
    (client,) = in_files({"other/main.py": main, "api/routers/orders.py": ROUTER, "api/routers/deps.py": DEPENDS})
    assert client.lifetime is Lifetime.UNKNOWN


NODE = 'import {{ MongoClient }} from "mongodb";\n{}\n'


@pytest.mark.parametrize(
    ("db", "caller"),
    [
        ("export async function connect() { return new MongoClient(URI); }", 'import { connect } from "./db"; connect'),
        ("export const connect = () => new MongoClient(URI);", 'import { connect as get } from "./db.js"; get'),
        ("export default async function connect() { return new MongoClient(URI); }", 'import get from "./db"; get'),
        ("const connect = () => new MongoClient(URI);\nexport default connect;", 'import get from "./db"; get'),
        ("export default async () => new MongoClient(URI);", 'import get from "./db"; get'),
        ("module.exports = async () => new MongoClient(URI);", 'const get = require("./db"); get'),
        ("const connect = () => new MongoClient(URI);\nmodule.exports = connect;", 'const get = require("./db"); get'),
        ("exports.connect = () => new MongoClient(URI);", 'const { connect } = require("./db"); connect'),
        ("exports.connect = () => new MongoClient(URI);", 'const db = require("./db"); db.connect'),
        ("module.exports = { connect: () => new MongoClient(URI) };", 'const db = require("./db"); db.connect'),
        ("export class Db { constructor() { this.c = new MongoClient(URI); } }", 'import { Db } from "./db"; new Db'),
        (
            "class Db { connect() { return new MongoClient(URI); } }\nexport default new Db();",
            'import d from "./db"; d.connect',
        ),
    ],
)
@pytest.mark.parametrize("path", ["db.js", "db.ts", "db/index.js"])
def test_javascript_a_handler_calls_what_another_file_exports(db: str, caller: str, path: str) -> None:
    imports, _, call = caller.partition("; ")
    handler = f"{imports};\nexport const handler = async (event) => {{ await {call}(); }};"
    (client,) = in_files({path: NODE.format(db), "handler.js": handler})
    assert (client.lifetime, client.across_files) == (Lifetime.PER_INVOCATION, True)


def test_javascript_a_guard_in_either_file_leaves_it_alone() -> None:
    db = "let kept;\nexport const connect = async () => { if (!kept) { kept = new MongoClient(URI); } return kept; };"
    handler = 'import { connect } from "./db";\nexport const handler = async (event) => { await connect(); };'
    (client,) = in_files({"db.js": NODE.format(db), "handler.js": handler})
    assert client.lifetime is Lifetime.ONCE
    db = "export const connect = async () => new MongoClient(URI);"
    handler = """import { connect } from "./db";
        let kept;
        export const handler = async (event) => { if (!kept) { kept = await connect(); } };"""
    (client,) = in_files({"db.js": NODE.format(db), "handler.js": handler})
    assert client.lifetime is Lifetime.UNKNOWN


GO_DB = """package db

import "go.mongodb.org/mongo-driver/v2/mongo"

func Connect() (*mongo.Client, error) {
	return mongo.Connect()
}
"""

GO_MAIN = """package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"example.com/orders/db"
)

func handle() error {
	_, err := db.Connect()
	return err
}

func main() {
	lambda.Start(handle)
}
"""


def test_go_a_handler_calls_another_package_or_another_file_of_its_own() -> None:
    (client,) = in_files({"db/connection.go": GO_DB, "main.go": GO_MAIN})
    assert client.lifetime is Lifetime.PER_INVOCATION
    own = GO_MAIN.replace("db.Connect", "Connect")
    (client,) = in_files({"connection.go": GO_DB.replace("package db", "package main"), "main.go": own})
    assert client.lifetime is Lifetime.PER_INVOCATION
    (client,) = in_files({"other/connection.go": GO_DB, "main.go": own})
    assert client.lifetime is Lifetime.UNKNOWN


JAVA_DB = """
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;

public class Database {
    static MongoClient connect() {
        return MongoClients.create(URI);
    }
}
"""

JAVA_HANDLER = """
public class Handler implements RequestHandler<String, String> {
    public String handleRequest(String id, Context context) {
        return Database.connect().getDatabase("shop").getName();
    }
}
"""


def test_java_a_handler_calls_a_class_of_the_project_where_there_is_one_by_that_name() -> None:
    (client,) = in_files({"a/Database.java": JAVA_DB, "a/Handler.java": JAVA_HANDLER})
    assert client.lifetime is Lifetime.PER_INVOCATION
    found = in_files({"a/Database.java": JAVA_DB, "b/Database.java": JAVA_DB, "a/Handler.java": JAVA_HANDLER})
    assert [client.lifetime for client in found] == [Lifetime.UNKNOWN] * 2


def test_csharp_a_handler_calls_a_class_of_the_project() -> None:
    db = """
    using MongoDB.Driver;
    public class Database { public static MongoClient Connect() { return new MongoClient(Uri); } }
    """
    handler = """
    public class Function {
        public string FunctionHandler(string id, ILambdaContext context) { return Database.Connect().ToString(); }
    }
    """
    (client,) = in_files({"Database.cs": db, "Function.cs": handler})
    assert client.lifetime is Lifetime.PER_INVOCATION


@pytest.mark.parametrize("kind", ["class", "module"])
def test_ruby_a_handler_calls_a_class_or_module_of_the_project(kind: str) -> None:
    db = f"{kind} Database\n  def self.connect\n    Mongo::Client.new(URI)\n  end\nend\n"
    handler = "require_relative 'database'\n\ndef lambda_handler(event:, context:)\n  Database.connect\nend\n"
    (client,) = in_files({"database.rb": db, "app.rb": handler})
    assert client.lifetime is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(("use", "call"), [("mod db;", "db::connect"), ("use crate::db::connect;", "connect")])
def test_rust_a_handler_calls_a_module_of_the_project(use: str, call: str) -> None:
    db = "use mongodb::Client;\npub async fn connect() -> Client { Client::with_uri_str(URI).await.unwrap() }\n"
    main = f"""
    {use}
    async fn handler(event: LambdaEvent<String>) -> Result<(), Error> {{ {call}().await; Ok(()) }}
    #[tokio::main]
    async fn main() -> Result<(), Error> {{ run(service_fn(handler)).await }}
    """
    (client,) = in_files({"src/db.rs": db, "src/main.rs": main})
    assert client.lifetime is Lifetime.PER_INVOCATION
