"""
Rust: clients, their options, and how often they are constructed.
"""

from __future__ import annotations

import pytest

from warmline.check.source.facts import Client, CodeFacts, Lifetime
from warmline.check.source.languages.rust import LANGUAGE
from warmline.check.source.read import read_source
from warmline.check.uri import client_options

HEAD = """
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use mongodb::{bson::doc, options::{ClientOptions, Credential}, Client};
use std::{env, time::Duration};
"""
PARSE = 'ClientOptions::parse("mongodb://h/").await?'


def read(text: str, head: str = HEAD) -> CodeFacts:
    return read_source("main.rs", (head + text).encode(), LANGUAGE)


def only(text: str, head: str = HEAD) -> Client:
    (client,) = read(text, head).clients
    return client


def within(body: str) -> Client:
    return only(f"async fn connect() -> Client {{\n{body}\n}}")


def given(client: Client) -> dict[str, str | None]:
    return {name: value.text for name, value in client_options(client).items()}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"Client::with_options({PARSE})?", {}),
        (f"let o = {PARSE};\nClient::with_options(o)?", {}),
        (
            f"let mut o = {PARSE};\no.max_idle_time = Some(Duration::from_secs(60));\no.min_pool_size = Some(2);\n"
            "Client::with_options(o.clone())?",
            {"maxIdleTimeMS": "60000", "minPoolSize": "2"},
        ),
        (
            f"let mut o = {PARSE};\nif x {{ o.max_idle_time = Some(IDLE); }}\nClient::with_options(o).unwrap()",
            {"maxIdleTimeMS": "45000"},
        ),
        (
            f"let mut o = {PARSE};\no.max_idle_time = Some(std::time::Duration::from_millis(5 * 100));\n"
            "Client::with_options(o)?",
            {"maxIdleTimeMS": "500"},
        ),
        (f"let mut o = {PARSE};\no.max_idle_time = None;\nClient::with_options(o)?", {"maxIdleTimeMS": "null"}),
        (
            "Client::with_options(ClientOptions::builder().hosts(hosts).max_pool_size(Some(5)).build())?",
            {"maxPoolSize": "5"},
        ),
        (
            "let o = ClientOptions { min_pool_size: Some(1), hosts, ..Default::default() };\nClient::with_options(o)?",
            {"minPoolSize": "1"},
        ),
        ('Client::with_uri_str("mongodb://h/?w=1").await?', {"w": "1"}),
    ],
)
def test_options_are_read_from_fields_builders_and_literals(body: str, expected: dict[str, str]) -> None:
    client = only(f"const IDLE: Duration = Duration::from_secs(45);\nasync fn connect() {{\n{body}\n}}")
    assert (given(client), client.options_known) == (expected, True)


@pytest.mark.parametrize(
    "body",
    [
        "Client::with_options(options)?",
        "let o = make_options();\nClient::with_options(o)?",
        f"let mut o = {PARSE};\nconfigure(&mut o);\nClient::with_options(o)?",
        f"let mut o = {PARSE};\no = tuned(o);\nClient::with_options(o)?",
        "let o = ClientOptions { hosts, ..base };\nClient::with_options(o)?",
    ],
)
def test_options_are_not_known_where_something_else_may_set_them(body: str) -> None:
    assert not within(body).options_known


