"""
What is read of C#: handlers, what runs once, and what a client is constructed with.
"""

from __future__ import annotations

import pytest

from warmline.check.source.facts import Client, CodeFacts, Lifetime
from warmline.check.source.languages.csharp import LANGUAGE
from warmline.check.source.read import read_source

HEAD = "using Amazon.Lambda.Core;\nusing MongoDB.Driver;\n"


def read(text: str, head: str = HEAD) -> CodeFacts:
    return read_source("Function.cs", (head + text.replace("CREATE", "new MongoClient(uri)")).encode(), LANGUAGE)


def only_client(text: str, head: str = HEAD) -> Client:
    (client,) = read(text, head).clients
    return client


def handler(members: str, body: str = "return null;") -> str:
    return f"""
    public class Function {{
        {members}
        public async Task<string> Run(string id, ILambdaContext context) {{ {body} }}
    }}"""


def options(client: Client) -> dict[str, str | None]:
    return {option.name: option.value.text for option in client.options}


@pytest.mark.parametrize(
    "text",
    [
        handler("private static readonly MongoClient C = CREATE;"),
        handler("private readonly IMongoClient _c = CREATE;"),
        handler("private static readonly MongoClient C = new(uri);"),
        handler("private readonly IMongoClient _c; public Function() { _c = CREATE; }"),
        handler("private readonly MongoClient _c; public Function() { this._c = new(uri); }"),
        handler("private static MongoClient C; static Function() { C = CREATE; }"),
        handler("public IMongoClient C { get; } = CREATE;"),
        handler("static IMongoClient? c;", "c ??= CREATE; return c;"),
        handler("static IMongoClient? c; static IMongoClient C => c ??= CREATE;", "C.GetDatabase(id);"),
        handler("static IMongoClient? c; static IMongoClient C => c ?? (c = CREATE);", "C.GetDatabase(id);"),
        handler(
            "IMongoClient c; IMongoClient C { get { if (c is not null) return c; return c = CREATE; } }", "C.Go();"
        ),
        handler("static IMongoClient c;", "if (c is null) { lock (gate) { if (c == null) { c = CREATE; } } }"),
        handler("static IMongoClient c;", "c = c == null ? CREATE : c;"),
        handler("static readonly Lazy<MongoClient> C = new Lazy<MongoClient>(() => CREATE);", "C.Value.Go();"),
        handler("static readonly Lazy<MongoClient> C = new(() => CREATE);", "C.Value.Go();"),
        handler(
            "static readonly Lazy<MongoClient> C = new Lazy<MongoClient>(Open); static MongoClient Open() => CREATE;"
        ),
        handler("static readonly IMongoClient C = Open(); static IMongoClient Open() { return CREATE; }"),
        handler("readonly Db db = new Db();", "db.Go();")
        + "class Db { readonly MongoClient c; public Db() { c = CREATE; } }",
        handler("readonly Db db;", "db.Go();") + "class Db { readonly MongoClient c = CREATE; }",
        "class S { public void ConfigureServices(IServiceCollection s) { s.AddSingleton<IMongoClient>(CREATE); } }",
        "class S { void Add(IServiceCollection s) { s.AddSingleton<IMongoClient>(p => CREATE); } }",
        "class S { void Add(IServiceCollection s) { s.AddSingleton<IMongoClient>(p => { return CREATE; }); } }",
        "builder.Services.AddSingleton<IMongoClient>(CREATE);",
        "var client = CREATE; var handler = (string s, ILambdaContext c) => client.Go();"
        " await LambdaBootstrapBuilder.Create(handler).Build().RunAsync();",
        "class P { static async Task Main() { var client = CREATE; } }",
        "class F(IMongoClient client) { IMongoClient mine = CREATE; public void H(ILambdaContext c) { mine.Go(); } }",
    ],
)
def test_it_is_constructed_once(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.ONCE


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (handler("", "var c = CREATE;"), ["Run"]),
        (handler("", "using var c = CREATE;"), ["Run"]),
        (handler("", "IMongoClient c = new MongoClient(uri);"), ["Run"]),
        (handler("", "MongoClient c = new(uri);"), ["Run"]),
        (handler("", "IMongoClient? c = null; c ??= CREATE;"), ["Run"]),
        (handler("IMongoClient Open() => CREATE;", "Open();"), ["Run", "Open"]),
        (handler("IMongoClient Open() => CREATE;", "this.Open();"), ["Run", "Open"]),
        (handler("IMongoClient C => CREATE;", "C.GetDatabase(id);"), ["Run", "C"]),
        (handler("", "var db = new Db();") + "class Db { MongoClient c; public Db() { c = CREATE; } }", ["Run", "Db"]),
        (handler("", "var db = new Db();") + "class Db { MongoClient c = CREATE; }", ["Run", "Db"]),
        (
            handler("", "Db.Open();") + "static class Db { public static MongoClient Open() { return CREATE; } }",
            ["Run", "Open"],
        ),
        ("class F { [LambdaFunction] public string Get(string id) { var c = CREATE; } }", ["Get"]),
        ("class F { public string FunctionHandler(string id) { var c = CREATE; } }", ["FunctionHandler"]),
        (
            "var handler = async (string s) => { var c = CREATE; };"
            " await LambdaBootstrapBuilder.Create(handler, new S()).Build().RunAsync();",
            ["handler"],
        ),
        (
            "class P { static void Main() { LambdaBootstrapBuilder.Create<string>(Run).Build().RunAsync(); }"
            " static void Run(string s) { CREATE; } }",
            ["Run"],
        ),
        ("class S { void Add(IServiceCollection s) { s.AddScoped<IMongoClient>(p => CREATE); } }", []),
    ],
)
def test_it_is_constructed_in_every_invocation(text: str, way: list[str]) -> None:
    client = only_client(text)
    assert client.lifetime is Lifetime.PER_INVOCATION
    assert [step.text for step in client.path[:-1]] == way
    assert client.call == "new MongoClient"


