from __future__ import annotations

from textwrap import dedent

import pytest

from warmline.check.source.facts import Client, CodeFacts, Lifetime
from warmline.check.source.languages.python import LANGUAGE
from warmline.check.source.read import read_source

ONCE, EACH, UNKNOWN = Lifetime.ONCE, Lifetime.PER_INVOCATION, Lifetime.UNKNOWN


def read(code: str) -> CodeFacts:
    return read_source("app.py", dedent(code).encode(), LANGUAGE)


def clients(code: str) -> tuple[Client, ...]:
    return read("from pymongo import AsyncMongoClient, MongoClient\n" + dedent(code)).clients


def lifetimes(code: str) -> list[Lifetime]:
    return [client.lifetime for client in clients(code)]


@pytest.mark.parametrize(
    ("code", "driver"),
    [
        ("from pymongo import MongoClient\nMongoClient()", "pymongo"),
        ("from pymongo import MongoClient as Client\nClient()", "pymongo"),
        ("import pymongo\npymongo.MongoClient()", "pymongo"),
        ("import pymongo as mongo\nmongo.MongoClient()", "pymongo"),
        ("from pymongo.mongo_client import MongoClient\nMongoClient()", "pymongo"),
        ("import pymongo.mongo_client\npymongo.mongo_client.MongoClient()", "pymongo"),
        ("import pymongo\nClient = pymongo.MongoClient\nClient()", "pymongo"),
        ("from pymongo import AsyncMongoClient\nAsyncMongoClient()", "pymongo"),
        ("from motor.motor_asyncio import AsyncIOMotorClient\nAsyncIOMotorClient()", "motor"),
        ("import motor.motor_asyncio as motor\nmotor.AsyncIOMotorClient()", "motor"),
        ("from mongoengine import connect\nconnect(host='mongodb://h')", "mongoengine"),
        ("import mongoengine\nmongoengine.connect('shop')", "mongoengine"),
        ("import mongoengine as me\nme.register_connection('default', host='mongodb://h')", "mongoengine"),
        ("from flask_pymongo import PyMongo\nPyMongo(app)", "flask-pymongo"),
        ("from beanie import init_beanie\nawait init_beanie(connection_string=URI)", "beanie"),
        ("from warmline import connect\nconnect()", "warmline"),
        ("import warmline\nwarmline.connect_async()", "warmline"),
    ],
)
def test_a_client_is_known_by_the_module_that_it_comes_from(code: str, driver: str) -> None:
    assert [client.driver for client in read(code).clients] == [driver]


@pytest.mark.parametrize(
    "code",
    [
        "from mongomock import MongoClient\nMongoClient()",
        "from .storage import MongoClient\nMongoClient()",
        "from psycopg import connect\nconnect()",
        "import sqlite3\nsqlite3.connect('mongodb://')",
        "from beanie import init_beanie\nawait init_beanie(database=database)",
        "class MongoClient:\n    pass\n\nMongoClient()",
    ],
)
def test_what_only_has_the_name_of_a_client_is_none(code: str) -> None:
    assert read(code).clients == ()


def test_beanie_is_initialised_with_a_client_that_is_constructed_in_its_arguments() -> None:
    found = read(
        """
        from beanie import init_beanie
        from pymongo import AsyncMongoClient

        async def handler(event, context):
            await init_beanie(database=AsyncMongoClient(URI).shop, document_models=[Order])
        """
    ).clients
    assert [(client.driver, client.lifetime, client.asynchronous) for client in found] == [("pymongo", EACH, True)]


def test_connect_of_warmline_returns_the_same_client_wherever_it_is_called() -> None:
    found = read(
        """
        import warmline

        def lambda_handler(event, context):
            return warmline.connect().shop.orders.find_one()
        """
    ).clients
    assert [(client.driver, client.lifetime) for client in found] == [("warmline", ONCE)]


@pytest.mark.parametrize(
    "signature",
    [
        "def lambda_handler(event, context):",
        "def lambda_handler(*arguments):",
        "async def main(event, context):",
        "def main(event, _context=None):",
        "def main(event: dict[str, object], context: LambdaContext) -> dict:",
        "def main(message: Message, environment: LambdaContext):",
        "@event_source(data_class=SQSEvent)\ndef main(records, about):",
        "@logger.inject_lambda_context\ndef main(anything, about):",
        "@warmline.handler\ndef main(order, about):",
    ],
)
def test_a_handler_is_known_by_its_name_its_parameters_or_its_decorator(signature: str) -> None:
    assert lifetimes(f"{signature}\n    client = MongoClient(URI)") == [EACH]


@pytest.mark.parametrize(
    "signature",
    [
        "def main(event):",
        "def Find(self, request, context):",
        "def test_main(event, context):",
        "@app.get('/orders')\ndef orders():",
        "@app.on_event('startup')\ndef connect():",
    ],
)
def test_other_functions_are_no_handlers(signature: str) -> None:
    assert lifetimes(f"{signature}\n    client = MongoClient(URI)") == [UNKNOWN]


