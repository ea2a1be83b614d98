"""
A real MongoDB cluster on loopback, started and stopped by one object.
"""

from __future__ import annotations

from warmline.lab.cluster.binary import MongodBinary, find_mongod
from warmline.lab.cluster.mongod import Mongod, Node
from warmline.lab.cluster.replica_set import Cluster, ClusterSpec, start_cluster

__all__ = ["Cluster", "ClusterSpec", "Mongod", "MongodBinary", "Node", "find_mongod", "start_cluster"]