@pytest.mark.parametrize(
    "text",
    [
        handler("MongoClient Open() => CREATE;", "Other.Open(); other.Open();"),
        "class S { static void Main() { s.AddTransient<IMongoClient>(p => CREATE); } }",
    ],
)
def test_it_is_not_known_how_often(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.UNKNOWN


def test_a_handler_by_its_name_alone_needs_lambda_in_the_file() -> None:
    text = "class F { public string FunctionHandler(string id) { var c = CREATE; } }"
    assert only_client(text, "using MongoDB.Driver;\n").lifetime is Lifetime.UNKNOWN


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("class C { object c = new MongoClient(uri); }", "// mongodb://localhost\n"),
        ("class MongoClient { } class C { object c = new MongoClient(uri); }", HEAD),
        ("class C { List<string> c = new(uri); }", HEAD),
    ],
)
def test_it_is_no_client_of_the_driver(text: str, head: str) -> None:
    assert read(text, head).clients == ()


@pytest.mark.parametrize(
    ("expression", "before"),
    [
        ('"mongodb://h/?w=1"', ""),
        ('@"mongodb://h/?w=1"', ""),
        ('$"mongodb://{Host}/?w=1"', 'const string Host = "h";'),
        ('"mongodb://" + Host + "/?w=1"', 'const string Host = "h";'),
        ('string.Format("mongodb://{0}/?w={1}", "h", 1)', ""),
        ("Uri", 'const string Uri = "mongodb://h/?w=1";'),
        ("Uri", 'static string Uri => "mongodb://h/?w=1";'),
        ('new MongoUrl("mongodb://h/?w=1")', ""),
        ('MongoUrl.Create("mongodb://h/?w=1")', ""),
        ("Url", 'static MongoUrl Url = new MongoUrl("mongodb://h/?w=1");'),
        ('MongoClientSettings.FromConnectionString("mongodb://h/?w=1")', ""),
        ('MongoClientSettings.FromUrl(new MongoUrl("mongodb://h/?w=1"))', ""),
    ],
)
def test_the_connection_string_is_found(expression: str, before: str) -> None:
    client = only_client(f"class C {{ {before} object c = new MongoClient({expression}); }}")
    assert client.uri is not None
    assert client.uri.text == "mongodb://h/?w=1"
    assert client.options_known


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('Environment.GetEnvironmentVariable("MONGODB_URI")', None),
        ("System.Environment.GetEnvironmentVariable(Name)", None),
        ('Environment.GetEnvironmentVariable("MONGODB_URI") ?? "mongodb://h"', "mongodb://h"),
        ('Environment.GetEnvironmentVariable("MONGODB_URI") ?? throw new Exception("unset")', None),
    ],
)
def test_reads_of_the_environment(expression: str, text: str | None) -> None:
    client = only_client(f'class C {{ const string Name = "MONGODB_URI"; object c = new MongoClient({expression}); }}')
    assert client.uri is not None
    assert (client.uri.text, client.uri.environment) == (text, ("MONGODB_URI",))


