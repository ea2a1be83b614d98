"""
A real MongoDB cluster on loopback, started and stopped by one object.
"""

from __future__ import annotations

from .binary import MongodBinary, find_mongod
from .mongod import Mongod, Node, ServerOptions
from .replica_set import Cluster, connect_as, connect_to, start_cluster
from .spec import ClusterSpec
from .tls import Certificates, make_certificates
from .users import Role, User, Users, create_external_like_user

__all__ = [
    "Certificates",
    "Cluster",
    "ClusterSpec",
    "Mongod",
    "MongodBinary",
    "Node",
    "Role",
    "ServerOptions",
    "User",
    "Users",
    "connect_as",
    "connect_to",
    "create_external_like_user",
    "find_mongod",
    "make_certificates",
    "start_cluster",
]
