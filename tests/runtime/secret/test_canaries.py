"""
Secrets are planted wherever a function has them, and all that comes out of its environments is searched for them.

That is their logs, with all loggers at DEBUG, its answers and errors, and what is seen of the objects that it has.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import pymongo
import pytest

from warmline.lab.aws import FunctionSpec, LambdaService
from warmline.lab.aws.function import Initialization
from warmline.lab.cluster import Cluster
from warmline.lab.iam import Credentials, CredentialsEndpoint, Identities
from warmline.lab.workspace import Workspace

from .conftest import AWS, REGION
from .stub import ExtensionStub


def canary() -> str:
    # Also in a URL, as it is in a connection string, and in JSON it is another text.
    return f'{secrets.token_hex(8)}/+:é"{secrets.token_hex(8)}'


def canaries() -> dict[str, str]:
    texts = ("password", "wrong password", "new password", "password of a key", "no connection string")
    # HTTP headers hold ASCII.
    tokens = ("secret access key", "session token")
    return {name: canary() for name in texts} | {name: secrets.token_hex(20) for name in tokens}


def forms(secret: str) -> set[str]:
    """
    The ways to write a secret down, and its random ends alone.
    """
    data = secret.encode()
    texts = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    texts |= {json.dumps(secret)[1:-1], repr(secret)[1:-1], secret[:16], secret[-16:], data.hex()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Within a longer text the same bytes are encoded in one of three ways; what depends on the neighbours is cut.
        texts |= {encode(b"\0" * shift + data).decode()[4:-4] for shift in range(3)}
    return texts


def seen(planted: Mapping[str, str], text: str) -> list[str]:
    return [name for name, secret in planted.items() if any(form in text for form in forms(secret))]


@dataclass(frozen=True)
class Scenario:
    """
    A function, and what its outputs must hold, so that it is known to have done what it is for.

    ``uri`` and ``environment`` may name what is planted: ``{password}``.
    """

    source: str
    holds: str
    uri: str = "{uri}"
    environment: Mapping[str, str] = field(default_factory=dict)
    # Is called between two invocations.
    between: Callable[[Stand], None] | None = None
    initialization: Initialization = "on-demand"


# All loggers write all they have. What a function has is shown in an answer, on its output, and in a log line.
BEGIN = """
import logging, os
for name in (None, "warmline", "pymongo", "botocore", "urllib3"):
    logging.getLogger(name).setLevel(logging.DEBUG)

def show(*things):
    texts = [form(thing) for thing in things for form in (repr, str)]
    print(texts)
    logging.getLogger().error("things: %s", texts)
    return texts

