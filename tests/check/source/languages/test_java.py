"""
What is read of Java: handlers, what runs once, and what a client is constructed with.
"""

from __future__ import annotations

import pytest

from warmline.check.source.facts import Client, CodeFacts, Lifetime
from warmline.check.source.languages.java import LANGUAGE
from warmline.check.source.read import read_source

HEAD = """
import com.amazonaws.services.lambda.runtime.*;
import com.mongodb.*;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
"""
OLDER = HEAD.replace("client.MongoClient;", "MongoClient;")


def read(text: str, head: str = HEAD) -> CodeFacts:
    return read_source("Handler.java", (head + text.replace("CREATE", "MongoClients.create(URI)")).encode(), LANGUAGE)


def only_client(text: str, head: str = HEAD) -> Client:
    (client,) = read(text, head).clients
    return client


def handler(members: str, body: str = "return c();") -> str:
    return f"""
    public class Handler implements RequestHandler<String, String> {{
        {members}
        public String handleRequest(String id, Context context) {{ {body} }}
    }}"""


def options(client: Client) -> dict[str, str | None]:
    return {option.name: option.value.text for option in client.options}


@pytest.mark.parametrize(
    "text",
    [
        handler("private final MongoClient c = CREATE;"),
        handler("private static final MongoClient C = CREATE;"),
        handler("private static final MongoClient C = make(); static MongoClient make() { return CREATE; }"),
        handler("static MongoClient c; static { c = CREATE; }"),
        handler("MongoClient c; Handler() { this.c = CREATE; }"),
        handler("MongoClient c; Handler() { open(); } void open() { c = CREATE; }"),
        handler("MongoClient c;", "if (c == null) { c = CREATE; } return c;"),
        handler("MongoClient c; MongoClient get() { if (c != null) return c; return c = CREATE; }", "get();"),
        handler(
            "static volatile MongoClient c; static MongoClient get() {"
            "if (c == null) { synchronized (Handler.class) { if (c == null) { c = CREATE; } } } return c; }",
            "return get();",
        ),
        handler("private final Supplier<MongoClient> c = Suppliers.memoize(() -> CREATE);", "c.get();"),
        handler("static Map<String, MongoClient> all;", "all.computeIfAbsent(u, k -> MongoClients.create(k));"),
        handler("", "Holder.C.getDatabase(id);") + "class Holder { static final MongoClient C = CREATE; }",
        handler("", "return Db.INSTANCE.c;") + "enum Db { INSTANCE; final MongoClient c; Db() { c = CREATE; } }",
        handler("", "return Db.getInstance().c;") + "class Db { static Db i; MongoClient c; Db() { c = CREATE; }"
        "static Db getInstance() { if (i == null) { i = new Db(); } return i; } }",
        handler("private final Db db = new Db();", "return db.c;") + "class Db { MongoClient c = CREATE; }",
        "@Configuration class C { @Bean public MongoClient c() { return CREATE; } }",
        "@Factory class C { @Singleton MongoClient c() { return CREATE; } }",
        "class C extends AbstractMongoClientConfiguration { public MongoClient mongoClient() { return CREATE; } }",
        "class C { @Bean public Function<String, String> f() { MongoClient c = CREATE; return v -> c.get(v); } }",
    ],
)
def test_it_is_constructed_once(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.ONCE


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (handler("", "MongoClient c = CREATE;"), ["handleRequest"]),
        (handler("", "try (MongoClient c = CREATE) { return c; }"), ["handleRequest"]),
        (handler("", "MongoClient c = null; if (c == null) { c = CREATE; }"), ["handleRequest"]),
        (handler("MongoClient get() { return CREATE; }", "get();"), ["handleRequest", "get"]),
        (
            handler("", "new Db().c.close();") + "class Db { MongoClient c; Db() { c = CREATE; } }",
            ["handleRequest", "Db"],
        ),
        (
            handler("", "Db db = new Db();") + "class Db { private MongoClient c = CREATE; }",
            ["handleRequest", "Db"],
        ),
        (
            handler("", "Db.open();") + "class Db { static MongoClient open() { return CREATE; } }",
            ["handleRequest", "open"],
        ),
        ("class H { public String any(String id, Context context) { CREATE; } }", ["any"]),
        (
            "class H implements RequestStreamHandler {"
            " public void handleRequest(InputStream i, OutputStream o, Context c)"
            " { new MongoClient(new MongoClientURI(URI)); } }",
            ["handleRequest"],
        ),
        (
            "class C { @Bean public Function<String, String> f() { return v -> CREATE.x(v); } }",
            ["handler"],
        ),
        (
            "class C { @Bean Consumer<String> f() { return v -> { MongoClient c = CREATE; }; } }",
            ["handler"],
        ),
    ],
)
def test_it_is_constructed_in_every_invocation(text: str, way: list[str]) -> None:
    client = only_client(text, OLDER if "MongoClientURI" in text else HEAD)
    assert client.lifetime is Lifetime.PER_INVOCATION
    assert [step.text for step in client.path[:-1]] == way


