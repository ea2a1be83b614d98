"""
The names of PyMongo that we need and that are not public: all of them, and nothing else. Those that have to do with
logging in are in :mod:`warmline.runtime.private_login`.

Each has a fallback for a PyMongo that has lost it, and a contract test (``tests/runtime/test_private.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from typing import Any

import pymongo
from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from .registry import Client
from .waits import WAITS

# Selecting a server, and checking a connection out for a write and for a read: what every operation goes through.
_CONNECTING = ("_select_server", "_checkout", "_conn_from_server")

_MOST_PATIENCE_SECONDS = 0.25

# A selection that waits looks at its time only so often (PyMongo's MIN_HEARTBEAT_INTERVAL), and so ends later by up to
# this much. Within an invocation it must end before Lambda does.
_SELECTION_STEP_SECONDS = 0.5
# So little that PyMongo takes a server that it knows, and waits not even one step for another: a handler may go on
# after an error, and each of its operations would wait a step more.
_ONE_LOOK_SECONDS = 1e-9


def is_closed(client: Client) -> bool:
    """
    Tell whether ``client.close()`` was called; without the private name, say no.
    """
    return bool(getattr(client, "_closed", False))


def is_open(client: Client) -> bool:
    """
    Tell whether the client has begun to connect; without the private name, say yes.
    """
    return bool(getattr(client, "_opened", True))


def bound_selection(client: Client) -> None:
    """
    Keep server selection within ``serverSelectionTimeoutMS`` also inside ``pymongo.timeout()``, end it before the
    invocation's deadline, and note how long it took when it fails.

    PyMongo takes the remaining time in that option's place, so a dead cluster would be waited for until the end of an
    invocation that has fifteen minutes; the specification wants the smaller of the two. Without the private name it
    stays as PyMongo does it.

    Source: https://github.com/mongodb/specifications/blob/master/source/client-side-operations-timeout/ (server
    selection).
    """
    select: Any = getattr(client, "_select_server", None)
    if select is None:
        return
    most = client.options.server_selection_timeout

    async def bounded_async(*args: Any, **keywords: Any) -> Any:
        began = time.monotonic()
        with pymongo.timeout(_selection_seconds(most, began)):
            try:
                return await select(*args, **keywords)
            except ServerSelectionTimeoutError:
                _note_selection(began)
                raise

    def bounded(*args: Any, **keywords: Any) -> Any:
        began = time.monotonic()
        with pymongo.timeout(_selection_seconds(most, began)):
            try:
                return select(*args, **keywords)
            except ServerSelectionTimeoutError:
                _note_selection(began)
                raise

    vars(client)["_select_server"] = bounded_async if isinstance(client, AsyncMongoClient) else bounded


def _selection_seconds(most: float, now: float) -> float:
    waits = WAITS.get()
    if waits is None or waits.until is None:
        return most
    left = waits.until - now
    if left <= 0:
        return _ONE_LOOK_SECONDS
    return max(min(most, left - _SELECTION_STEP_SECONDS), 0.001)


def _note_selection(began: float) -> None:
    waits = WAITS.get()
    if waits is not None:
        waits.note("server selection", time.monotonic() - began)


def explain_until_connected(client: MongoClient[dict[str, Any]]) -> None:
    """
    Put the next step into the errors of selecting a server or checking a connection out, until one succeeds.

    The client stays a plain ``MongoClient``: these are attributes of this one instance, gone after the first success.
    Without the private names errors stay as PyMongo made them.
    """
    try:
        methods: list[Callable[..., Any]] = [getattr(client, name) for name in _CONNECTING]
    except AttributeError:
        return
    before = {name: vars(client)[name] for name in _CONNECTING if name in vars(client)}
    select, *check_outs = methods

    def explaining_select(*args: Any, **keywords: Any) -> Any:
        with _explaining():
            return select(*args, **keywords)

    def explaining(check_out: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def explaining_check_out(*args: Any, **keywords: Any) -> Iterator[Any]:
            with ExitStack() as stack:
                with _explaining():
                    connection = stack.enter_context(check_out(*args, **keywords))
                # Connected: from here on this client is as it was.
                for name in _CONNECTING:
                    vars(client).pop(name, None)
                vars(client).update(before)
                yield connection

        return explaining_check_out

    vars(client).update(zip(_CONNECTING, (explaining_select, *map(explaining, check_outs)), strict=True))


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        from .advice import next_step

        if error.args and "Next step: " not in str(error.args[0]):
            error.args = (f"{error.args[0]}. Next step: {next_step(error)}", *error.args[1:])
        raise


def open_connection(client: MongoClient[dict[str, Any]]) -> None:
    """
    Have one authenticated connection in the pool of the server that the client's reads go to, and ping over it.

    Unlike ``client.admin.command("ping")`` it shows in no command event: tracers may not be ready for one outside of
    invocations. Without the private name it is that.
    """
    check_out: Any = getattr(client, "_conn_for_reads", None)
    if check_out is None:
        client.admin.command("ping", read_preference=client.read_preference)
        return
    with check_out(client.read_preference, None, "ping") as (connection, _):
        # Python runs code slower the first few times: better now than in the first request.
        connection.command("admin", {"ping": 1}, publish_events=False)


async def open_connection_async(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """
    As :func:`open_connection`.
    """
    check_out: Any = getattr(client, "_conn_for_reads", None)
    if check_out is None:
        await client.admin.command("ping", read_preference=client.read_preference)
        return
    async with await check_out(client.read_preference, None, "ping") as (connection, _):
        await connection.command("admin", {"ping": 1}, publish_events=False)


def idle_connections_hold(client: MongoClient[dict[str, Any]], least_seconds: float) -> bool:
    """
    Tell whether the client has idle connections, and each answers from a server that still has the role it had.

    Each may take four of the round trips as they were until now, and at least so many seconds. A client without any
    has lost them: its monitors may be waiting for what will never come.

    :raises AttributeError: this PyMongo has lost one of the private names.
    """
    asked = 0
    for server in list(client._topology._servers.values()):
        with ExitStack() as checked_out:
            try:
                for _ in range(len(server.pool.conns)):
                    with pymongo.timeout(_patience(server, least_seconds)):
                        connection = checked_out.enter_context(server.pool.checkout())
                        answer = connection.command("admin", {"hello": 1}, publish_events=False)
                    asked += 1
                    if answer.get("isWritablePrimary") != server.description.is_writable:
                        return False
            except PyMongoError:
                return False
    return asked > 0


async def idle_connections_hold_async(client: AsyncMongoClient[dict[str, Any]], least_seconds: float) -> bool:
    """
    As :func:`idle_connections_hold`.
    """
    asked = 0
    for server in list(client._topology._servers.values()):
        async with AsyncExitStack() as checked_out:
            try:
                for _ in range(len(server.pool.conns)):
                    with pymongo.timeout(_patience(server, least_seconds)):
                        connection = await checked_out.enter_async_context(server.pool.checkout())
                        answer = await connection.command("admin", {"hello": 1}, publish_events=False)
                    asked += 1
                    if answer.get("isWritablePrimary") != server.description.is_writable:
                        return False
            except PyMongoError:
                return False
    return asked > 0


def _patience(server: Any, least_seconds: float) -> float:
    # Round trips as a busy process has seen them may be long; a new connection is then the quicker way to know.
    return max(min(4 * (server.description.round_trip_time or 0.0), _MOST_PATIENCE_SECONDS), least_seconds)


def renew(client: MongoClient[dict[str, Any]]) -> None:
    """
    Give the client new pools and monitors, in the way that PyMongo does it after a fork; an operation under way that
    has selected its server already gets a new connection too.

    New monitors look at their servers at once. An old one would notice in its next half second that it is asked to.

    :raises AttributeError: this PyMongo has lost one of the private names; nothing has changed then.
    """
    old, new = _new_topology(client)
    client._topology = new
    for server in list(old._servers.values()):
        server._monitor.close()
        server.pool.reset_without_pause()
    new.open()


async def renew_async(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """
    As :func:`renew`.
    """
    old, new = _new_topology(client)
    client._topology = new
    for server in list(old._servers.values()):
        await server._monitor.close()
        await server.pool.reset_without_pause()
    await new.open()


def _new_topology(client: Any) -> tuple[Any, Any]:
    old = client._topology
    new = type(old)(client._topology_settings)
    new._pid = old._pid
    # Server sessions belong to no connection. Left behind they would stay on the server for half an hour.
    new._session_pool = old._session_pool
    return old, new


def start_over(client: MongoClient[dict[str, Any]]) -> None:
    """
    Close the client's connections and stop its threads; its next operation begins as the first one did, with names
    resolved anew and new server sessions.

    :raises AttributeError: this PyMongo has lost one of the private names; nothing has changed then.
    """
    executor, topology = client._kill_cursors_executor, client._topology
    client._init_background(topology._pid)
    executor.close()
    topology.close()


async def start_over_async(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """
    As :func:`start_over`.
    """
    executor, topology = client._kill_cursors_executor, client._topology
    client._init_background(topology._pid)
    executor.close()
    await topology.close()
    await topology.cleanup_monitors()
    await executor.join()


def renew_object_ids() -> None:
    """
    Have new ``ObjectId``s made with another random part, as PyMongo does it after a fork.

    Without the private name they keep the one they have.
    """
    if hasattr(ObjectId, "_pid"):
        # No process has this number, so the next id finds itself in a new one.
        ObjectId._pid = -1


def keeps_tls_context() -> bool:
    """
    Tell whether there is a ``tls_context``: PyMongo keeps an ``SSLContext`` of the standard library.

    With PyOpenSSL (``pymongo[ocsp]``) it keeps one of its own, which checks OCSP answers by the roots it began with.
    """
    from pymongo import pool_options, ssl_support

    return hasattr(pool_options.PoolOptions, "_ssl_context") and getattr(ssl_support, "HAVE_PYSSL", True) is False


def tls_context(client: Any) -> Any:
    """
    Return the ``SSLContext`` by which the client's new connections go: another one when it has resolved its names anew.
    """
    return client.options.pool_options._ssl_context


def seconds_left() -> float | None:
    """
    Tell what is left of the operation's time under ``pymongo.timeout()``, ``None`` where nothing bounds it.

    Without the private name the bounds of each single step must do.
    """
    try:
        from pymongo import _csot

        left: float | None = _csot.remaining()
    except (ImportError, AttributeError):
        return None
    return left
