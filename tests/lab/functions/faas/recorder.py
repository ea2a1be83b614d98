"""
What the specification's handler records and does, whatever its client.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)


@dataclass
class Recorded:
    commands_ms: list[float] = field(default_factory=list)
    failed_commands: int = 0
    heartbeats_ms: list[float] = field(default_factory=list)
    failed_heartbeats: int = 0
    awaited_heartbeats: int = 0
    open_connections: int = 0


recorded = Recorded()


class Commands(CommandListener):
    def started(self, event: CommandStartedEvent) -> None: ...

    def succeeded(self, event: CommandSucceededEvent) -> None:
        recorded.commands_ms.append(event.duration_micros / 1000)

    def failed(self, event: CommandFailedEvent) -> None:
        recorded.failed_commands += 1


class Heartbeats(ServerHeartbeatListener):
    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        recorded.awaited_heartbeats += event.awaited

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        # In seconds, though PyMongo's documentation says microseconds.
        recorded.heartbeats_ms.append(event.duration * 1000)

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        recorded.failed_heartbeats += 1
        recorded.awaited_heartbeats += event.awaited


class Connections(ConnectionPoolListener):
    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        recorded.open_connections += 1

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        recorded.open_connections -= 1

    def connection_ready(self, event: object) -> None: ...

    connection_check_out_started = connection_check_out_failed = connection_ready
    connection_checked_out = connection_checked_in = connection_ready
    pool_created = pool_ready = pool_cleared = pool_closed = connection_ready


LISTENERS = (Commands(), Heartbeats(), Connections())


def write(client: MongoClient[dict[str, Any]]) -> dict[str, Any]:
    """
    Insert a document and delete it, and tell what was recorded since the last time.
    """
    collection = client["lambdaTest"]["test"]
    inserted = collection.insert_one({"n": 1}).inserted_id
    deleted = collection.delete_one({"_id": inserted}).deleted_count
    report = {**vars(recorded), "deleted": deleted}
    recorded.__init__(open_connections=recorded.open_connections)  # type: ignore[misc]
    return report
