"""
A running Atlas-like cluster: servers, front, names and identities, started and stopped together.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..cluster import Cluster, ClusterSpec, start_cluster
from ..cluster.replica_set import asking, bound_sockets, connect_as
from ..cluster.tls import Certificates, make_certificates
from ..cluster.users import APPLICATION_DATABASE, USERS_DATABASE, Role, create_external_like_user
from ..iam import Identities, ServerConversation, database_user
from ..names.resolve import Resolver, choose_resolver
from ..names.server import NameServer
from ..names.zone import LAB_DOMAIN, REPLICA_SET_OPTIONS, SHARDED_OPTIONS, Member, cluster_zone
from ..workspace import Workspace
from .front import Face, FaceSpec, Front, FrontOptions, IamLogin, Network, NetworkTable
from .loop import LoopThread
from .spec import AtlasSpec

CLUSTER_NAME = "cluster0"
ADDRESS = "127.0.0.1"


@dataclass(slots=True)
class AtlasCluster:
    """
    What a function, and who watches it, needs of a running cluster.

    - ``servers``: the mongods and their users
    - ``front``: what stands before them, or ``None``
    - ``names``: the DNS server that knows the cluster's names, and ``resolver``: how a child process asks it
    - ``identities``: the AWS roles and users that may log in, once ``allow_role`` or ``allow_user`` has let them
    """

    spec: AtlasSpec
    servers: Cluster
    front: Front | None
    names: NameServer
    resolver: Resolver
    identities: Identities
    loop: LoopThread
    hosts: tuple[str, ...]
    _passwords: dict[str, str] = field(default_factory=dict, repr=False)

    def uri(self, *, auth: str | None = None, options: str = "") -> str:
        """
        Return the ``mongodb+srv://`` string; it holds the application's password if that is how clients log in.

        :param auth: ``scram`` or ``iam``; by default as the cluster is
        :param options: further options, as ``srvMaxHosts=3&appName=orders``
        """
        return self._uri("mongodb+srv", f"{CLUSTER_NAME}.{LAB_DOMAIN}", auth or self.spec.auth, options)

    def standard_uri(self) -> str:
        """
        Return a ``mongodb://`` string of addresses, for programs that do not know the lab's names; else like ``uri``.

        Through a front a replica set can only be reached member by member, since each tells its clients the lab's
        names: then the string leads to the member that is primary now.

        :raises NoPrimary: none is.
        """
        if self.front is None:
            return self.servers.uri
        faces: Sequence[Face] = self.front.faces
        options = []
        if self.spec.kind == "replica-set":
            faces = [faces[self.servers.nodes.index(self.servers.primary())]]
            options.append("directConnection=true")
        if self.spec.auth == "scram":
            options.append(f"authSource={USERS_DATABASE}")
        if self.spec.tls:
            options.append("tls=true")
        hosts = ",".join(f"{ADDRESS}:{face.port}" for face in faces)
        return self._uri("mongodb", hosts, self.spec.auth, "&".join(options))

    def _uri(self, scheme: str, hosts: str, auth: str, options: str) -> str:
        users, certificates = self.servers.users, self.servers.certificates
        userinfo = f"{users.application.userinfo}@" if users and auth == "scram" else ""
        parts = [f"tlsCAFile={quote(str(certificates.ca), safe='')}" if certificates else "tls=false"]
        if auth == "iam":
            parts.append("authSource=%24external&authMechanism=MONGODB-AWS")
        parts += [options] if options else []
        return f"{scheme}://{userinfo}{hosts}/?{'&'.join(parts)}"

    def allow(self, arn: str, roles: Sequence[Role] = (Role("readWrite", APPLICATION_DATABASE),)) -> None:
        """
        Make an IAM role or user, by its ARN, a database user with these roles.

        :raises ClusterStartError: the primary refuses, or has ended.
        :raises NoPrimary: there is none.
        """
        users = self.servers.users
        assert users is not None, "only a cluster with users can have one more"  # noqa: S101
        primary = self.servers.mongods[self.servers.nodes.index(self.servers.primary())]
        with asking(primary, "createUser"), closing(connect_as(primary.node, users.admin)) as administrator:
            user = create_external_like_user(administrator, database_user(arn), roles=roles)
        self._passwords[user.name] = user.password

    def lay(self, network: Network, *, source: str = "0.0.0.0/0", node: str | None = None) -> None:
        """
        Lay a network between a source and a node, or all; the cluster must have a front.
        """
        assert self.front is not None, "only a front can change the network: through_front=True"  # noqa: S101
        self.front.lay(network, source=source, node=node)

    def environ(self, environ: Mapping[str, str], *, egress: str | None = None) -> dict[str, str]:
        """
        Return a child's variables with those added by which it knows the cluster's names.

        :param egress: the address that its connections come from, ``127.47.0.1`` say, as if from behind a NAT gateway.
            For Python programs only: others, and what of Python connects without its ``socket``, come from 127.0.0.1.
        """
        return self.resolver.environ(environ, egress=egress)


@contextmanager
def start_atlas(
    workspace: Workspace,
    spec: AtlasSpec,
    mongod: str | Path | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> Iterator[AtlasCluster]:
    """
    Start a cluster, and stop it with the block; whatever fails on the way, nothing of it is left.

    Raises what ``start_cluster`` raises.
    """
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="atlas-", dir=workspace.directory))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        loop = stack.enter_context(LoopThread())
        hosts = _hosts(spec)
        certificates = None
        if spec.tls:
            on_step("making certificates")
            certificates = make_certificates(directory / "tls", [f"*.{LAB_DOMAIN}"])
        # Kept until the front stands there: others look for free ports too, while the servers start.
        listeners = bound_sockets(len(hosts)) if spec.needs_front else []
        for listener in listeners:
            stack.enter_context(listener)
        ports = tuple(listener.getsockname()[1] for listener in listeners)
        servers = _start_servers(workspace, spec, hosts, ports, certificates, mongod, on_step)
        stack.enter_context(servers)

        on_step("starting the DNS server")
        txt = REPLICA_SET_OPTIONS if spec.kind == "replica-set" else SHARDED_OPTIONS
        where = ports or tuple(node.port for node in servers.nodes)
        members = [Member(host, port, ADDRESS) for host, port in zip(hosts, where, strict=True)]
        names = NameServer(cluster_zone(cluster=CLUSTER_NAME, members=members, txt=txt))
        loop.run(names.start())
        stack.callback(lambda: loop.run(names.close()))
        resolver = choose_resolver(names.address, directory=directory / "etc")

        identities = Identities()
        passwords: dict[str, str] = {}
        front = None
        if spec.needs_front:
            on_step(f"starting {len(hosts)} faces")
            iam = IamLogin(lambda: ServerConversation(identities), passwords.get) if spec.auth == "iam" else None
            front = Front(_faces(spec, servers, hosts, listeners), _front_options(spec, certificates, iam))
            loop.run(front.__aenter__())
            stack.callback(lambda: loop.run(front.__aexit__()))
        yield AtlasCluster(spec, servers, front, names, resolver, identities, loop, hosts, passwords)


def _hosts(spec: AtlasSpec) -> tuple[str, ...]:
    """
    The names that clients connect to, as Atlas makes them.
    """
    if spec.kind == "sharded":
        return tuple(f"{CLUSTER_NAME}-mongos-{number:02d}.{LAB_DOMAIN}" for number in range(spec.faces))
    return tuple(f"{CLUSTER_NAME}-shard-00-{number:02d}.{LAB_DOMAIN}" for number in range(spec.members))


def _start_servers(
    workspace: Workspace,
    spec: AtlasSpec,
    hosts: tuple[str, ...],
    ports: tuple[int, ...],
    certificates: Certificates | None,
    mongod: str | Path | None,
    on_step: Callable[[str], None],
) -> Cluster:
    """
    Start the mongods.

    :param ports: where the front will stand, if there is one
    """
    inner = ClusterSpec(members=spec.members, tls=spec.tls, auth="none" if spec.auth == "none" else "scram")
    public = None
    if spec.kind == "replica-set" and spec.tls:
        # What a member tells its clients is where the front stands, or else its own port.
        public = tuple(f"{host}:{port}" for host, port in zip(hosts, ports, strict=True)) if ports else hosts
    return start_cluster(workspace, inner, mongod, on_step, public=public, certificates=certificates)


def _faces(
    spec: AtlasSpec, servers: Cluster, hosts: tuple[str, ...], listeners: Sequence[socket.socket]
) -> list[FaceSpec]:
    if spec.kind == "sharded":
        # A mongos can always write.
        primary = servers.primary()
        return [
            FaceSpec(host, (primary.host, primary.port), mongos=True, listener=listener)
            for host, listener in zip(hosts, listeners, strict=True)
        ]
    return [
        FaceSpec(host, (node.host, node.port), listener=listener)
        for host, node, listener in zip(hosts, servers.nodes, listeners, strict=True)
    ]


def _front_options(spec: AtlasSpec, certificates: Certificates | None, iam: IamLogin | None) -> FrontOptions:
    return FrontOptions(
        server_pem=certificates.server if certificates else None,
        ca=certificates.ca if certificates else None,
        access_list=spec.access_list,
        limits=spec.limits,
        iam=iam,
        network=NetworkTable(),
    )
