from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from warmline.lab.cluster import (
    Cluster,
    ClusterSpec,
    Role,
    User,
    Users,
    connect_as,
    connect_to,
    create_external_like_user,
    start_cluster,
)
from warmline.lab.cluster.users import new_users, write_key_file
from warmline.lab.errors import ClusterStartError
from warmline.lab.measure import ConnectionSampler
from warmline.lab.workspace import Workspace

NOT_AUTHORIZED = 13
AUTHENTICATION_FAILED = 18

ROLE_ARN = "arn:aws:iam::123456789012:role/orders"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """
    Three members that want TLS and a login.
    """
    with (
        Workspace() as workspace,
        start_cluster(workspace, ClusterSpec(tls=True, auth="scram")) as cluster,
    ):
        yield cluster
    assert workspace.swept == 0


@pytest.fixture(scope="module")
def users(guarded: Cluster) -> Users:
    assert guarded.users is not None
    return guarded.users


def code_of(command: Any) -> int | None:
    """
    Run a command that the server must refuse, and return the number it gives for the reason.
    """
    with pytest.raises(OperationFailure) as raised:
        command()
    return raised.value.code


def test_the_connection_string_logs_the_application_in(guarded: Cluster, users: Users) -> None:
    assert guarded.uri.startswith(f"mongodb://application:{users.application.password}@127.0.0.1:")
    assert guarded.uri.endswith("&authSource=admin")

    with MongoClient[dict[str, Any]](guarded.uri) as client:
        answer = client.admin.command("connectionStatus")
    assert answer["authInfo"]["authenticatedUsers"] == [{"user": "application", "db": "admin"}]


def test_the_application_reads_and_writes_its_own_database_and_no_other(guarded: Cluster) -> None:
    with MongoClient[dict[str, Any]](guarded.uri) as client:
        client["shop"]["orders"].insert_one({"_id": "mine"})
        assert client["shop"]["orders"].find_one({"_id": "mine"}) == {"_id": "mine"}

        assert code_of(lambda: client["other"]["orders"].insert_one({})) == NOT_AUTHORIZED
        assert code_of(lambda: client["other"]["orders"].find_one()) == NOT_AUTHORIZED
        assert code_of(lambda: client.admin.command("serverStatus")) == NOT_AUTHORIZED


def test_the_lab_measures_every_member_but_reads_no_data(guarded: Cluster) -> None:
    with ConnectionSampler(guarded.nodes) as sampler:
        assert set(sampler.now()) == {"mongod-0", "mongod-1", "mongod-2"}
    for node in guarded.nodes:
        with connect_to(node) as client:
            assert client.admin.command("replSetGetStatus")["myState"] in {1, 2}
            assert code_of(lambda client=client: client["shop"]["orders"].find_one()) == NOT_AUTHORIZED
            assert code_of(lambda client=client: client["shop"]["orders"].insert_one({})) == NOT_AUTHORIZED


def test_a_stranger_learns_who_is_primary_and_nothing_else(guarded: Cluster) -> None:
    with connect_as(guarded.primary(), None) as client:
        assert client.admin.command("hello")["isWritablePrimary"]
        assert code_of(lambda: client["shop"]["orders"].find_one()) == NOT_AUTHORIZED
        # There are users, so being on the same machine is no privilege any more.
        assert code_of(lambda: client.admin.command("createUser", "me", pwd="mine", roles=["root"])) == NOT_AUTHORIZED


def test_a_wrong_password_is_code_18(guarded: Cluster, users: Users) -> None:
    wrong = User("application", "wrong", users.application.roles)
    with connect_as(guarded.primary(), wrong) as client:
        assert code_of(lambda: client.admin.command("ping")) == AUTHENTICATION_FAILED


def test_only_scram_sha_256_is_offered_to_a_user(guarded: Cluster, users: Users) -> None:
    with connect_as(guarded.primary(), users.admin) as client:
        info = client.admin.command("usersInfo", {"forAllDBs": True})
    assert {user["user"]: user["mechanisms"] for user in info["users"] if ":" not in user["user"]} == {
        name: ["SCRAM-SHA-256"] for name in ("admin", "application", "monitoring")
    }


