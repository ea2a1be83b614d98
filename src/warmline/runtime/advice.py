"""
From an error of the driver to the next step. Only loaded when connecting has failed.
"""

from __future__ import annotations

import re

from .redact import redact

# (what PyMongo's text holds, what to do about it): the first that fits is given.
_ADVICE = (
    (
        r"replicaSet with srvMaxHosts|srvMaxHosts with replicaSet|cannot specify replicaSet",
        "remove srvMaxHosts: the cluster's TXT record says that it is a replica set",
    ),
    (
        r"MONGODB-AWS: no credentials from|must not be asked for credentials",
        "check the variable that the error names: under SnapStart Lambda sets it, on ECS and EKS the agent does",
    ),
    (
        r"warmline\[aws\]|pymongo-auth-aws",
        "give the function a role whose ARN is a database user ($external); warmline[aws] is for credentials from "
        "elsewhere",
    ),
    (
        r"sts call has response",
        "check the AWS credentials: STS knows no such key, or it has ended, or its secret or session token is wrong",
    ),
    (
        r"dnspython|dns module",
        "install dnspython, or use the standard connection string (mongodb://)",
    ),
    (
        r"bad auth|Authentication failed|auth failed|requires authentication",
        "check that this database user exists, its password (percent-encoded in a URI) and authSource",
    ),
    (
        r"TLSV1_ALERT_INTERNAL_ERROR|tlsv1 alert internal error",
        "add the address the function comes from to the IP access list (a NAT gateway's Elastic IP), or use "
        "private networking: Atlas ends the TLS handshake of an address that is not listed so",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "check tlsCAFile and the host name: the server's certificate does not match them",
    ),
    (
        r"does not exist|NXDOMAIN|Name or service not known|nodename nor servname|No address associated|"
        r"name resolution|resolution lifetime expired",
        "check the host name in the URI; in a VPC, that DNS resolution is on and a resolver can be reached",
    ),
    (
        r"Connection refused",
        "check host and port, and that the cluster is not paused: the host answers, but nothing listens there",
    ),
    (
        r"No replica set members match|No servers match|No primary available",
        "check replicaSet in the URI and whether the cluster has a primary",
    ),
    (
        # A selection that has run out of time names the servers in its topology.
        r"(?<![\w-])pl-\d+-[\w.-]+(:\d+: .*timed out|', \d+\) server_type: Unknown)",
        "run the function in a subnet of the private endpoint's VPC, or one peered with it, and let its security group "
        "out to TCP 1024-65535: this host is a private endpoint's, which nothing else reaches",
    ),
    (
        r"timed out|timeout|No route to host|Network is unreachable",
        "check the way from the function's subnet to the cluster: security group, route, NAT gateway, peering or "
        "private endpoint (TCP 27015-27017, PrivateLink 1024-65535), and the IP access list",
    ),
    (
        r"connection closed|reset by peer|EOF occurred",
        "check the IP access list, and whether the cluster is at its connection limit",
    ),
)


def next_step(error: BaseException) -> str:
    """
    What to do about an error that kept a client from connecting.
    """
    text = str(error)
    for pattern, step in _ADVICE:
        if re.search(pattern, text, re.IGNORECASE):
            return step
    return "check the URI, and that the function's network reaches the cluster"


def explained(error: BaseException) -> str:
    """
    The error in one line, without the topology behind it, and the next step.
    """
    message = redact(str(error)).partition(", Timeout: ")[0].partition(", full error: ")[0]
    return f"{type(error).__name__}: {' '.join(message.split())}. Next step: {next_step(error)}"