@pytest.mark.parametrize(
    "adapter",
    [
        "from mangum import Mangum",
        "from chalice import Chalice",
        "from aws_lambda_powertools.event_handler import APIGatewayRestResolver",
        "import awsgi",
        "import serverless_wsgi",
        "from apig_wsgi import make_lambda_handler",
    ],
)
def test_routes_are_called_for_every_invocation_where_the_application_is_handed_to_lambda(adapter: str) -> None:
    route = "@app.get('/orders')\ndef orders():\n    client = MongoClient(URI)"
    assert lifetimes(f"{adapter}\n{route}") == [EACH]
    assert lifetimes(route) == [UNKNOWN]


@pytest.mark.parametrize(
    "parameter", ["db=Depends(get_db)", "db: Database = Depends(get_db)", "db: Annotated[Database, Depends(get_db)]"]
)
def test_what_a_route_depends_on_is_called_with_it(parameter: str) -> None:
    found = clients(
        f"""
        from mangum import Mangum

        def get_db():
            return MongoClient(URI).shop

        @app.get("/orders")
        def orders({parameter}):
            return list(db.orders.find())
        """
    )
    assert [[step.text for step in client.path] for client in found] == [["orders", "get_db", "MongoClient"]]


def test_hooks_that_run_when_an_application_starts_are_not_taken_for_handlers() -> None:
    assert lifetimes(
        """
        from mangum import Mangum

        @asynccontextmanager
        async def lifespan(app):
            app.state.client = AsyncMongoClient(URI)
            yield

        @app.on_event("startup")
        def connect():
            app.state.other = MongoClient(URI)
        """
    ) == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    "guard",
    [
        "global client\n    if client is None:\n        client = MongoClient(URI)",
        "global client\n    if not client:\n        client = MongoClient(URI)",
        "global client\n    if client:\n        return client\n    client = MongoClient(URI)",
        "global client\n    client = client or MongoClient(URI)",
        "global client\n    client = client if client else MongoClient(URI)",
        "global client\n    try:\n        client\n    except NameError:\n        client = MongoClient(URI)",
        "global client\n    if 'client' not in globals():\n        client = MongoClient(URI)",
        "if 'client' not in globals():\n        globals()['client'] = MongoClient(URI)",
        "if 'client' not in CACHE:\n        CACHE['client'] = MongoClient(URI)",
        "if 'client' not in CACHE:\n        CACHE.setdefault('client', MongoClient(URI))",
        "if (found := CACHE.get('client')) is None:\n        found = CACHE['client'] = MongoClient(URI)",
        "try:\n        return CACHE['client']\n    except KeyError:\n        CACHE['client'] = MongoClient(URI)",
        "try:\n        return CACHE['a']\n    except KeyError:\n        pass\n    CACHE['a'] = MongoClient(URI)",
        "if not hasattr(State, 'client'):\n        State.client = MongoClient(URI)",
        "match CACHE.get('client'):\n        case None:\n            CACHE['client'] = MongoClient(URI)",
    ],
)
def test_a_guard_on_a_name_that_outlives_the_call_lets_it_happen_once(guard: str) -> None:
    assert lifetimes(f"CACHE = {{}}\nclient = None\n\ndef lambda_handler(event, context):\n    {guard}") == [ONCE]


@pytest.mark.parametrize(
    "guard",
    [
        "client = None\n    if client is None:\n        client = MongoClient(URI)",
        "cache = {}\n    if 'client' not in cache:\n        cache['client'] = MongoClient(URI)",
        "if event.get('id'):\n        client = MongoClient(URI)",
        "client = CACHED or MongoClient(URI)",
        "try:\n        pass\n    except NameError:\n        client = MongoClient(URI)",
        "CACHE.setdefault('client', MongoClient(URI))",
        "with MongoClient(URI) as client:\n        pass",
        "client = (lambda: MongoClient(URI))()",
    ],
)
def test_what_guards_nothing_that_outlives_the_call_is_no_guard(guard: str) -> None:
    assert lifetimes(f"CACHED = None\n\ndef lambda_handler(event, context):\n    {guard}") == [EACH]


def test_a_guard_in_the_handler_keeps_a_function_that_sets_the_global() -> None:
    assert lifetimes(
        """
        client = None

        def connect():
            global client
            client = MongoClient(URI)

        def lambda_handler(event, context):
            if client is None:
                connect()
        """
    ) == [ONCE]


@pytest.mark.parametrize(
    "decorator", ["@cache", "@functools.lru_cache", "@lru_cache(maxsize=1)", "@functools.cache", "@cached(cache={})"]
)
def test_a_cached_function_constructs_its_client_once(decorator: str) -> None:
    assert lifetimes(
        f"{decorator}\ndef get():\n    return MongoClient(URI)\n\ndef lambda_handler(event, context):\n    get()"
    ) == [ONCE]


