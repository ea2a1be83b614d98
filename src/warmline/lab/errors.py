"""
What can go wrong in the lab.

    LabError
    ├── JanitorLost
    ├── MongodNotFound
    ├── MongodUnusable
    ├── ClusterStartError
    │   └── PortTaken
    ├── NoPrimary
    ├── UnusableCluster
    ├── EnvironmentStartError
    ├── WorkspaceFull
    ├── UnusableFunction
    │   ├── ClockUnavailable
    │   ├── CpuLimitUnavailable
    │   ├── NodeUnavailable
    │   └── NetworkUnavailable
    ├── UnusableNetwork
    ├── UnknownFunction
    ├── InitFailed
    ├── Throttled
    ├── UnusableLoad
    ├── UnusableScenario
    ├── RemoteRefused
    ├── MalformedMessage            a client's, told to nobody: its connection is closed
    ├── AuthenticationFailed        (warmline.lab.iam) a client's, answered as Atlas does
    ├── NoFreeAddress               (warmline.lab.names)
    ├── PackagesUnavailable
    ├── InvocationFailed            (warmline.testing)
    └── UnknownClients              (warmline.testing)

A message is one line: what happened, where, and what to do about it.
"""

# ruff: noqa: N818 - a leaf's name says the cause; that it is an error is seen where it is raised

from __future__ import annotations


class LabError(Exception):
    """
    The base of everything the lab raises on purpose.
    """


class JanitorLost(LabError):
    """
    The process that cleans up after the lab has ended too early, so something may be left behind.
    """


class MongodNotFound(LabError):
    """
    There is no MongoDB server on this machine that the lab could start.
    """


class MongodUnusable(LabError):
    """
    A MongoDB server was found but does not run here.
    """


class ClusterStartError(LabError):
    """
    A server ended while it started, or the replica set did not become ready in time.
    """


class PortTaken(ClusterStartError):
    """
    Somebody else took a server's port between its choice and its use; another try helps.
    """


class NoPrimary(LabError):
    """
    No member of the cluster is primary at the moment.
    """


class EnvironmentStartError(LabError):
    """
    The process that starts execution environments is gone, so none can be started.
    """


class WorkspaceFull(LabError):
    """
    The disk has no room for the files of a run.
    """


class UnusableFunction(LabError):
    """
    A function can't be deployed as it is described.
    """


class ClockUnavailable(UnusableFunction):
    """
    Its monotonic clock is to stand still while it is frozen, and that can't be had on this machine.
    """


class NetworkUnavailable(UnusableFunction):
    """
    Its environments are to have networks of their own, and these can't be had on this machine.
    """


class UnusableNetwork(LabError):
    """
    A network can't be laid where it is asked for.
    """


class NodeUnavailable(UnusableFunction):
    """
    It is for Node.js, which is not on this machine, or without the packages that it needs.
    """


class CpuLimitUnavailable(UnusableFunction):
    """
    What runs is to have a share of a CPU, and this process can't give it one.
    """


class UnknownFunction(LabError):
    """
    A function was invoked that is not deployed.
    """


class InitFailed(LabError):
    """
    A function's Init phase failed before anybody has invoked it: when it is published, on AWS.
    """


class Throttled(LabError):
    """
    A limit of Lambda's allows no other invocation now; AWS answers with status 429.

    :ivar reason: which limit, as the Invoke API names it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MalformedMessage(LabError):
    """
    What a client or server has sent is no message of MongoDB's wire protocol.
    """


class UnusableCluster(LabError):
    """
    What a cluster is asked to be is not known, or does not go together.
    """


class UnusableLoad(LabError):
    """
    A load can't be given as it is written, or its recording can't be read.
    """


class UnusableScenario(LabError):
    """
    A scenario's file can't be read, or something in it is not as it must be.
    """


class PackagesUnavailable(LabError):
    """
    An experiment compares packages that it has to install first, and can't.
    """


class RemoteRefused(LabError):
    """
    Lambda, or an endpoint like it, does not do what it is asked, and would not at the next try.
    """
