from __future__ import annotations

import pytest

from warmline.check.read import read_project
from warmline.check.source.facts import CodeFacts, Lifetime

IMPORT = 'import { MongoClient } from "mongodb";\n'
BODY = "const client = await MongoClient.connect(uri); return client.db();"


def read(source: str, path: str = "handler.ts") -> CodeFacts:
    (facts,) = read_project({path: source.encode()}).code
    assert facts.problem is None
    return facts


@pytest.mark.parametrize(
    "exported",
    [
        f"export const handler: APIGatewayProxyHandler = async (e) => {{ {BODY} }};",
        f"export const getOrder: Handler<Order, Result> = async (order) => {{ {BODY} }};",
        f"export const getOrder = async (input: APIGatewayProxyEvent): Promise<Result> => {{ {BODY} }};",
        f"const base = async () => {{ {BODY} }};\nexport const handler: Handler = middy(base) as Handler;",
        f"async function handler(event: SQSEvent) {{ {BODY} }}\nexport = handler;",
        f"export default async function run(event: Input, context: Context) {{ {BODY} }}",
    ],
)
def test_a_client_in_an_exported_handler_is_constructed_in_every_invocation(exported: str) -> None:
    assert [client.lifetime for client in read(IMPORT + exported).clients] == [Lifetime.PER_INVOCATION]


@pytest.mark.parametrize(
    "source",
    [
        'import mongoose = require("mongoose");\nmongoose.connect(uri);',
        'import odm = require("mongoose");\nodm.connect(uri);',
        'import { MongoClient, type Db } from "mongodb";\nconst client: MongoClient = new MongoClient(uri);',
        IMPORT + "class Store { private readonly client: MongoClient = new MongoClient(uri); }\nnew Store();",
        IMPORT + "class Store { private static readonly client = new MongoClient(uri); }",
        IMPORT + "class Store { private client: MongoClient; constructor() { this.client = new MongoClient(uri); } }\n"
        "const store = new Store();\nexport const handler = async () => store;",
    ],
)
def test_a_client_outside_handlers_is_constructed_once(source: str) -> None:
    assert [client.lifetime for client in read(source).clients] == [Lifetime.ONCE]


@pytest.mark.parametrize("expression", ["process.env.MONGODB_URI!", "process.env.MONGODB_URI as string", "uri!"])
def test_a_type_assertion_changes_no_value(expression: str) -> None:
    (client,) = read(f"{IMPORT}const uri = process.env['MONGODB_URI'];\nnew MongoClient({expression});").clients
    assert client.uri is not None
    assert client.uri.environment == ("MONGODB_URI",)
    assert "MONGODB_URI" in client.uri.parts


def test_jsx_is_read_in_tsx() -> None:
    found = read(f"{IMPORT}const client = new MongoClient(uri);\nexport const View = () => <p>hello</p>;", "view.tsx")
    assert [client.lifetime for client in found.clients] == [Lifetime.ONCE]
