"""
What is read of Ruby: handlers, what runs once, and what a client is constructed with.
"""

from __future__ import annotations

import pytest

from warmline.check.source.facts import Client, Lifetime
from warmline.check.source.languages.ruby import LANGUAGE
from warmline.check.source.read import read_source


def only_client(text: str) -> Client:
    (client,) = read_source("app.rb", text.replace("CREATE", "Mongo::Client.new(uri)").encode(), LANGUAGE).clients
    return client


def handler(body: str) -> str:
    return f"\ndef lambda_handler(event:, context:)\n  {body}\nend\n"


@pytest.mark.parametrize(
    "text",
    [
        "$client = CREATE" + handler("$client[:a]"),
        "CLIENT = CREATE" + handler("CLIENT[:a]"),
        # The method can't see it, but it is constructed once.
        "client = CREATE" + handler("client[:a]"),
        handler("$client ||= CREATE"),
        handler("@client ||= CREATE"),
        handler("LOCK.synchronize { $client ||= CREATE }"),
        handler("$client = CREATE if $client.nil?"),
        handler("$client = CREATE unless $client"),
        handler("$client = $client ? $client : CREATE"),
        "def client\n  @client ||= CREATE\nend" + handler("client[:a]"),
        "def client\n  return @client if @client\n  @client = CREATE\nend" + handler("client[:a]"),
        "module Db\n  def self.client\n    @client ||= begin\n CREATE\n end\n  end\nend" + handler("Db.client[:a]"),
        "class Db\n class << self\n  def client\n   @client ||= CREATE\n  end\n end\nend" + handler("Db.client[:a]"),
        "class Db\n  def self.client\n    @@client ||= CREATE\n  end\nend" + handler("Db.client[:a]"),
        "class Repo\n def initialize\n  @c = CREATE\n end\nend\nREPO = Repo.new" + handler("REPO.go"),
        "Mongoid.load!('mongoid.yml', :production)" + handler("Order.first"),
    ],
)
def test_it_is_constructed_once(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.ONCE


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (handler("client = CREATE"), ["lambda_handler"]),
        (handler("client ||= CREATE"), ["lambda_handler"]),
        ("def connect\n  CREATE\nend" + handler("connect[:a]"), ["lambda_handler", "connect"]),
        ("def connect\n  CREATE\nend" + handler("client = connect()"), ["lambda_handler", "connect"]),
        ("class Db\n def self.client\n  CREATE\n end\nend" + handler("Db.client[:a]"), ["lambda_handler", "client"]),
        (
            "class Repo\n def initialize\n  @c = CREATE\n end\nend" + handler("Repo.new.go"),
            ["lambda_handler", "initialize"],
        ),
        ("class App\n def self.process(event:, context:)\n  CREATE\n end\nend", ["process"]),
        (handler("Mongoid.load!('mongoid.yml')"), ["lambda_handler"]),
    ],
)
def test_it_is_constructed_in_every_invocation(text: str, way: list[str]) -> None:
    client = only_client(text)
    assert client.lifetime is Lifetime.PER_INVOCATION
    assert [step.text for step in client.path[:-1]] == way


@pytest.mark.parametrize(
    "text",
    [
        "def connect\n  CREATE\nend" + handler("other.connect"),
        "get '/orders' do\n  CREATE\nend",
        "def connect\n  CREATE\nend" + handler("connect = 1\n  connect + 1"),
    ],
)
def test_it_is_not_known_how_often(text: str) -> None:
    assert only_client(text).lifetime is Lifetime.UNKNOWN


@pytest.mark.parametrize(
    ("expression", "text", "environment"),
    [
        ("'mongodb://h'", "mongodb://h", ()),
        ("'mongodb://' 'h'", "mongodb://h", ()),
        ("'mongodb://' + 'h'", "mongodb://h", ()),
        ('"mongodb://#{HOST}"', "mongodb://h", ()),
        ("ENV['URI']", None, ("URI",)),
        ("ENV.fetch('URI')", None, ("URI",)),
        ("ENV.fetch('URI', 'mongodb://h')", "mongodb://h", ("URI",)),
        ("ENV.fetch('URI') { 'mongodb://h' }", "mongodb://h", ("URI",)),
        ("ENV['URI'] || 'mongodb://h'", "mongodb://h", ("URI",)),
    ],
)
def test_the_connection_string_is_found(expression: str, text: str | None, environment: tuple[str, ...]) -> None:
    client = only_client(f"HOST = 'h'\n$client = Mongo::Client.new({expression})")
    assert client.uri is not None
    assert (client.uri.text, client.uri.environment) == (text, environment)
    assert client.options_known


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        ("uri, max_idle_time: 60, min_pool_size: 0", True),
        ("uri, :max_idle_time => 60, :min_pool_size => 0", True),
        ("uri, { max_idle_time: 60, 'min_pool_size' => 0 }", True),
        ("['h:27017'], OPTIONS", True),
        ("uri, max_idle_time: 60, min_pool_size: 0, **more", False),
        ("uri, OPTIONS, more", False),
    ],
)
def test_options_have_the_names_and_units_of_connection_strings(arguments: str, known: bool) -> None:
    text = "OPTIONS = { max_idle_time: 60, min_pool_size: 0 }.freeze\n$client = Mongo::Client.new(" + arguments + ")"
    client = only_client(text)
    assert {option.name: option.value.text for option in client.options} == {
        "maxIdleTimeMS": "60000",
        "minPoolSize": "0",
    }
    assert client.options_known is known


def test_credentials_are_options_too() -> None:
    client = only_client(
        "$client = Mongo::Client.new(hosts, auth_mech: :aws, user: ENV['AWS_ACCESS_KEY_ID'], password: 'p',"
        " auth_mech_properties: { aws_session_token: ENV['AWS_SESSION_TOKEN'] })"
    )
    values = {option.name: option.value for option in client.options}
    assert values["authMechanism"].text == "MONGODB-AWS"
    assert values["username"].environment == ("AWS_ACCESS_KEY_ID",)
    assert values["password"].text == "p"
    assert values["AWS_SESSION_TOKEN"].environment == ("AWS_SESSION_TOKEN",)
