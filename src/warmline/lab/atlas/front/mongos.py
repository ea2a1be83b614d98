"""
The look of a sharded cluster: a replica-set member whose ``hello`` answers as a mongos.

Source: https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/ (server types).
"""

from __future__ import annotations

from typing import Any

# What only a member of a replica set says.
_OF_MEMBERS = (
    "setName",
    "setVersion",
    "hosts",
    "passives",
    "arbiters",
    "primary",
    "me",
    "secondary",
    "arbiterOnly",
    "hidden",
    "passive",
    "tags",
    "electionId",
    "lastWrite",
    "isImplicitDefaultMajorityWC",
    "secondaryDelaySecs",
)


def as_mongos(hello: dict[str, Any]) -> dict[str, Any]:
    """
    Turn a member's answer to ``hello`` into a mongos's.
    """
    if hello.get("ok") != 1:
        return hello
    answer = {name: value for name, value in hello.items() if name not in _OF_MEMBERS}
    # Always writable: a mongos finds the primary itself. So every face must stand before the primary.
    answer["ismaster" if "ismaster" in answer else "isWritablePrimary"] = True
    return {**answer, "msg": "isdbgrid"}
