from __future__ import annotations

import pytest

from warmline.check.infra.facts import Function, Variable
from warmline.check.location import Location
from warmline.check.read import read_project
from warmline.check.usage import clients_of, names_mongodb
from warmline.check.values import Value

HERE = Location("template.yaml")

PY_CLIENT = b"from pymongo import MongoClient\n\nclient = MongoClient()\n"


def variables(**values: str | None) -> Function:
    return Function(
        name="F", location=HERE, variables=tuple(Variable(name, Value(text, HERE)) for name, text in values.items())
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", None),
        ("MONGO_URL", None),
        ("MONGODB_CONNECTION_STRING", None),
        ("ATLAS_URI", None),
        ("mongoHost", None),
        ("MONGODB", None),
        ("DOCDB_ENDPOINT", None),
        ("DATABASE", "mongodb+srv://c.example.net"),
    ],
)
def test_a_variable_names_a_connection_string(name: str, value: str | None) -> None:
    assert names_mongodb(variables(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", None),
        ("MONGODB_ATLAS_PUBLIC_KEY", None),
        ("MONGO_EXPRESS", "no"),
        ("DATABASE", "postgres://c.example.net"),
        ("ATLAS_PROJECT_ID", None),
    ],
)
def test_a_variable_that_names_something_else_does_not(name: str, value: str | None) -> None:
    assert not names_mongodb(variables(**{name: value}))


@pytest.mark.parametrize(
    ("handler", "files"),
    [
        ("src/app.handler", {"src/app.py": PY_CLIENT}),
        ("src/app.handler", {"src/app.py": b"from db import client # MongoClient\n", "src/db.py": PY_CLIENT}),
        ("src/app.handler", {"src/app.py": b"from .db import client # MongoClient\n", "src/db.py": PY_CLIENT}),
        ("a/b/app.handler", {"a/b/app.py": b"from shop.db import client # MongoClient\n", "a/shop/db.py": PY_CLIENT}),
        (
            "a/b/app.handler",
            {"a/b/app.py": b"from ..shop import db # MongoClient\n", "a/shop/db/__init__.py": PY_CLIENT},
        ),
        ("src/app.handler", {"src/app.py": b"from db import client\n", "src/db.py": PY_CLIENT}),
        (
            "src/app.handler",
            {
                "src/app.js": b"import db from '../lib/db.js'; // mongodb\n",
                "lib/db.ts": b"import { MongoClient } from 'mongodb';\nexport default new MongoClient(uri);\n",
            },
        ),
    ],
)
def test_a_function_s_clients_are_those_of_its_file_and_of_what_that_imports(
    handler: str, files: dict[str, bytes]
) -> None:
    service = f"service: shop\nprovider: aws\nfunctions:\n  f: {{handler: {handler}}}\n"
    project = read_project({"serverless.yml": service.encode(), **files})
    (function,) = project.infra[0].functions
    assert len(clients_of(function, project)) == 1


def test_a_client_that_its_file_does_not_import_is_none_of_a_function_s() -> None:
    service = b"service: shop\nprovider: aws\nfunctions:\n  f: {handler: src/app.handler}\n"
    project = read_project({"serverless.yml": service, "src/app.py": b"# MongoClient\n", "src/db.py": PY_CLIENT})
    (function,) = project.infra[0].functions
    assert clients_of(function, project) == ()