def test_a_default_value_is_evaluated_once_where_the_function_is_defined() -> None:
    assert lifetimes("def lambda_handler(event, context, client=MongoClient(URI)):\n    pass") == [ONCE]


REPOSITORY = """
class Repository:
    def __init__(self):
        self.client = MongoClient(URI)

    def find(self):
        return self.client.shop.orders.find_one()

"""


@pytest.mark.parametrize(
    ("use", "lifetime"),
    [
        ("repository = Repository()\n\ndef lambda_handler(event, context):\n    repository.find()", ONCE),
        ("def lambda_handler(event, context):\n    Repository().find()", EACH),
        ("class Orders(Repository):\n    pass\n\ndef lambda_handler(event, context):\n    Orders()", EACH),
        ("def lambda_handler(event, context, repository=Repository()):\n    repository.find()", ONCE),
        ("def lambda_handler(event, context):\n    global r\n    r = r or Repository()", ONCE),
        ("if __name__ == '__main__':\n    Repository()", ONCE),
        ("", UNKNOWN),
    ],
)
def test_the_client_of_an_object_is_constructed_as_often_as_the_object(use: str, lifetime: Lifetime) -> None:
    assert lifetimes(REPOSITORY + use) == [lifetime]


@pytest.mark.parametrize(
    "call",
    ["event.get('id')", "requests.get('https://')", "other().get()", "get.get()", "super().get()", "connect.get()"],
)
def test_a_method_is_not_reached_by_a_call_of_the_same_name_on_something_else(call: str) -> None:
    code = f"""
    import requests

    class Database:
        def get(self):
            return MongoClient(URI)

    def lambda_handler(event, context):
        return {call}
    """
    assert lifetimes(code) == [UNKNOWN]


@pytest.mark.parametrize("call", ["Database().load()", "database.load()", "Database.load(1)", "cases['a'].load()"])
def test_a_method_is_reached_by_a_call_on_an_object_of_its_class(call: str) -> None:
    code = f"""
    class Database:
        def load(self):
            return self.connect()

        def connect(self):
            return MongoClient(URI)

    database = Database()

    def lambda_handler(event, context):
        return {call}
    """
    assert lifetimes(code) == [EACH]


def test_functions_in_the_main_block_do_not_make_a_helper_run_per_invocation() -> None:
    assert lifetimes("def load():\n    MongoClient(URI)\n\nif __name__ == '__main__':\n    load()") == [ONCE]


@pytest.mark.parametrize(
    ("expression", "text", "environment"),
    [
        ("'mongodb://localhost'", "mongodb://localhost", ()),
        ("HOST", "db.example.com", ()),
        ("f'mongodb://{HOST}/shop'", "mongodb://db.example.com/shop", ()),
        ("'mongodb://' + HOST + '/shop'", "mongodb://db.example.com/shop", ()),
        ("'mongodb://%s/%s' % (HOST, name)", "mongodb://db.example.com/{}", ()),
        ("'mongodb://%(host)s/' % {'host': HOST}", "mongodb://db.example.com/", ()),
        ("'mongodb://{}/{}'.format(HOST, name)", "mongodb://db.example.com/{}", ()),
        ("'mongodb://{1}/{0}'.format(name, HOST)", "mongodb://db.example.com/{}", ()),
        ("'mongodb://{host}/'.format(host=HOST)", "mongodb://db.example.com/", ()),
        ("('mongodb://{}'\n    '/shop').format(HOST)", "mongodb://db.example.com/shop", ()),
        ("'mongodb://' 'db.example.com'", "mongodb://db.example.com", ()),
        ('"""mongodb://localhost/shop"""', "mongodb://localhost/shop", ()),
        ("os.environ['URI']", None, ("URI",)),
        ("os.getenv('URI', 'mongodb://localhost')", "mongodb://localhost", ("URI",)),
        ("environ.get('URI')", None, ("URI",)),
        ("f'mongodb://u:{quote_plus(os.environ[\"PASSWORD\"])}@h'", "mongodb://u:{}@h", ("PASSWORD",)),
        ("'mongodb://u:%s@h' % quote_plus(os.environ['PASSWORD'])", "mongodb://u:{}@h", ("PASSWORD",)),
        ("settings.mongodb_uri", None, ()),
    ],
)
def test_a_connection_string_is_put_together_from_what_the_file_tells(
    expression: str, text: str | None, environment: tuple[str, ...]
) -> None:
    (client,) = clients(f"HOST = 'db.example.com'\nclient = MongoClient({expression})")
    assert client.uri is not None
    assert (client.uri.text, client.uri.environment) == (text, environment)


@pytest.mark.parametrize(("expression", "text"), [("60 * 1000", "60000"), ("60_000", "60000"), ("limit * 2", None)])
def test_an_option_may_be_a_product(expression: str, text: str | None) -> None:
    (client,) = clients(f"client = MongoClient(URI, maxIdleTimeMS={expression})")
    assert [(option.name, option.value.text) for option in client.options] == [("maxIdleTimeMS", text)]
