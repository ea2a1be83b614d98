"""
A URI and options become settings that PyMongo takes, or one clear error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pymongo
from pymongo import uri_parser
from pymongo.errors import InvalidURI as DriverInvalidURI
from pymongo.errors import PyMongoError

from .defaults import defaults_beside
from .errors import (
    ConfigurationError,
    InvalidOptionError,
    InvalidURIError,
    MissingURIError,
    SrvMaxHostsError,
    UnknownOptionError,
)
from .redact import redact, redact_uri

if TYPE_CHECKING:
    from .secret.store import Secret

URI_VARIABLE = "MONGODB_URI"

# What a reference to a secret begins with, in place of a connection string.
_REFERENCES = ("arn:", "secretsmanager:", "ssm:")

# One "@", and before it nothing that would have had to be percent-encoded.
_WELL_FORMED_CREDENTIALS = r"[^:/?#\[\]@]+(:[^:/?#\[\]@]*)?@[^@]*"


class Settings(NamedTuple):
    """
    What ``MongoClient`` is called with, and where the URI came from.

    ``named`` are the options that the caller or the URI sets, by their names in lower case. ``secret`` is what the URI
    was read from, if it was a reference.
    """

    uri: str
    where: str
    options: Mapping[str, Any]
    connect_at_init: bool
    named: Mapping[str, Any]
    secret: Secret | None

    def __repr__(self) -> str:
        # The URI and the options may hold a password.
        return f"Settings(where={self.where!r}, connect_at_init={self.connect_at_init!r})"

    @property
    def identity(self) -> str:
        """
        What tells this URI from others: of a secret it is the reference, since its value may change.
        """
        return self.uri if self.secret is None else self.secret.reference.text


def settings(uri: str | None, options: Mapping[str, Any]) -> Settings:
    """
    Read the URI and the options, and add our defaults for what neither of them sets.
    """
    uri, where = _given(uri)
    secret = None
    if uri.startswith(_REFERENCES):
        uri, where, secret = _resolved(uri, where)
    _check_scheme(uri, where)
    set_already = _uri_options(uri, where) | {name.lower(): value for name, value in options.items()}
    _check_srv_max_hosts(uri, set_already)
    # Left to itself PyMongo starts its monitors with the client, except on Lambda. Ours opens nothing by itself
    # anywhere: during Init `connect` does, elsewhere the first operation.
    options = {"connect": False, **defaults_beside(set_already), **options}
    at_init = set_already.get("connect", True)
    return Settings(uri, where, options, connect_at_init=at_init, named=set_already, secret=secret)


def refusal(error: Exception, uri: str, where: str) -> ConfigurationError:
    """
    Say in one line why PyMongo refused a URI or an option.
    """
    rest = uri.partition("://")[2]
    if "@" in rest and not re.fullmatch(_WELL_FORMED_CREDENTIALS, rest):
        # PyMongo's text may quote a piece of such a password.
        return InvalidURIError(
            f"{where} is malformed, probably because its user name or password holds one of : / ? # [ ] @ as it is: "
            f"percent-encode both with urllib.parse.quote_plus; {redact_uri(uri)!r}"
        )
    text = redact(str(error)).rstrip(".")
    if text.startswith("Unknown option"):
        return UnknownOptionError(f"PyMongo {pymongo.version} does not know an option of {where}: {text}")
    if isinstance(error, DriverInvalidURI):
        return InvalidURIError(f"{where} is malformed: {text}; {redact_uri(uri)!r}")
    return InvalidOptionError(f"PyMongo refuses an option of {where}: {text}; {redact_uri(uri)!r}")


def _given(uri: str | None) -> tuple[str, str]:
    where = "connect()"
    if uri is None:
        uri, where = os.environ.get(URI_VARIABLE, ""), f"the environment variable {URI_VARIABLE}"
        if not uri.strip():
            raise MissingURIError(
                f"there is no URI to connect to: set the environment variable {URI_VARIABLE}, "
                "or pass connect('mongodb+srv://…')"
            )
    if not isinstance(uri, str):
        raise InvalidURIError(f"connect() takes the URI as a string, not {type(uri).__name__}")
    # A secret store or `echo` likes to leave a newline behind.
    return uri.strip(), where


def _resolved(reference: str, where: str) -> tuple[str, str, Secret]:
    from .secret.reference import parse
    from .secret.store import secret_of

    secret = secret_of(parse(reference, where))
    return secret.uri(), f"the secret {secret.reference}", secret


def _check_scheme(uri: str, where: str) -> None:
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise InvalidURIError(
            f"the URI of {where} does not begin with mongodb:// or mongodb+srv://: {redact_uri(uri)!r}; "
            "copy it from Atlas under Connect > Drivers"
        )


def _uri_options(uri: str, where: str) -> dict[str, Any]:
    query = uri.partition("?")[2]
    if not query:
        return {}
    try:
        # Of a URI option that it does not know PyMongo only warns, and goes on without it.
        options = uri_parser.split_options(query, validate=True, warn=False, normalize=False)
    except (PyMongoError, ValueError, TypeError, OSError) as error:
        refused = refusal(error, uri, where)
    else:
        return {name.lower(): value for name, value in options.items()}
    # Out here PyMongo's error, which may quote a piece of a password, is not kept with ours.
    raise refused


def _check_srv_max_hosts(uri: str, options: Mapping[str, Any]) -> None:
    hosts = options.get("srvmaxhosts")
    if not hosts:
        return
    what = f"srvMaxHosts={hosts} can't hold"
    if not uri.startswith("mongodb+srv://"):
        raise SrvMaxHostsError(
            f"{what} in {redact_uri(uri)!r}: it limits the hosts of a mongodb+srv:// record; "
            "use the SRV connection string or remove srvMaxHosts"
        )
    if options.get("replicaset"):
        raise SrvMaxHostsError(
            f"{what} beside replicaSet={options['replicaset']}: it is for sharded clusters only, "
            "a replica set needs all of its members; remove srvMaxHosts"
        )
    if options.get("loadbalanced"):
        raise SrvMaxHostsError(f"{what} beside loadBalanced=true: there is only one host; remove srvMaxHosts")