@pytest.mark.parametrize(
    "body",
    [
        "var s = MongoClientSettings.FromConnectionString(uri); s.MaxConnectionIdleTime = TimeSpan.FromSeconds(60);"
        "s.ConnectTimeout = TimeSpan.Zero; s.SocketTimeout = new TimeSpan(0, 1, 0); s.MaxConnectionPoolSize = 2;"
        "var c = new MongoClient(s);",
        "var s = new MongoClientSettings { MaxConnectionIdleTime = TimeSpan.FromMinutes(1),"
        "ConnectTimeout = TimeSpan.Zero, SocketTimeout = Minute, MaxConnectionPoolSize = 2 };"
        "TimeSpan Minute = TimeSpan.FromSeconds(60);"
        "var c = new MongoClient(s);",
        "var c = new MongoClient(Make()); MongoClientSettings Make() { var s = new MongoClientSettings();"
        "s.MaxConnectionIdleTime = TimeSpan.FromMilliseconds(60000); s.ConnectTimeout = TimeSpan.Zero;"
        "s.SocketTimeout = TimeSpan.FromMinutes(1); s.MaxConnectionPoolSize = 2; return s; }",
    ],
)
def test_options_are_found_wherever_the_settings_are_made(body: str) -> None:
    client = only_client(handler("", body))
    assert options(client) == {
        "maxIdleTimeMS": "60000",
        "connectTimeoutMS": "0",
        "socketTimeoutMS": "60000",
        "maxPoolSize": "2",
    }
    assert client.options_known


@pytest.mark.parametrize(
    "body",
    [
        "var c = new MongoClient(settings);",
        "var c = new MongoClient(Other.Settings());",
        "var s = MongoClientSettings.FromConnectionString(uri);"
        "s.ClusterConfigurator = b => b.Go(); new MongoClient(s);",
    ],
)
def test_settings_made_elsewhere_are_not_known(body: str) -> None:
    assert not only_client(handler("", body)).options_known


def test_credentials_are_options_too() -> None:
    client = only_client(
        handler(
            "",
            """var user = Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID");
            var credential = new MongoCredential("MONGODB-AWS", new MongoExternalIdentity(user),
                new PasswordEvidence(Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY")))
                .WithMechanismProperty("AWS_SESSION_TOKEN", "t");
            var settings = MongoClientSettings.FromConnectionString(uri);
            settings.Credential = credential;
            var client = new MongoClient(settings);""",
        )
    )
    values = {option.name: option.value for option in client.options}
    assert values["username"].environment == ("AWS_ACCESS_KEY_ID",)
    assert values["password"].environment == ("AWS_SECRET_ACCESS_KEY",)
    assert values["authMechanism"].text == "MONGODB-AWS"
    assert values["AWS_SESSION_TOKEN"].text == "t"
