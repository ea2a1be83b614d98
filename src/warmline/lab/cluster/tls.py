"""
Certificates for one run, signed by an authority that exists for that run only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# By what the members and the lab itself reach a server.
LOCAL_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificates:
    """
    Where the certificates are, as PEM files.

    - `ca`: whom clients and members trust
    - `server`: the servers' private key and the certificate for all their names
    """

    ca: Path
    server: Path


def make_certificates(directory: Path, names: Sequence[str] = ()) -> Certificates:
    """
    Make an authority and one server certificate, valid for the DNS names, `localhost` and 127.0.0.1.

    A name may begin with `*.`. The authority's own key is never written, so nobody can sign with it later.
    """
    # Late: it brings `cryptography`, which only a cluster with TLS needs.
    import trustme

    # Its keys are ECDSA's by default, which take no time to make.
    authority = trustme.CA()
    certificate = authority.issue_cert(*dict.fromkeys((*names, *LOCAL_NAMES)))

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Certificates(directory / "ca.pem", directory / "server.pem")
    # Nobody else's from the first byte on: it holds the key. And first of all, so that no others are written over.
    made.server.touch(mode=0o600, exist_ok=False)
    authority.cert_pem.write_to_path(made.ca)
    certificate.private_key_and_cert_chain_pem.write_to_path(made.server)
    return made