@pytest.mark.parametrize(
    "text",
    [
        # Whose handleRequest it is, is not known.
        "class H { void handleRequest(Socket s) { CREATE; } }",
        # Another class's method of the same name.
        handler("MongoClient make() { return CREATE; }", "Other.make(); other.make();"),
        'class C { @Bean @Scope("prototype") public MongoClient c() { return CREATE; } }',
    ],
)
def test_it_is_not_known_how_often(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.UNKNOWN


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("class C { Object c = new MongoClient(URI); }", "import example.MongoClient; // com.mongodb"),
        ("class MongoClient { } class C { Object c = new MongoClient(URI); }", HEAD),
        ("class C { Object c = new MongoClient(URI); }", "// mongodb://localhost"),
        ("class C { Object c = new SimpleMongoClientDatabaseFactory(client, name); }", HEAD),
    ],
)
def test_it_is_no_client_of_the_driver(text: str, head: str) -> None:
    assert read(text, head).clients == ()


def test_reactive_streams_are_told_by_their_import() -> None:
    head = "import com.mongodb.reactivestreams.client.MongoClients;\n"
    client = only_client("class C { Object c = MongoClients.create(URI); }", head)
    assert (client.driver, client.asynchronous) == ("mongodb-driver-reactivestreams", True)


@pytest.mark.parametrize(
    ("expression", "before"),
    [
        ('MongoClients.create("mongodb://h/?w=1")', ""),
        ("MongoClients.create(U)", 'String U = "mongodb://h/" + "?w=1";'),
        ('MongoClients.create(new ConnectionString("mongodb://h/?w=1"))', ""),
        ("MongoClients.create(s)", 'ConnectionString s = new ConnectionString("mongodb://h/?w=1");'),
        ('MongoClients.create(String.format("mongodb://%s/?w=%d", "h", 1))', ""),
        ('MongoClients.create("mongodb://%s/?w=1".formatted("h"))', ""),
        ('new SimpleMongoClientDatabaseFactory("mongodb://h/?w=1")', ""),
        (
            "MongoClients.create(MongoClientSettings.builder().applyConnectionString(new ConnectionString(U)).build())",
            'String U = "mongodb://h/?w=1";',
        ),
    ],
)
def test_the_connection_string_is_found(expression: str, before: str) -> None:
    client = only_client(f"class C {{ {before} Object c = {expression}; }}")
    assert client.uri is not None
    assert client.uri.text == "mongodb://h/?w=1"
    assert client.options_known


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('System.getenv("MONGODB_URI")', None),
        ('System.getenv().get("MONGODB_URI")', None),
        ("System.getenv(NAME)", None),
        ('System.getenv().getOrDefault("MONGODB_URI", "mongodb://h")', "mongodb://h"),
        ('Optional.ofNullable(System.getenv("MONGODB_URI")).orElse("mongodb://h")', "mongodb://h"),
    ],
)
def test_reads_of_the_environment(expression: str, text: str | None) -> None:
    client = only_client(
        f'class C {{ static String NAME = "MONGODB_URI"; Object c = MongoClients.create({expression}); }}'
    )
    assert client.uri is not None
    assert (client.uri.text, client.uri.environment) == (text, ("MONGODB_URI",))


