"""
Go: clients, their options, and how often they are constructed.
"""

from __future__ import annotations

import pytest

from warmline.check.source.facts import Client, CodeFacts, Lifetime
from warmline.check.source.languages.go import LANGUAGE
from warmline.check.source.read import read_source
from warmline.check.uri import client_options

HEAD = """
package main
import (
	"context"
	"os"
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)
"""
HEAD_2 = HEAD.replace("mongo-driver/", "mongo-driver/v2/")


def read(text: str, head: str = HEAD) -> CodeFacts:
    return read_source("main.go", (head + text).encode(), LANGUAGE)


def only(text: str, head: str = HEAD) -> Client:
    (client,) = read(text, head).clients
    return client


def given(client: Client) -> dict[str, str | None]:
    return {name: value.text for name, value in client_options(client).items()}


def lifetime(text: str, head: str = HEAD) -> Lifetime:
    return only(text, head).lifetime


CHAIN = "options.Client().ApplyURI(uri).SetMaxPoolSize(10).SetMaxConnIdleTime(60*time.Second)"
IN_CHAIN = {"maxPoolSize": "10", "maxIdleTimeMS": "60000"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"mongo.Connect(ctx, {CHAIN})", IN_CHAIN),
        (f"mongo.NewClient({CHAIN})", IN_CHAIN),
        (f"opts := {CHAIN}\nmongo.Connect(ctx, opts)", IN_CHAIN),
        (f"var opts = {CHAIN}\nmongo.Connect(ctx, opts)", IN_CHAIN),
        (f"opts := {CHAIN}\nopts.SetMinPoolSize(2)\nmongo.Connect(ctx, opts)", IN_CHAIN | {"minPoolSize": "2"}),
        (f"opts := {CHAIN}\nopts = opts.SetMaxPoolSize(5)\nmongo.Connect(ctx, opts)", IN_CHAIN | {"maxPoolSize": "5"}),
        (f"opts := {CHAIN}\nif x {{ opts.SetAppName(`a`) }}\nmongo.Connect(ctx, opts)", IN_CHAIN | {"appName": "a"}),
        (f"mongo.Connect(ctx, {CHAIN}, options.Client().SetMaxPoolSize(3))", IN_CHAIN | {"maxPoolSize": "3"}),
        (f"opts := {CHAIN}\nmongo.Connect(ctx, opts.SetMaxPoolSize(2))", IN_CHAIN | {"maxPoolSize": "2"}),
        ("mongo.Connect(ctx)", {}),
    ],
)
def test_options_are_read_from_chains_variables_and_statements(body: str, expected: dict[str, str]) -> None:
    client = only(f"func main() {{\n{body}\n}}")
    assert (given(client), client.options_known) == (expected, True)


@pytest.mark.parametrize(
    "text",
    [
        "func main() { mongo.Connect(ctx, clientOptions()) }\nfunc clientOptions() *options.ClientOptions {\n"
        "return options.Client().SetMinPoolSize(3) }",
        "var opts = options.Client().SetMinPoolSize(3)\nfunc main() { mongo.Connect(ctx, opts) }",
        "func main() { opts := options.Client().SetMinPoolSize(3)\ngo func() { mongo.Connect(ctx, opts) }() }",
    ],
)
def test_options_are_followed_to_where_they_are_made(text: str) -> None:
    client = only(text)
    assert (given(client), client.options_known) == ({"minPoolSize": "3"}, True)


@pytest.mark.parametrize(
    "body",
    [
        "mongo.Connect(ctx, opts)",
        "mongo.Connect(ctx, opts...)",
        "opts := makeOptions()\nmongo.Connect(ctx, opts)",
        "opts := options.Client()\nconfigure(opts)\nmongo.Connect(ctx, opts)",
        "opts := options.Client()\nopts.MaxPoolSize = &size\nmongo.Connect(ctx, opts)",
        "opts := options.Client()\nif x { opts = options.Client() }\nmongo.Connect(ctx, opts)",
        "opts := options.ClientOptions{}\nmongo.Connect(ctx, &opts)",
    ],
)
def test_options_are_not_known_where_something_else_may_set_them(body: str) -> None:
    assert not only(f"func main() {{\n{body}\n}}").options_known