def test_a_credential_s_fields_are_options() -> None:
    client = within(
        "let credential = Credential::builder().mechanism(AuthMechanism::MongoDbAws)"
        f".username(env::var(`KEY`).unwrap()).build();\nlet mut o = {PARSE};\no.credential = Some(credential);\n"
        "Client::with_options(o)?".replace("`", '"')
    )
    assert given(client) == {"authMechanism": "MONGODB-AWS", "username": None}
    assert client_options(client)["username"].environment == ("KEY",)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ('"mongodb://h/"', "mongodb://h/"),
        ('"mongodb://h/".to_string()', "mongodb://h/"),
        ('&String::from("mongodb://h/")', "mongodb://h/"),
        ("URI", "mongodb://constant/"),
        ('format!("mongodb://{}:{password}@{}/?w=1", user, hosts[0])', "mongodb://{}:{}@{}/?w=1"),
        ('format!("mongodb://{{{}}}", fixed)', "mongodb://{{}}"),
        ("make_uri()", None),
    ],
)
def test_the_connection_string_is_read_as_far_as_it_is_known(uri: str, expected: str | None) -> None:
    client = only(
        f'const URI: &str = "mongodb://constant/";\nasync fn connect() {{ Client::with_uri_str({uri}).await.unwrap() }}'
    )
    assert client.uri is not None
    assert client.uri.text == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ('env::var("MONGODB_URI")?', None),
        ('&std::env::var("MONGODB_URI").expect("MONGODB_URI must be set")', None),
        ('env!("MONGODB_URI")', None),
        ('env::var("MONGODB_URI").unwrap_or_else(|_| "mongodb://localhost/".to_string())', "mongodb://localhost/"),
        ('env::var("MONGODB_URI").unwrap_or("mongodb://localhost/".into())', "mongodb://localhost/"),
    ],
)
def test_a_connection_string_from_the_environment_names_its_variable(uri: str, expected: str | None) -> None:
    client = within(f"let uri = {uri};\nClient::with_uri_str(uri).await?")
    assert client.uri is not None
    assert (client.uri.environment, client.uri.text) == (("MONGODB_URI",), expected)


@pytest.mark.parametrize(
    ("used", "called", "asynchronous"),
    [
        ("use mongodb::Client;", "Client::with_uri_str", True),
        ("use mongodb::Client as Mongo;", "Mongo::with_uri_str", True),
        ("use mongodb;", "mongodb::Client::with_uri_str", True),
        ("", "mongodb::Client::with_uri_str", True),
        ("use mongodb::{options::ClientOptions, sync::Client};", "Client::with_uri_str", False),
        ("use mongodb::sync;", "sync::Client::with_uri_str", False),
        ("", "mongodb::sync::Client::with_uri_str", False),
    ],
)
def test_the_driver_is_known_by_its_crate(used: str, called: str, asynchronous: bool) -> None:
    client = only(f"fn connect() {{ {called}(uri) }}", used)
    assert (client.call, client.asynchronous) == (called, asynchronous)


def test_another_crate_s_client_is_none_of_the_driver() -> None:
    assert read("fn connect() { Client::with_options(o) } // mongodb", "use elasticsearch::Client;").clients == ()


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("use a::b::C;", [("C", "a::b", "C")]),
        ("use a::{b, c::{D, E as F}};", [("b", "a", "b"), ("D", "a::c", "D"), ("F", "a::c", "E")]),
        ("use a;", [("a", "a", None)]),
        ("use a::b::{self, C};", [("b", "a", "b"), ("C", "a::b", "C")]),
    ],
)
def test_a_use_declaration_names_what_it_imports(declaration: str, expected: list[tuple[str, str, str | None]]) -> None:
    facts = read(declaration, "")
    assert [(found.name, found.module, found.imported) for found in facts.imports] == expected


START = "\nasync fn main() { run(service_fn(handler)).await }"
CONNECT = "Client::with_uri_str(uri).await?"


