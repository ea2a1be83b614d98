"""
The few root certificates that Atlas's servers need, in place of the system's hundred and forty.

Reading all of those takes some 20 ms of CPU for every client. With the few, whoever presents a certificate of another
authority is refused at first; then the system's are added, and the next attempt, half a second later, goes by all of
them. ``atlas_roots.pem`` has the roots of the two authorities that MongoDB names:
https://www.mongodb.com/docs/atlas/reference/faq/security/#which-certificate-authority-signs-mongodb-atlas-tls-certificates-
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from typing import Any

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from . import private

_log = logging.getLogger("warmline")

ROOTS = os.path.join(os.path.dirname(__file__), "atlas_roots.pem")  # noqa: PTH118, PTH120  pathlib costs milliseconds

# The names of Atlas's servers end so; the certificates of all others may be signed by anybody.
ATLAS = ".mongodb.net"

# Who says with one of these whom to trust, or not to ask, has chosen.
_OPTIONS = ("tlscafile", "tlscrlfile", "tlsinsecure", "tlsallowinvalidcertificates")
_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

# What OpenSSL says of a certificate whose issuer is not among the roots (X509_V_ERR_... 2 and 18 to 21). PyMongo's
# event has the text and not the error that it came with.
_UNKNOWN_ISSUER = ("issuer certificate", "self-signed certificate", "self signed certificate", "first certificate")


def applies(hosts: Collection[str], named: Mapping[str, Any], *, tls: bool) -> bool:
    """
    Tell whether the few roots are to be tried first for a client.

    :param hosts: those in the URI, without ports.
    :param named: the options that the caller or the URI sets, by their names in lower case.
    :param tls: whether TLS is on when no option says so.
    """
    return (
        bool(named.get("tls", named.get("ssl", tls)))
        and all(host.lower().endswith(ATLAS) for host in hosts)
        and not any(name in named for name in _OPTIONS)
        and not any(os.environ.get(name) for name in _VARIABLES)
        and private.keeps_tls_context()
        # A packaging tool may have left out what is not Python.
        and os.path.isfile(ROOTS)  # noqa: PTH113
    )


class MoreRoots(ServerHeartbeatListener):
    """
    Adds the system's root certificates to a client's when a server's certificate is not signed by the few.

    The monitors see every server before an operation does.
    """

    def __init__(self) -> None:
        self._client: Any = None
        # What has got them already.
        self._context: Any = None

    def watch(self, client: Any) -> None:
        """
        Say whose roots these are; before the client connects.
        """
        self._client = client

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """
        Nothing to do.
        """

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """
        Nothing to do.
        """

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """
        Add them, if that is why.
        """
        text = str(event.reply)
        if "CERTIFICATE_VERIFY_FAILED" not in text or not any(each in text for each in _UNKNOWN_ISSUER):
            return
        context = private.tls_context(self._client)
        if context is not self._context:
            self._context = context
            context.load_default_certs()
            _log.warning(
                "warmline: the certificate of %s:%s is not signed by one of the roots that Atlas is known to use, so "
                "the system's roots are tried too, half a second later; a newer warmline may know more",
                *event.connection_id,
            )