@pytest.mark.parametrize(
    "name",
    [
        ROLE_ARN,
        "arn:aws:iam::123456789012:role/path/to=a,role+with@all.that_is-allowed",
        "arn:aws:sts::123456789012:assumed-role/orders/*",
    ],
)
def test_a_user_named_after_a_role_has_the_roles_it_was_given(guarded: Cluster, users: Users, name: str) -> None:
    with connect_as(guarded.primary(), users.admin) as administrator:
        user = create_external_like_user(administrator, name, roles=[Role("read", "shop")], password="given/=,:@")

    assert user == User(name, "given/=,:@", (Role("read", "shop"),))
    # Every member knows it at once, the secondaries too.
    for node in guarded.nodes:
        with connect_as(node, user) as client:
            answer = client.admin.command("connectionStatus")
            assert answer["authInfo"]["authenticatedUsers"] == [{"user": name, "db": "admin"}]
    with connect_as(guarded.primary(), user) as client:
        client["shop"]["orders"].find_one()
        assert code_of(lambda: client["shop"]["orders"].insert_one({})) == NOT_AUTHORIZED
        assert code_of(lambda: client["other"]["orders"].find_one()) == NOT_AUTHORIZED
    # As in a connection string.
    addresses = guarded.uri.partition("@")[2]
    with MongoClient[dict[str, Any]](f"mongodb://{user.userinfo}@{addresses}") as client:
        client["shop"]["orders"].find_one()


def test_a_user_without_a_given_password_gets_a_random_one(guarded: Cluster, users: Users) -> None:
    with connect_as(guarded.primary(), users.admin) as administrator:
        one, two = (
            create_external_like_user(administrator, f"arn:aws:iam::123456789012:role/{name}", roles=[])
            for name in ("one", "two")
        )

    assert one.password != two.password
    with connect_as(guarded.primary(), one) as client:
        assert code_of(lambda: client["shop"]["orders"].find_one()) == NOT_AUTHORIZED


def test_a_login_without_tls_works_too(workspace: Workspace) -> None:
    with start_cluster(workspace, ClusterSpec(members=1, auth="scram")) as cluster:
        assert cluster.certificates is None
        assert "tls" not in cluster.uri
        with MongoClient[dict[str, Any]](cluster.uri) as client:
            client["shop"]["orders"].insert_one({})
        with connect_to(cluster.nodes[0]) as client:
            assert client.admin.command("serverStatus")["ok"] == 1
    assert list(workspace.directory.iterdir()) == [workspace.logs]


def test_no_secret_is_seen_in_any_object_log_file_or_command_line(guarded: Cluster, users: Users) -> None:
    passwords = {users.application.password, users.monitoring.password, users.admin.password}
    assert len(passwords) == 3
    key_file = Path(argument_after("--keyFile", guarded))
    secrets = {*passwords, key_file.read_text()}
    directory = key_file.parents[1]

    with connect_to(guarded.nodes[0]) as monitoring, MongoClient[dict[str, Any]](guarded.uri) as application:
        monitoring.admin.command("ping")
        application.admin.command("ping")
        objects = [
            *(guarded, *vars(guarded).values()),
            *(part for mongod in guarded.mongods for part in (mongod, *vars(mongod).values())),
            *(users, users.application, users.monitoring, users.admin),
            *(monitoring, application),
        ]
        texts = [text(one) for one in objects for text in (repr, str)]
    texts += [" ".join(psutil.Process(mongod.pid).cmdline()) for mongod in guarded.mongods]
    texts += [str(path) for path in directory.rglob("*")]
    texts += [node.log_path.read_text() for node in guarded.nodes]

    assert [text[:80] for text in texts if any(secret in text for secret in secrets)] == []


def argument_after(flag: str, cluster: Cluster) -> str:
    arguments = psutil.Process(cluster.mongods[0].pid).cmdline()
    return arguments[arguments.index(flag) + 1]


def test_an_error_while_users_are_created_names_no_password(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An admin whose role does not exist.
    made = new_users()
    users = Users(made.application, made.monitoring, User("admin", made.admin.password, (Role("emperor"),)))
    monkeypatch.setattr("warmline.lab.cluster.replica_set.new_users", lambda: users)

    with pytest.raises(ClusterStartError, match=r"createUser failed on mongod-0, .*emperor") as raised:
        start_cluster(workspace, ClusterSpec(members=1, auth="scram"))

    assert users.admin.password not in f"{raised.value} {raised.value.__cause__!r}"


def test_the_key_file_is_its_owners_alone_and_new_each_time(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        write_key_file(path)

    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert paths[0].read_text() != paths[1].read_text()
