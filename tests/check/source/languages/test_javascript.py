from __future__ import annotations

import pytest

from warmline.check.read import read_project
from warmline.check.source.facts import CodeFacts, Lifetime

OFFICIAL = "const { MongoClient } = require('mongodb');\n"
MONGOOSE = "const mongoose = require('mongoose');\n"


def read(source: str, path: str = "handler.js") -> CodeFacts:
    (facts,) = read_project({path: source.encode()}).code
    assert facts.problem is None
    return facts


def lifetimes(source: str, path: str = "handler.js") -> list[Lifetime]:
    return [client.lifetime for client in read(source, path).clients]


BODY = "const client = await MongoClient.connect(uri); return client.db();"


@pytest.mark.parametrize(
    "exported",
    [
        f"exports.handler = async (event) => {{ {BODY} }};",
        f"exports.handler = exports.main = async (event) => {{ {BODY} }};",
        f"module.exports.getOrder = async function (event, context) {{ {BODY} }};",
        f"module.exports = {{ getOrder: async (event) => {{ {BODY} }} }};",
        f"module.exports = {{ async getOrder(event) {{ {BODY} }} }};",
        f"const handler = async () => {{ {BODY} }};\nmodule.exports = {{ handler }};",
        f"const main = async () => {{ {BODY} }};\nmodule.exports = {{ handler: main }};",
        f"async function main(event) {{ {BODY} }}\nexports.run = main;",
        f"const main = async ({{ body }}, context) => {{ {BODY} }};\nexport {{ main as run }};",
        f"export default async function (event) {{ {BODY} }}",
        f"export default async (event) => {{ {BODY} }}",
        f"const base = async (event) => {{ {BODY} }};\nexport default middy(base).use(cors()).use(json());",
        f"const base = async (x) => {{ {BODY} }};\nexports.handler = middy(base);",
        f"const base = async (x) => {{ {BODY} }};\nconst handler = wrapped(base);\nexport {{ handler }};",
        f"exports.handler = middy().use(cors()).handler(async () => {{ {BODY} }});",
        f"exports.handler = Sentry.AWSLambda.wrapHandler(async () => {{ {BODY} }});",
        f"export const getOrder = withLogging(async (e) => {{ {BODY} }});",
        f"const base = async (event) => {{ {BODY} }};\nexports.getOrder = withLogging(base);",
        f"class Api {{ async handle(event) {{ {BODY} }} }}\nconst api = new Api();\n"
        "exports.handler = api.handle.bind(api);",
        f"const serverless = require('serverless-http');\nconst app = express();\n"
        f"app.get('/', async (req, res) => {{ {BODY} }});\nmodule.exports.handler = serverless(app);",
    ],
)
def test_a_client_in_an_exported_handler_is_constructed_in_every_invocation(exported: str) -> None:
    assert lifetimes(OFFICIAL + exported) == [Lifetime.PER_INVOCATION]


@pytest.mark.parametrize(
    "exported",
    [
        f"exports.connect = async (uri) => {{ {BODY} }};",
        f"const getDb = async () => {{ {BODY} }};\nmodule.exports = getDb;",
        f"async function main(event) {{ {BODY} }}",
        f"module.exports = {{ connect: once(async () => {{ {BODY} }}) }};",
        f"app.get('/', async (req, res) => {{ {BODY} }});",
        f"export const getDb = withRetry(async () => {{ {BODY} }});",
        f"const connect = async (uri) => {{ {BODY} }};\nexports.connect = wrapped(connect);",
    ],
)
def test_a_client_in_another_function_is_not_said_to_be(exported: str) -> None:
    assert lifetimes(OFFICIAL + exported) != [Lifetime.PER_INVOCATION]