def show_error(error):
    logging.getLogger().exception("failed: %r", error)
    chain = [error]
    while (chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    show(*chain)

from warmline import connect, connect_async, handler
from warmline.runtime.settings import settings
from warmline.runtime.start import start
from warmline.runtime.secret import extension, sdk
# A busy machine may keep the emulator from answering in time.
extension.ANSWER_SECONDS = sdk.READ_SECONDS = 30.0
URI = os.environ["TEST_URI"]
"""

GOOD = """
client = connect(URI)
orders = client["canaries"]["orders"]

@handler
def lambda_handler(event, context):
    orders.insert_one({"a": 1})
    given = settings(URI, {})
    things = (client, client.options, client.options.pool_options, orders, lambda_handler, vars(lambda_handler))
    return show(*things, given, given.secret, start(given, use_pin=True), "went well")
"""

GOOD_ASYNC = """
client = connect_async(URI)

@handler
async def lambda_handler(event, context):
    await client["canaries"]["orders"].insert_one({"a": 1})
    return show(client, client.options, lambda_handler, vars(lambda_handler), "went well")
"""

GOOD_IN_HANDLER = """
@handler
def lambda_handler(event, context):
    client = connect(URI)
    client.admin.command("ping")
    return show(client, settings(URI, {}).secret, "went well")
"""

FAILING = """
client = connect(URI, serverSelectionTimeoutMS=300)

@handler
def lambda_handler(event, context):
    try:
        client.admin.command("ping")
    except Exception as error:
        show_error(error)
        raise
"""

REFUSED = """
def lambda_handler(event, context):
    try:
        connect(URI)
    except Exception as error:
        show_error(error)
        raise
"""

REFUSED_AT_INIT = """
client = connect(URI)
"""

NEW_CONNECTIONS = """
client = connect(URI, maxIdleTimeMS=1)

@handler
def lambda_handler(event, context):
    client.admin.command("ping")
    return show(client, settings(URI, {}).secret, "went well")
"""

CRASH = """
client = connect(URI)

@handler
def lambda_handler(event, context):
    mine = client
    logging.getLogger().error("%r", locals())
    raise RuntimeError(f"crashed with {mine!r}, {locals()!r}")
"""

WRONG = "mongodb://canary:{wrong password}@{host}/?authSource=admin"

SCENARIOS = {
    "a-connection-string": Scenario(GOOD, "went well"),
    "asynchronous": Scenario(GOOD_ASYNC, "went well"),
    "options": Scenario(
        GOOD.replace("connect(URI)", "connect(URI, username='canary', password=os.environ['TEST_PASSWORD'])"),
        "went well",
        uri="mongodb://{host}/?authSource=admin",
        environment={"TEST_PASSWORD": "{raw password}"},
    ),
    "metrics": Scenario(GOOD, "went well", environment={"WARMLINE_METRICS": "emf"}),
    "a-secret-by-the-sdk": Scenario(GOOD, "went well", uri="secretsmanager:canary"),
    "a-secret-of-a-json-object": Scenario(GOOD, "went well", uri="secretsmanager:canary-json#uri"),
    "a-parameter-by-the-sdk": Scenario(GOOD_ASYNC, "went well", uri="ssm:/canary"),
    "a-secret-by-the-extension": Scenario(
        GOOD_IN_HANDLER, "went well", uri="secretsmanager:canary", environment={"TEST_EXTENSION": "yes"}
    ),
    "container-credentials": Scenario(GOOD, "went well", uri="secretsmanager:canary", initialization="snap-start"),
    "a-rotation": Scenario(NEW_CONNECTIONS, "went well", uri="secretsmanager:rotated", between=lambda s: s.rotate()),
    "a-rotation-that-fails": Scenario(
        NEW_CONNECTIONS, "in vain", uri="secretsmanager:broken", between=lambda s: s.rotate_badly()
    ),
    "a-crash": Scenario(CRASH, "crashed with MongoClient("),
    "nobody-there": Scenario(FAILING, "Connection refused", uri="mongodb://canary:{password}@127.0.0.1:1/"),
    "an-unknown-host": Scenario(FAILING, "Next step: ", uri="mongodb://canary:{password}@nowhere.invalid/"),
    "no-such-cluster": Scenario(FAILING, "Next step: ", uri="mongodb+srv://canary:{password}@nowhere.invalid/"),
    "a-wrong-password": Scenario(FAILING, "Authentication failed", uri=WRONG),
    "a-wrong-password-in-a-secret": Scenario(FAILING, "Authentication failed", uri="ssm:/canary/wrong"),
    "a-malformed-string": Scenario(REFUSED, "percent-encode", uri="mongodb://canary:{raw password}@{host}/"),
    "a-malformed-string-at-init": Scenario(
        REFUSED_AT_INIT, "percent-encode", uri="mongodb://canary:{raw password}@{host}"
    ),
    "a-malformed-string-in-a-secret": Scenario(REFUSED, "percent-encode", uri="ssm:/canary/malformed"),
    "no-scheme": Scenario(REFUSED, "does not begin with", uri="canary:{password}@{host}/"),
    "another-scheme": Scenario(REFUSED, "does not begin with", uri="postgres://canary:{password}@{host}/"),
    "a-bad-option": Scenario(REFUSED, "maxPoolSize", uri="{uri}&maxPoolSize=many"),
    "an-unknown-option": Scenario(REFUSED, "does not know an option", uri="{uri}&password={wrong password}"),
    "a-certificate-that-is-not-there": Scenario(
        REFUSED,
        "tlsCertificateKeyFile",
        uri="{uri}&tls=true&tlsCertificateKeyFile=/nowhere&tlsCertificateKeyFilePassword={password of a key}",
    ),
    "a-session-token-in-the-string": Scenario(
        REFUSED,
        "authMechanism",
        uri="mongodb://{host}/?authMechanism=SCRAM-SHA-256&authMechanismProperties=AWS_SESSION_TOKEN:{session token}",
    ),
    "a-reference-that-is-none": Scenario(REFUSED, "is malformed", uri="ssm:mongodb://canary:{password}@{host}/"),
    "no-such-secret": Scenario(REFUSED, "ResourceNotFoundException", uri="secretsmanager:nowhere"),
    "no-such-secret-at-init": Scenario(REFUSED_AT_INIT, "ParameterNotFound", uri="ssm:/nowhere"),
    "no-such-secret-of-the-extension": Scenario(
        REFUSED, "ResourceNotFoundException", uri="secretsmanager:nowhere", environment={"TEST_EXTENSION": "yes"}
    ),
    "no-way-to-aws": Scenario(
        REFUSED, "EndpointConnectionError", uri="ssm:/canary", environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    ),
    "a-secret-that-is-none": Scenario(REFUSED, "is no connection string", uri="ssm:/canary/none"),
    "a-secret-of-json-that-is-none": Scenario(REFUSED, "is none; correct it", uri="ssm:/canary/broken-json"),
    "a-secret-of-json-without-one": Scenario(REFUSED, "no values are connection strings", uri="ssm:/canary/no-uri"),
}


USERS = ("canary", "rotated", "broken")


class Stand:
    """
    A user of a server whose password is planted, and secrets of all kinds with it.
    """

    def __init__(self, cluster: Cluster, aws: AWS, stub: ExtensionStub, planted: dict[str, str]) -> None:
        self.aws = aws
        self.stub = stub
        self.planted = planted
        self.host, _, query = cluster.uri.removeprefix("mongodb://").partition("/")
        self.query = f"{query}{'&' if query else '?'}authSource=admin"
        self.admin: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(cluster.uri)
        for user in USERS:
            self.admin.admin.command("createUser", user, pwd=planted["password"], roles=["root"])
        uri = self.uri("canary", "password")
        aws.secret("canary", uri)
        aws.secret("canary-json", json.dumps({"uri": uri, "password": planted["password"]}))
        for user in ("rotated", "broken"):
            aws.secret(user, self.uri(user, "password"))
        aws.parameter("/canary", uri)
        aws.parameter("/canary/wrong", self.uri("canary", "wrong password"))
        aws.parameter("/canary/malformed", f"mongodb://canary:{planted['password']}@{self.host}/")
        aws.parameter("/canary/none", planted["no connection string"])
        aws.parameter("/canary/broken-json", f'{{"uri": "{uri}"')
        aws.parameter("/canary/no-uri", json.dumps({"password": planted["password"]}))

    def close(self) -> None:
        for user in USERS:
            self.admin.admin.command("dropUser", user)
        self.admin.drop_database("canaries")
        self.admin.close()

    def uri(self, user: str, password: str) -> str:
        return f"mongodb://{user}:{quote_plus(self.planted[password])}@{self.host}/{self.query}"

    def rotate(self) -> None:
        self.admin.admin.command("updateUser", "rotated", pwd=self.planted["new password"])
        self.aws.rotate("rotated", self.uri("rotated", "new password"))

    def rotate_badly(self) -> None:
        self.admin.admin.command("updateUser", "broken", pwd=self.planted["new password"])
        self.aws.rotate("broken", self.planted["new password"])

    def environment(self, scenario: Scenario) -> dict[str, str]:
        names = {
            **{name: quote_plus(secret) for name, secret in self.planted.items()},
            "raw password": self.planted["password"],
            "host": self.host,
            "uri": self.uri("canary", "password"),
        }
        variables = {name: value.format_map(names) for name, value in scenario.environment.items()}
        extension = variables.pop("TEST_EXTENSION", None)
        variables = {
            "TEST_URI": scenario.uri.format_map(names),
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # Where the extension is not, nobody listens.
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(self.stub.port) if extension else "1",
            **variables,
        }
        if scenario.initialization == "on-demand":
            variables |= {
                "AWS_ACCESS_KEY_ID": "ASIACANARY",
                "AWS_SECRET_ACCESS_KEY": self.planted["secret access key"],
                "AWS_SESSION_TOKEN": self.planted["session token"],
            }
        return variables


class Noted(Identities):
    """
    Plants the credentials that it gives out.
    """

    def __init__(self, planted: dict[str, str]) -> None:
        super().__init__()
        self._planted = planted

    def assume_role(self, role_name: str, session_name: str = "lab", lifetime_seconds: float = 3600) -> Credentials:
        credentials = super().assume_role(role_name, session_name, lifetime_seconds)
        number = len(self._planted)
        self._planted[f"container's key {number}"] = credentials.secret_access_key
        self._planted[f"container's session {number}"] = credentials.session_token or ""
        return credentials


@dataclass(frozen=True)
class Outputs:
    """
    What all the functions have put out, by the names of their scenarios, and what is planted in them.
    """

    planted: Mapping[str, str] = field(repr=False)
    texts: Mapping[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def outputs(single: Cluster, emulator: AWS, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    planted = canaries()
    stub = ExtensionStub(emulator.fetch, planted["session token"])
    stand = Stand(single, emulator, stub, planted)
    texts: dict[str, str] = {}

    async def run(service: LambdaService, name: str, scenario: Scenario, environment: dict[str, str]) -> None:
        code = tmp_path_factory.mktemp(name)
        (code / "app.py").write_text(BEGIN + scenario.source)
        service.deploy(
            FunctionSpec(
                name,
                code,
                environment=stand.environment(scenario) | environment,
                timeout_seconds=30,
                initialization=scenario.initialization,
            )
        )
        results = [await service.invoke(name)]
        if scenario.between is not None:
            await asyncio.to_thread(scenario.between, stand)
            results.append(await service.invoke(name))
        await service.settled()
        parts = [result.payload.decode() + result.log_tail for result in results]
        texts[name] = "\n".join(parts)

    async def run_all() -> None:
        with Workspace() as workspace:
            async with LambdaService(workspace) as service, CredentialsEndpoint(Noted(planted), "orders") as endpoint:
                container = endpoint.environment()
                planted["container's token"] = container["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
                await asyncio.gather(
                    *(
                        run(service, name, scenario, container if scenario.initialization == "snap-start" else {})
                        for name, scenario in SCENARIOS.items()
                    )
                )
            for log in workspace.logs.iterdir():
                name = log.stem.rpartition("-")[0]
                if name in texts:
                    texts[name] += log.read_text()

    try:
        asyncio.run(run_all())
    finally:
        stub.close()
        stand.close()
    return Outputs(planted, texts)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_function_puts_out_no_secret(outputs: Outputs, name: str) -> None:
    text = outputs.texts[name]
    assert SCENARIOS[name].holds in text, text[-3000:]
    assert seen(outputs.planted, text) == []


def test_the_functions_have_logged_what_they_could(outputs: Outputs) -> None:
    everything = "".join(outputs.texts.values())
    assert "[DEBUG]" in everything
    assert "serverSelection" in everything or "Server selection" in everything
    assert "Command started" in everything


def test_pymongos_own_repr_of_a_client_shows_the_password_of_a_key() -> None:
    # Not ours to change, and so in the docs. If this fails, PyMongo hides it now, and the docs can say so.
    with pymongo.MongoClient[dict[str, Any]](
        "mongodb://host/?tls=true", tlsCertificateKeyFilePassword="s3cr3t", connect=False
    ) as client:
        assert "s3cr3t" in repr(client)


@pytest.mark.parametrize("encode", [str, quote_plus, json.dumps, repr, lambda text: f"x{text[:20]}"])
def test_the_search_finds_a_secret_however_it_is_written(encode: Callable[[str], str]) -> None:
    planted = canaries()
    for name, secret in planted.items():
        assert seen(planted, f"some text {encode(secret)} and more") == [name]


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_the_search_finds_what_is_encoded_together_with_its_neighbours(before: str) -> None:
    planted = canaries()
    for name, secret in planted.items():
        text = base64.b64encode(f"{before}{secret}, and more".encode()).decode()
        assert seen(planted, f"Authorization: Basic {text}") == [name]
