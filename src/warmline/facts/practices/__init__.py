"""
The practice catalog: one module per practice, listed here in the order in which readers meet them.
"""

from __future__ import annotations

from warmline.facts.places import Filled
from warmline.facts.practice import Practice

from . import (
    app_name,
    close_at_shutdown,
    connect_at_init,
    connection_budget,
    deadline,
    event_loop,
    iam_auth,
    idle_time,
    limit_hosts,
    managed_instances,
    memory,
    narrow_access_list,
    one_loop,
    pool_size,
    private_network,
    retry_politely,
    reuse_client,
    snapstart,
    sts_region,
    thaw,
    unified_access,
)

PRACTICES: tuple[Practice, ...] = (
    # What MongoDB's page on Lambda asks for.
    reuse_client.PRACTICE,
    limit_hosts.PRACTICE,
    event_loop.PRACTICE,
    private_network.PRACTICE,
    narrow_access_list.PRACTICE,
    idle_time.PRACTICE,
    iam_auth.PRACTICE,
    unified_access.PRACTICE,
    memory.PRACTICE,
    sts_region.PRACTICE,
    # Beyond the page.
    connect_at_init.PRACTICE,
    deadline.PRACTICE,
    close_at_shutdown.PRACTICE,
    pool_size.PRACTICE,
    thaw.PRACTICE,
    one_loop.PRACTICE,
    snapstart.PRACTICE,
    managed_instances.PRACTICE,
    connection_budget.PRACTICE,
    app_name.PRACTICE,
    retry_politely.PRACTICE,
)


class UnknownPracticeError(LookupError):
    """
    The catalog has no practice with this id.
    """


def practice(practice_id: str) -> Practice:
    """
    Look up a practice by its id (``reuse-client``).

    :raises UnknownPracticeError: there is none; the message names those that there are.
    """
    for candidate in PRACTICES:
        if candidate.id == practice_id:
            return candidate
    known = ", ".join(candidate.id for candidate in PRACTICES)
    raise UnknownPracticeError(f"no practice {practice_id!r}; known are {known}")


def practices_of(experiment: str) -> tuple[Practice, ...]:
    """
    The practices whose cost an experiment of this name measures.
    """
    return tuple(
        candidate
        for candidate in PRACTICES
        if isinstance(candidate.experiment, Filled) and experiment in candidate.experiment.names
    )


__all__ = ["PRACTICES", "UnknownPracticeError", "practice", "practices_of"]