def test_a_parameter_is_not_the_variable_of_another_function() -> None:
    client = only(
        "func main() { opts := options.Client().SetMinPoolSize(3)\nconnect(opts) }\n"
        "func connect(opts *options.ClientOptions) { opts.SetMaxPoolSize(4)\nmongo.Connect(ctx, opts) }"
    )
    assert (given(client), client.options_known) == ({"maxPoolSize": "4"}, False)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("60*time.Second", "60000"),
        ("time.Second * 60", "60000"),
        ("time.Minute", "60000"),
        ("time.Duration(5) * time.Minute", "300000"),
        ("2 * 60 * time.Second", "120000"),
        ("500*time.Millisecond", "500"),
        ("idle", "45000"),
        ("time.Duration(idleSeconds) * time.Second", "30000"),
        ("0", "0"),
        ("cfg.Idle", None),
        ("time.Duration(cfg.Idle) * time.Second", None),
    ],
)
def test_durations_are_milliseconds(duration: str, expected: str | None) -> None:
    client = only(
        "const idle = 45 * time.Second\nconst idleSeconds = 30\n"
        f"func main() {{ mongo.Connect(ctx, options.Client().SetMaxConnIdleTime({duration})) }}"
    )
    assert given(client) == {"maxIdleTimeMS": expected}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ('"mongodb://h/"', "mongodb://h/"),
        ("`mongodb://h/`", "mongodb://h/"),
        ('"mongodb://" + host + "/?w=1"', "mongodb://{}/?w=1"),
        ('fmt.Sprintf("mongodb://%s:%s@%s/?w=1", user, os.Getenv("P"), host)', "mongodb://{}:{}@{}/?w=1"),
        ('fmt.Sprintf("mongodb://%-5s/%%20", host)', "mongodb://{}/%20"),
        ('fmt.Sprintf("mongodb://%[2]s:%[1]s@h/", a, b)', "mongodb://{}:{}@h/"),
        ('fmt.Sprintf("mongodb://%s", fixed)', "mongodb://example.net"),
        ("fmt.Sprintf(template, host)", None),
        ('strings.Replace("mongodb://u:<password>@h/", "<password>", p, 1)', "mongodb://u:<password>@h/"),
        ('os.Getenv("MONGODB_URI")', None),
    ],
)
def test_the_connection_string_is_read_as_far_as_it_is_known(uri: str, expected: str | None) -> None:
    client = only(
        f'const fixed = "example.net"\nfunc main() {{ mongo.Connect(ctx, options.Client().ApplyURI({uri})) }}'
    )
    assert client.uri is not None
    assert client.uri.text == expected


@pytest.mark.parametrize(
    "statement",
    [
        'uri := os.Getenv("MONGODB_URI")',
        'uri, found := os.LookupEnv("MONGODB_URI")',
        "var uri = os.Getenv(`MONGODB_URI`)",
    ],
)
def test_a_connection_string_from_the_environment_names_its_variable(statement: str) -> None:
    client = only(f"func main() {{ {statement}\nmongo.Connect(ctx, options.Client().ApplyURI(uri)) }}")
    assert client.uri is not None
    assert client.uri.environment == ("MONGODB_URI",)


