"""
What an Atlas user sees in each case: with unmodified PyMongo and pymongo-auth-aws, and with warmline, which does
without the latter and without boto3.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warmline.lab.atlas import AtlasCluster
from warmline.lab.iam import Credentials, CredentialsEndpoint, environment

from .conftest import CLIENTS, ROLE, Outcome, Program

INSERT = 'return client()["shop"]["orders"].insert_one({}).acknowledged'

STS_REFUSED = "bad auth : aws sts call has response 403"
NO_USER = "bad auth : Authentication failed."


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run_program(run_program: Program, client: str) -> Program:
    return functools.partial(run_program, client=client)


def role(cluster: AtlasCluster) -> dict[str, str]:
    return environment(cluster.identities.assume_role("orders"))


def wrong_secret(cluster: AtlasCluster) -> dict[str, str]:
    return {**role(cluster), "AWS_SECRET_ACCESS_KEY": "wrong"}


def missing_token(cluster: AtlasCluster) -> dict[str, str]:
    return {name: value for name, value in role(cluster).items() if name != "AWS_SESSION_TOKEN"}


def expired(cluster: AtlasCluster) -> dict[str, str]:
    credentials = cluster.identities.assume_role("orders")
    cluster.identities.expire(credentials)
    return environment(credentials)


def revoked(cluster: AtlasCluster) -> dict[str, str]:
    credentials = cluster.identities.assume_role("orders")
    cluster.identities.revoke(credentials)
    return environment(credentials)


def another_role(cluster: AtlasCluster) -> dict[str, str]:
    return environment(cluster.identities.assume_role("nobody"))


def unknown_key(cluster: AtlasCluster) -> dict[str, str]:
    return environment(Credentials("AKIAUNKNOWN000000000", "secret"))


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        (wrong_secret, STS_REFUSED),
        (expired, STS_REFUSED),
        (revoked, STS_REFUSED),
        (missing_token, STS_REFUSED),
        (unknown_key, STS_REFUSED),
        (another_role, NO_USER),
    ],
)
def test_who_may_not_log_in_is_told_what_atlas_tells(
    iam: AtlasCluster, run_program: Program, variables: Callable[[AtlasCluster], Mapping[str, str]], text: str
) -> None:
    seen = run_program(iam, INSERT, uri=iam.uri(), variables=variables(iam))
    assert (seen.error, seen.value) == ("OperationFailure", 8000)
    assert text in seen.text


def test_a_role_that_is_a_database_user_may_write_its_database_and_no_other(
    iam: AtlasCluster, run_program: Program
) -> None:
    assert run_program(iam, INSERT, uri=iam.uri(), variables=role(iam)).value is True
    who = 'return client().admin.command("connectionStatus")["authInfo"]["authenticatedUsers"][0]["user"]'
    assert run_program(iam, who, uri=iam.uri(), variables=role(iam)).value == ROLE
    elsewhere = 'return client()["payroll"]["salaries"].find_one({})'
    refused = run_program(iam, elsewhere, uri=iam.uri(), variables=role(iam))
    assert (refused.error, refused.value) == ("OperationFailure", 13)
    assert "not authorized on payroll" in refused.text


def test_an_iam_user_logs_in_without_a_token(iam: AtlasCluster, run_program: Program, client: str) -> None:
    credentials = iam.identities.user_key(f"ada-{client}")
    iam.allow(f"arn:aws:iam::123456789012:user/ada-{client}")
    variables = environment(credentials)
    assert "AWS_SESSION_TOKEN" not in variables
    assert run_program(iam, INSERT, uri=iam.uri(), variables=variables).value is True


def test_credentials_come_from_a_container_endpoint_as_under_snapstart(iam: AtlasCluster, run_program: Program) -> None:
    async def scenario() -> int:
        async with CredentialsEndpoint(iam.identities, "orders") as endpoint:
            program = asyncio.to_thread(run_program, iam, INSERT, uri=iam.uri(), variables=endpoint.environment())
            assert (await program).value is True
            return endpoint.requests

    assert asyncio.run(scenario()) > 0


NO_CREDENTIALS = {
    "pymongo": ("OperationFailure", "credentials could not be obtained"),
    "warmline": ("ConfigurationError", "pip install 'warmline[aws]'"),
    "warmline-async": ("ConfigurationError", "pip install 'warmline[aws]'"),
}


def test_without_credentials_the_driver_says_so_itself(iam: AtlasCluster, run_program: Program, client: str) -> None:
    seen = run_program(iam, INSERT, uri=iam.uri())
    error, text = NO_CREDENTIALS[client]
    assert seen.error == error
    assert text in seen.text
    assert "\n" not in seen.text


@pytest.mark.parametrize("kind", ["role", "user"])
def test_credentials_may_be_given_as_options(iam: AtlasCluster, run_program: Program, client: str, kind: str) -> None:
    if kind == "role":
        credentials = iam.identities.assume_role("orders")
    else:
        credentials = iam.identities.user_key(f"grace-{client}")
        iam.allow(f"arn:aws:iam::123456789012:user/grace-{client}")
    given: dict[str, object] = {"username": credentials.access_key_id, "password": credentials.secret_access_key}
    if credentials.session_token:
        given["authMechanismProperties"] = {"AWS_SESSION_TOKEN": credentials.session_token}
    # They win over the environment's.
    variables = environment(Credentials("AKIAUNKNOWN000000000", "secret"))
    body = INSERT.replace("client()", f"client(**{given!r})")
    assert run_program(iam, body, uri=iam.uri(), variables=variables).value is True
    body = INSERT.replace("client()", f"client(**{ {**given, 'password': 'wrong'}!r})")
    assert STS_REFUSED in run_program(iam, body, uri=iam.uri(), variables=role(iam)).text


# Opens a connection, waits until the test has done what it does, and opens more; the open one goes on in any case.
OUTLIVE = """
one = client(maxPoolSize=10, serverSelectionTimeoutMS=2000)
orders = one["shop"]["orders"]
# Something for the operations below to be slow about.
orders.insert_one({{}})
import pathlib, time
here = pathlib.Path({folder!r})
(here / "logged-in").touch()
while not (here / "done").exists():
    time.sleep(0.02)
{then}
orders.find_one({{}})
def error_of(_):
    try:
        orders.find_one({{"$where": "sleep(200) || true"}})
    except Exception as error:
        return error
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(6) as threads:
    errors = list(filter(None, threads.map(error_of, range(6))))