@pytest.mark.parametrize(
    "work",
    [
        "if (cached) return cached; cached = await MongoClient.connect(uri); return cached;",
        "if (!cached) { cached = new MongoClient(uri); }",
        "if (cached && cached.topology.isConnected()) { return cached; }"
        " return MongoClient.connect(uri).then((client) => { cached = client; return cached; });",
        "if (cached) { return callback(null, cached); }"
        " MongoClient.connect(uri, (error, client) => { cached = client; callback(error, cached); });",
        "cached ??= new MongoClient(uri);",
        "cached ||= await MongoClient.connect(uri);",
        "cached = cached || (await MongoClient.connect(uri));",
        "cached || (cached = new MongoClient(uri));",
        "!cached && (cached = new MongoClient(uri));",
        "cached = cached ? cached : new MongoClient(uri);",
        "global.mongo = global.mongo ?? new MongoClient(uri);",
        "if (!globalThis._client) { globalThis._client = new MongoClient(uri); }",
        "let kept = global.mongo; if (!kept) { kept = global.mongo = { promise: null }; }"
        " if (!kept.promise) { kept.promise = MongoClient.connect(uri); } return kept.promise;",
        "if (!cached) await connect();",
        "const client = cached || (await connect());",
    ],
)
def test_a_guard_on_what_outlives_the_call_is_seen(work: str) -> None:
    source = (
        OFFICIAL
        + "let cached = null;\nexports.handler = async (event, context, callback) => { "
        + work
        + " };\nasync function connect() { cached = await MongoClient.connect(uri); return cached; }\n"
    )
    assert Lifetime.PER_INVOCATION not in lifetimes(source)


@pytest.mark.parametrize(
    "work",
    [
        "let client; if (!client) { client = new MongoClient(uri); }",
        "const held = {}; if (!held.client) { held.client = new MongoClient(uri); }",
        "const client = event.client || new MongoClient(uri);",
        "const client = event.test ? null : new MongoClient(uri);",
    ],
)
def test_a_condition_on_what_ends_with_the_call_is_no_guard(work: str) -> None:
    assert lifetimes(OFFICIAL + f"exports.handler = async (event) => {{ {work} }};") == [Lifetime.PER_INVOCATION]


@pytest.mark.parametrize(
    "work",
    [
        "if (mongoose.connection.readyState === 0) { await mongoose.connect(uri); }",
        "if (mongoose.connection.readyState === 1) return; await mongoose.connect(uri);",
        "if (mongoose.connections[0].readyState) { return; } await mongoose.connect(uri);",
        "const state = mongoose.connection.readyState; if (state === 1) { return; } await mongoose.connect(uri);",
        "mongoose.connection.readyState || (await mongoose.connect(uri));",
        "if (connected && mongoose.connection.readyState === 1) { return; } connected = await mongoose.connect(uri);",
    ],
)
def test_mongooses_own_state_is_a_guard(work: str) -> None:
    source = MONGOOSE + f"let connected;\nexports.handler = async (event) => {{ {work} }};"
    assert lifetimes(source) == [Lifetime.ONCE]


def test_mongoose_connect_reuses_its_connections_and_create_connection_does_not() -> None:
    found = read(
        MONGOOSE + "exports.handler = async (event) => { await mongoose.connect(u); mongoose.createConnection(u); }"
    )
    assert [(client.lifetime, client.reconnects) for client in found.clients] == [
        (Lifetime.PER_INVOCATION, True),
        (Lifetime.PER_INVOCATION, False),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import { MongoClient } from 'mongodb';\nnew MongoClient(uri);",
        "import { MongoClient as Client } from 'mongodb';\nnew Client(uri);",
        "import * as mongodb from 'mongodb';\nnew mongodb.MongoClient(uri);",
        "import mongodb from 'mongodb';\nmongodb.MongoClient.connect(uri);",
        "const Client = require('mongodb').MongoClient;\nClient.connect(uri);",
        "const { MongoClient: Client } = require('mongodb');\nnew Client(uri);",
        "const mongodb = require('mongodb');\nconst Client = mongodb.MongoClient;\nnew Client(uri);",
        "const { MongoClient } = await import('mongodb');\nawait MongoClient.connect(uri);",
        "import { MongoClient } from 'mongodb';\nawait new MongoClient(uri).connect();",
        "import { MongoClient } from 'mongodb';\nconst c = new MongoClient(uri);\nawait c.connect();",
        "import { connect } from 'mongoose';\nconnect(uri);",
        "import { connect as dial } from 'mongoose';\ndial(uri);",
        "import * as odm from 'mongoose';\nodm.connect(uri);",
        "import odm from 'mongoose';\nodm.connect(uri);",
        "const { createConnection } = require('mongoose');\ncreateConnection(uri);",
        "const mongoose_1 = __importDefault(require('mongoose'));\nmongoose_1.default.connect(uri);",
    ],
)
def test_a_construction_is_known_by_any_import_and_counted_once(source: str) -> None:
    assert lifetimes(source) == [Lifetime.ONCE]