def test_credentials_are_options() -> None:
    client = only(
        'func main() { credential := options.Credential{AuthMechanism: "MONGODB-AWS", Username: os.Getenv("KEY")}\n'
        "mongo.Connect(ctx, options.Client().SetAuth(credential)) }"
    )
    assert given(client) == {"authMechanism": "MONGODB-AWS", "username": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("func main() { mongo.Connect(options.Client().SetMinPoolSize(1)) }", {"minPoolSize": "1"}),
        ("func main() { mongo.Connect(options.Client().ApplyURI(`mongodb://h/?w=1`)) }", {"w": "1"}),
    ],
)
def test_version_2_takes_no_context(text: str, expected: dict[str, str]) -> None:
    assert given(only(text, HEAD_2)) == expected


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ('driver "go.mongodb.org/mongo-driver/mongo"', "driver.Connect"),
        ('"go.mongodb.org/mongo-driver/mongo"', "mongo.NewClient"),
        ('"go.mongodb.org/mongo-driver/v2/mongo"', "mongo.Connect"),
    ],
)
def test_the_driver_is_known_by_its_module(imported: str, called: str) -> None:
    assert [client.call for client in read(f"import {imported}\nfunc main() {{ {called}(x) }}", "").clients] == [called]


def test_another_package_s_connect_is_none_of_the_driver() -> None:
    assert read('import "example.net/app/mongo"\nfunc main() { mongo.Connect(ctx) } // mongo-driver', "").clients == ()


START = "\nfunc main() { lambda.Start(handle) }"
CONNECT = "mongo.Connect(ctx, options.Client().ApplyURI(uri))"


@pytest.mark.parametrize(
    "text",
    [
        f"func handle() {{ client, _ := {CONNECT} }}{START}",
        f"func main() {{ lambda.Start(func(ctx context.Context) error {{ _, err := {CONNECT}\nreturn err }}) }}",
        f"func (h *H) Handle() {{ {CONNECT} }}\nfunc main() {{ h := &H{{}}\nlambda.Start(h.Handle) }}",
        f"func make() func() {{ return func() {{ {CONNECT} }} }}\nfunc main() {{ lambda.Start(make()) }}",
        f"func handle() {{ {CONNECT} }}\nfunc main() {{ lambda.StartHandler(lambda.NewHandler(handle)) }}",
        f"func handle() {{ {CONNECT} }}\nfunc main() {{ lambda.StartWithOptions(handle, lambda.WithContext(ctx)) }}",
        f"func handle() {{ {CONNECT} }}\nfunc main() {{ lambda.StartWithContext(ctx, handle) }}",
        f"func handle() {{ {CONNECT} }}\nfunc main() {{ lambda.Start(otellambda.InstrumentHandler(handle)) }}",
        f"func handle() {{ use(connect()) }}\nfunc connect() {{ {CONNECT} }}{START}",
        # The local client hides the one that is kept.
        f"var client *mongo.Client\nfunc handle() {{ if client == nil {{ client, err := {CONNECT} }} }}{START}",
        f"var err error\nfunc handle() {{ client, err = {CONNECT} }}{START}",
        f"func Handler(ctx context.Context, e events.APIGatewayProxyRequest) error {{ {CONNECT} }}",
        f"func index(w http.ResponseWriter, r *http.Request) {{ {CONNECT} }}\n"
        'func main() { http.HandleFunc("/", index)\nlambda.Start(httpadapter.New(http.DefaultServeMux).Proxy) }',
        f'func list(c *gin.Context) {{ {CONNECT} }}\nfunc main() {{ r := gin.Default()\nr.GET("/items", list)\n'
        "lambda.Start(ginadapter.New(r).ProxyWithContext) }",
    ],
)
def test_a_client_is_constructed_per_invocation(text: str) -> None:
    assert lifetime(text) is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(
    ("imported", "start"),
    [
        ('runtime "github.com/aws/aws-lambda-go/lambda"', "runtime.Start(handle)"),
        ('. "github.com/aws/aws-lambda-go/lambda"', "Start(handle)"),
        ('"github.com/akrylysov/algnhsa"', "algnhsa.ListenAndServe(handle, nil)"),
    ],
)
def test_lambda_s_runtime_is_known_by_its_module(imported: str, start: str) -> None:
    text = (
        f'import {imported}\nimport "go.mongodb.org/mongo-driver/mongo"\n'
        f"func handle() {{ mongo.Connect(ctx) }}\nfunc main() {{ {start} }}"
    )
    assert lifetime(text, "") is Lifetime.PER_INVOCATION


