"""
Unmodified PyMongo and pymongo-auth-aws against the front: what an Atlas user sees in each case.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

import pytest

from warmline.lab.atlas import AtlasCluster
from warmline.lab.iam import Credentials, CredentialsEndpoint, environment

from .conftest import ROLE, Program

INSERT = 'return client()["shop"]["orders"].insert_one({}).acknowledged'

STS_REFUSED = "bad auth : aws sts call has response 403"
NO_USER = "bad auth : Authentication failed."


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


def test_an_iam_user_logs_in_without_a_token(iam: AtlasCluster, run_program: Program) -> None:
    credentials = iam.identities.user_key("ada")
    iam.allow("arn:aws:iam::123456789012:user/ada")
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


def test_without_credentials_the_driver_says_so_itself(iam: AtlasCluster, run_program: Program) -> None:
    seen = run_program(iam, INSERT, uri=iam.uri())
    assert seen.error == "OperationFailure"
    assert "credentials could not be obtained" in seen.text


# Opens a connection, outlives its credentials, does {then}, and opens more; the open one goes on in any case.
OUTLIVE = """
one = client(maxPoolSize=10)
orders = one["shop"]["orders"]
orders.find_one({{}})
import time; time.sleep(4)
orders.find_one({{}})
{then}
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(6) as threads:
    list(threads.map(lambda _: orders.find_one({{"$where": "sleep(200) || true"}}), range(6)))
return "more connections"
"""


def test_credentials_are_rotated_under_a_live_client(iam: AtlasCluster, run_program: Program) -> None:
    first, second = iam.identities.assume_role("orders", lifetime_seconds=3), iam.identities.assume_role("orders")
    body = OUTLIVE.format(then=f"os.environ.update({environment(second)!r})")
    seen = run_program(iam, body, uri=iam.uri(), variables=environment(first))
    assert seen.value == "more connections", seen.text


def test_a_live_client_whose_credentials_have_expired_cannot_open_more_connections(
    iam: AtlasCluster, run_program: Program
) -> None:
    short = iam.identities.assume_role("orders", lifetime_seconds=3)
    seen = run_program(iam, OUTLIVE.format(then=""), uri=iam.uri(), variables=environment(short))
    assert STS_REFUSED in seen.text


def test_scram_goes_past_iam_to_the_server(iam: AtlasCluster, run_program: Program) -> None:
    assert run_program(iam, INSERT, uri=iam.uri(auth="scram")).value is True
    users = iam.servers.users
    assert users is not None
    wrong = iam.uri(auth="scram").replace(
        users.application.userinfo, dataclasses.replace(users.application, password="x").userinfo
    )
    assert run_program(iam, INSERT, uri=wrong).value == 18


def test_no_secret_is_shown_by_what_a_person_may_print(iam: AtlasCluster) -> None:
    users = iam.servers.users
    assert users is not None
    assert users.application.password not in repr(iam)
    assert iam.identities.assume_role("orders").secret_access_key not in repr(iam)