# A login that is refused pauses the pool, which is what some of the others see: not the cause.
for error in sorted(errors, key=lambda error: "connection pool paused" in str(error)):
    raise error
return "more connections"
"""


@pytest.fixture
def outlive(iam: AtlasCluster, run_program: Program, tmp_path: Path) -> Callable[..., Outcome]:
    """
    Run a program that is logged in while ``meanwhile()`` is called here; it then does ``then`` and logs in again.
    """

    def outlive(variables: Mapping[str, str], *, meanwhile: Callable[[], None], then: str = "") -> Outcome:
        body = OUTLIVE.format(folder=str(tmp_path), then=then)
        with ThreadPoolExecutor(1) as thread:
            program = thread.submit(run_program, iam, body, uri=iam.uri(), variables=variables)
            while not (tmp_path / "logged-in").exists() and not program.done():
                time.sleep(0.02)
            meanwhile()
            (tmp_path / "done").touch()
            return program.result()

    return outlive


def test_credentials_are_rotated_under_a_live_client(iam: AtlasCluster, outlive: Callable[..., Outcome]) -> None:
    first, second = iam.identities.assume_role("orders"), iam.identities.assume_role("orders")
    then = f"os.environ.update({environment(second)!r})"
    seen = outlive(environment(first), meanwhile=lambda: iam.identities.expire(first), then=then)
    assert seen.value == "more connections", seen.text


def test_a_live_client_whose_credentials_have_expired_cannot_open_more_connections(
    iam: AtlasCluster, outlive: Callable[..., Outcome]
) -> None:
    short = iam.identities.assume_role("orders")
    seen = outlive(environment(short), meanwhile=lambda: iam.identities.expire(short))
    assert STS_REFUSED in seen.text


REFUSED_OR_REPLACED = {"pymongo": 8000, "warmline": "more connections", "warmline-async": "more connections"}


def test_a_containers_credentials_that_are_refused_are_fetched_again(
    iam: AtlasCluster, outlive: Callable[..., Outcome], client: str
) -> None:
    async def scenario() -> Outcome:
        async with CredentialsEndpoint(iam.identities, "orders") as endpoint:
            return await asyncio.to_thread(
                outlive, endpoint.environment(), meanwhile=lambda: iam.identities.revoke(endpoint.given[0])
            )

    assert asyncio.run(scenario()).value == REFUSED_OR_REPLACED[client]


def test_scram_goes_past_iam_to_the_server(iam: AtlasCluster, run_program: Program) -> None:
    assert run_program(iam, INSERT, uri=iam.uri(auth="scram")).value is True
    users = iam.servers.users
    assert users is not None
    wrong = iam.uri(auth="scram").replace(
        users.application.userinfo, dataclasses.replace(users.application, password="x").userinfo
    )
    assert run_program(iam, INSERT, uri=wrong).value == 18


LOGGED = """
import io, logging, traceback
log = io.StringIO()
logging.basicConfig(level=logging.DEBUG, stream=log)
one = client(maxPoolSize=1)
try:
    one["shop"]["orders"].insert_one({})
except Exception as error:
    print(repr(error), vars(error), file=log)
    traceback.print_exc(file=log)
print(repr(one), file=log)
return log.getvalue()
"""


@pytest.mark.parametrize("client", ["warmline", "warmline-async"])
@pytest.mark.parametrize("variables", [role, wrong_secret, expired, another_role])
def test_no_log_and_no_error_shows_a_secret_a_token_or_a_signature(
    iam: AtlasCluster, run_program: Program, variables: Callable[[AtlasCluster], Mapping[str, str]]
) -> None:
    given = {**variables(iam)}
    if variables is wrong_secret:
        given["AWS_SECRET_ACCESS_KEY"] = "wr0ng-s3cr3t"
    log = run_program(iam, LOGGED, uri=iam.uri(), variables=given).value
    assert "DEBUG:pymongo.connection" in log
    for secret in (given["AWS_SECRET_ACCESS_KEY"], given["AWS_SESSION_TOKEN"], "Signature="):
        assert secret not in log


def test_no_secret_is_shown_by_what_a_person_may_print(iam: AtlasCluster) -> None:
    users = iam.servers.users
    assert users is not None
    assert users.application.password not in repr(iam)
    assert iam.identities.assume_role("orders").secret_access_key not in repr(iam)