@pytest.mark.parametrize(
    "text",
    [
        f"var client, err = {CONNECT}{START}",
        f"var client, err = func() (*mongo.Client, error) {{ return {CONNECT} }}()",
        f"var client = connect()\nfunc connect() *mongo.Client {{ c, _ := {CONNECT}\nreturn c }}",
        f"func init() {{ client, _ = {CONNECT} }}",
        f"func main() {{ client, _ := {CONNECT}\nlambda.Start(func() error {{ return client.Ping() }}) }}",
        f"func main() {{ h := newHandler()\nlambda.Start(h.Handle) }}\n"
        f"func newHandler() *H {{ c, _ := {CONNECT}\nreturn &H{{c}} }}\n"
        "func (h *H) Handle() { h.c.Ping() }",
        f"func handle() {{ if client == nil {{ client, _ = {CONNECT} }} }}{START}",
        f"func handle() {{ if client == nil {{ c, err := {CONNECT}\nclient = c }} }}{START}",
        "func handle() { get() }\nfunc get() { if client != nil { return client }\n"
        f"client, _ = {CONNECT}\nreturn client }}{START}",
        f"func handle() {{ if c, ok := clients[uri]; ok {{ return c }}\nclients[uri], _ = {CONNECT} }}{START}",
        f"func handle() {{ c, ok := clients[uri]\nif ok {{ return c }}\nclients[uri], _ = {CONNECT} }}{START}",
        f"func handle() {{ c := client\nif c != nil {{ return c }}\nclient, _ = {CONNECT} }}{START}",
        f"func handle() {{ if client == nil {{ client = connect() }} }}\nfunc connect() {{ {CONNECT} }}{START}",
        f"func (h *H) Handle() {{ if h.client == nil {{ h.client, _ = {CONNECT} }} }}\n"
        "func main() { lambda.Start(h.Handle) }",
        f"func handle() {{ once.Do(func() {{ client, _ = {CONNECT} }}) }}{START}",
        f"func handle() {{ once.Do(func() {{ client = connect() }}) }}\nfunc connect() {{ {CONNECT} }}{START}",
        f"func handle() {{ once.Do(connect) }}\nfunc connect() {{ client, _ = {CONNECT} }}{START}",
        f"var get = sync.OnceValues(func() (*mongo.Client, error) {{ return {CONNECT} }})\n"
        f"func handle() {{ get() }}{START}",
        # What makes the handler is no handler.
        f"func connect() {{ once.Do(func() {{ client, _ = {CONNECT} }}) }}\n"
        "func main() { lambda.Start(make(connect())) }",
        f"func make() func() {{ c, _ := {CONNECT}\nreturn func() {{ c.Ping() }} }}\n"
        "func main() { lambda.Start(make()) }",
    ],
)
def test_a_client_is_constructed_once(text: str) -> None:
    assert lifetime(text) is Lifetime.ONCE


@pytest.mark.parametrize(
    "text",
    [
        # A call of the driver's is none of the function by the same name.
        f"func Connect() {{ {CONNECT} }}\nfunc handle() {{ mongo.Connect(ctx, make()) }}{START}",
        f"func Connect() {{ {CONNECT} }}\nfunc handle() {{ client.Connect(ctx) }}{START}",
        f"func (d *D) connect() {{ {CONNECT} }}\nfunc handle() {{ connect() }}{START}",
    ],
)
def test_a_call_means_a_function_or_a_method_as_it_is_written(text: str) -> None:
    assert read(text).clients[0].lifetime is Lifetime.UNKNOWN