@pytest.mark.parametrize(
    "text",
    [
        f"async fn handler(e: LambdaEvent<Value>) {{ {CONNECT}; }}{START}",
        f"async fn handler(e: E) {{ connect().await; }}\nasync fn connect() {{ {CONNECT} }}{START}",
        f"async fn main() {{ run(service_fn(|event: LambdaEvent<Value>| async move {{ {CONNECT}; }})).await }}",
        f"async fn main() {{ run(service_fn(move |e| handle(&state, e))).await }}\nasync fn handle() {{ {CONNECT} }}",
        f"async fn main() {{ lambda_runtime::run(handler_fn(my)).await }}\nasync fn my() {{ {CONNECT} }}",
        f"pub async fn function_handler(event: LambdaEvent<Value>) {{ {CONNECT} }}",
        f"impl Db {{ async fn new() -> Db {{ {CONNECT} }} }}\nasync fn handler(e: E) {{ Db::new().await }}{START}",
        f"async fn handler(e: E) {{ let client = None; if client.is_none() {{ let client = {CONNECT}; }} }}{START}",
    ],
)
def test_a_client_is_constructed_per_invocation(text: str) -> None:
    assert only(text).lifetime is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(
    "text",
    [
        f"use lambda_http::{{run, service_fn, Request}};\npub async fn index(event: Request) {{ {CONNECT} }}",
        f"use lambda_http::run;\nuse axum::{{routing::get, Router}};\nasync fn list() {{ {CONNECT} }}\n"
        'async fn main() { run(Router::new().route("/", get(list))).await }',
        f"use lambda_http::run;\nuse axum::{{routing::get, Router}};\nasync fn add() {{ {CONNECT} }}\n"
        'async fn main() { run(Router::new().route("/", get(list).post(add))).await }',
    ],
)
def test_an_http_handler_runs_for_every_invocation(text: str) -> None:
    assert only(text, "use mongodb::Client;\n").lifetime is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(
    "text",
    [
        f"async fn main() {{ let client = {CONNECT}; run(service_fn(|e| handler(&client, e))).await }}",
        f"async fn main() {{ let client = {CONNECT};\nlet client = &client;\n"
        "run(service_fn(move |e| async move { handler(client, e).await })).await }",
        f"async fn main() {{ let state = State::new().await; run(service_fn(|e| handler(&state, e))).await }}\n"
        f"impl State {{ async fn new() -> Self {{ {CONNECT} }} }}",
        f"static C: OnceCell<Client> = OnceCell::const_new();\n"
        f"async fn handler(e: E) {{ C.get_or_init(|| async {{ {CONNECT} }}).await; }}{START}",
        f"static C: OnceCell<Client> = OnceCell::const_new();\n"
        f"async fn handler(e: E) {{ get().await; }}\n"
        f"async fn get() -> &'static Client {{ C.get_or_try_init(|| async {{ {CONNECT} }}).await }}{START}",
        f"async fn handler(e: E) {{ STATE.get_or_init(State::new).await; }}\n"
        f"impl State {{ async fn new() -> Self {{ {CONNECT} }} }}{START}",
        f"async fn handler(e: E) {{ C.get_or_init(|| connect()).await; }}\nasync fn connect() {{ {CONNECT} }}{START}",
        f"static C: LazyLock<Client> = LazyLock::new(|| connect());\nfn connect() -> Client {{ {CONNECT} }}",
        f"static C: Lazy<Client> = Lazy::new(|| {{ {CONNECT} }});",
        f"async fn handler(e: E) {{ if C.get().is_none() {{ let c = {CONNECT}; C.set(c); }} }}{START}",
        "async fn handler(e: E) { match C.get() { Some(c) => c, None => "
        f"{{ let c = {CONNECT}; C.set(c); }} }} }}{START}",
        f"async fn handler(e: E) {{ if let Some(c) = C.get() {{ return c; }} let c = {CONNECT}; C.set(c); }}{START}",
        "async fn handler(e: E) { let mut kept = C.lock().await; "
        f"if kept.is_none() {{ *kept = Some({CONNECT}); }} }}{START}",
        f"static mut C: Option<Client> = None;\n"
        f"async fn handler(e: E) {{ unsafe {{ if C.is_none() {{ C = Some({CONNECT}); }} }} }}{START}",
    ],
)
def test_a_client_is_constructed_once(text: str) -> None:
    assert only(text).lifetime is Lifetime.ONCE


@pytest.mark.parametrize(
    "text",
    [
        f"impl Db {{ async fn new() -> Db {{ {CONNECT} }} }}\nasync fn handler(e: E) {{ Response::new() }}{START}",
        f"impl Db {{ async fn connect() -> Db {{ {CONNECT} }} }}\nasync fn handler(e: E) {{ connect() }}{START}",
        f"async fn connect() -> Db {{ {CONNECT} }}\nasync fn handler(e: E) {{ redis::connect() }}{START}",
        f"async fn connect() -> Db {{ {CONNECT} }}\nasync fn handler(e: E) {{ socket.connect() }}{START}",
    ],
)
def test_a_call_means_a_function_or_a_method_as_it_is_written(text: str) -> None:
    assert only(text).lifetime is Lifetime.UNKNOWN


def test_a_macro_is_a_call_of_what_stands_in_it() -> None:
    (printed,) = [call for call in read('fn show() { println!("{}", uri); }').calls if call.name == "println"]
    assert [value.names for value in printed.arguments] == [(), ("uri",)]