@pytest.mark.parametrize(
    ("arguments", "options", "known"),
    [
        ("uri", {}, True),
        ("uri, { maxIdleTimeMS: 60000 }", {"maxIdleTimeMS": "60000"}, True),
        ("uri, options", {"maxPoolSize": "1"}, True),
        ("uri, { ...options, maxIdleTimeMS: 60000 }", {"maxIdleTimeMS": "60000"}, False),
        ("uri, elsewhere", {}, False),
        ("uri, changed", {}, False),
        ("...given", {}, False),
    ],
)
def test_options_are_read_where_they_stand(arguments: str, options: dict[str, str], known: bool) -> None:
    (client,) = read(
        OFFICIAL
        + "const options = { maxPoolSize: 1 };\nconst changed = { maxPoolSize: 1 };\nchanged.minPoolSize = 5;\n"
        f"new MongoClient({arguments});"
    ).clients
    assert {option.name: option.value.text for option in client.options} == options
    assert client.options_known is known


def test_a_field_is_initialised_whenever_its_object_is_constructed() -> None:
    store = OFFICIAL + "class Store { client = new MongoClient(uri); }\n"
    assert lifetimes(store + "exports.handler = async (event) => new Store();") == [Lifetime.PER_INVOCATION]
    assert lifetimes(store + "const store = new Store();\nexports.handler = async (event) => store;") == [Lifetime.ONCE]
    static = OFFICIAL + "class Store { static client = new MongoClient(uri); }\n"
    assert lifetimes(static + "exports.handler = async (event) => new Store();") == [Lifetime.ONCE]


def test_what_is_called_where_it_stands_at_module_level_runs_once() -> None:
    assert lifetimes(OFFICIAL + "let c;\n(async () => { c = await MongoClient.connect(uri); })();") == [Lifetime.ONCE]


@pytest.mark.parametrize(
    ("work", "name", "outlives"),
    [
        ("cached = await MongoClient.connect(uri);", "cached", True),
        ("const client = new MongoClient(uri);", "client", False),
        ("return MongoClient.connect(uri).then((client) => { cached = client; return cached; });", "cached", True),
        ("return MongoClient.connect(uri).then(client => (cached = client));", "cached", True),
        ("MongoClient.connect(uri, {}, (error, client) => { cached = client; });", "cached", True),
        ("let own; MongoClient.connect(uri, function (error, client) { own = client; });", "own", False),
        ("return MongoClient.connect(uri).then((client) => client.db());", None, False),
    ],
)
def test_the_name_that_keeps_a_client_is_known_also_where_a_function_is_handed_it(
    work: str, name: str | None, outlives: bool
) -> None:
    (client,) = read(OFFICIAL + f"let cached;\nasync function connect() {{ {work} }}").clients
    assert (client.name, client.outlives) == (name, outlives)


def test_a_method_is_not_taken_for_a_function_of_the_same_name() -> None:
    source = OFFICIAL + (
        "async function connect() { return MongoClient.connect(uri); }\n"
        "exports.handler = async (event) => { await socket.connect(); };"
    )
    assert lifetimes(source) == [Lifetime.UNKNOWN]