BUILDER = """MongoClientSettings.builder().applyConnectionString(new ConnectionString(U)).retryWrites(true)
  .applyToConnectionPoolSettings(b -> b.maxConnectionIdleTime(60, TimeUnit.SECONDS).maxSize(2))
  .applyToClusterSettings(b -> { b.serverSelectionTimeout(5000, MILLISECONDS); b.srvMaxHosts(3); })
  .applicationName("shop").timeout(n, unit)"""
BUILT = {
    "retryWrites": "true",
    "maxIdleTimeMS": "60000",
    "maxPoolSize": "2",
    "serverSelectionTimeoutMS": "5000",
    "srvMaxHosts": "3",
    "appName": "shop",
    "timeoutMS": None,
}


@pytest.mark.parametrize(
    "text",
    [
        f"class C {{ Object c = MongoClients.create({BUILDER}.build()); }}",
        f"class C {{ MongoClientSettings s = {BUILDER}.build(); Object c = MongoClients.create(s); }}",
        f"class C {{ void m() {{ var s = {BUILDER}.build(); MongoClient c = MongoClients.create(s); }} }}",
        f"class C {{ Object c = MongoClients.create(s()); MongoClientSettings s() {{ return {BUILDER}.build(); }} }}",
        "class C { void m() { MongoClientSettings.Builder b = MongoClientSettings.builder();"
        + BUILDER.replace("MongoClientSettings.builder()", "b").replace("\n  .applyToConn", "; b.applyToConn")
        + "; MongoClients.create(b.build()); } }",
    ],
)
def test_options_are_found_wherever_the_settings_are_built(text: str) -> None:
    client = only_client(text)
    assert options(client) == BUILT
    assert client.options_known
    assert client.uri is not None


@pytest.mark.parametrize(
    "text",
    [
        'class C { Object c = new MongoClient(new MongoClientURI("mongodb://h"), o); }',
        'class C { Object c = new MongoClient(new MongoClientURI("mongodb://h", o)); }',
        'class C { Object c = new MongoClient("mongodb://h", o); }',
    ],
)
def test_options_of_the_older_driver(text: str) -> None:
    o = "MongoClientOptions o = new MongoClientOptions.Builder().maxConnectionIdleTime(60000).build();"
    client = only_client(text.replace("{", f"{{ {o}", 1), OLDER)
    assert options(client) == {"maxIdleTimeMS": "60000"}
    assert client.uri is not None
    assert client.uri.text == "mongodb://h"


@pytest.mark.parametrize(
    "expression",
    [
        "MongoClients.create(settings)",
        "MongoClients.create(provider.settings())",
        "MongoClients.create(MongoClientSettings.builder(others).build())",
        "MongoClients.create(MongoClientSettings.builder().applySettings(others).build())",
    ],
)
def test_settings_made_elsewhere_are_not_known(expression: str) -> None:
    assert not only_client(f"class C {{ Object c = {expression}; }}").options_known


def test_credentials_are_options_too() -> None:
    client = only_client(
        """class C { MongoCredential a = MongoCredential.createAwsCredential(System.getenv("AWS_ACCESS_KEY_ID"),
             System.getenv("AWS_SECRET_ACCESS_KEY").toCharArray()).withMechanismProperty("AWS_SESSION_TOKEN", "t");
           Object c = MongoClients.create(MongoClientSettings.builder().credential(a).build()); }"""
    )
    values = {option.name: option.value for option in client.options}
    assert values["username"].environment == ("AWS_ACCESS_KEY_ID",)
    assert values["password"].environment == ("AWS_SECRET_ACCESS_KEY",)
    assert values["authMechanism"].text == "MONGODB-AWS"
    assert values["AWS_SESSION_TOKEN"].text == "t"
