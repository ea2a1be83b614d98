"""
What can go wrong before an operation reaches the driver.

Operations raise PyMongo's own errors; these are only about how the client is set up:

    WarmlineError
    ├── ConfigurationError          also a pymongo.errors.ConfigurationError
    │   ├── MissingURIError
    │   ├── InvalidURIError         also a pymongo.errors.InvalidURI
    │   ├── UnknownOptionError
    │   ├── InvalidOptionError
    │   ├── SrvMaxHostsError
    │   ├── UnreadableSecretError
    │   └── UnusableSecretError
    └── UnsupportedHandlerError     also a TypeError

Every message is one line: what is wrong, where, and what to do. None holds a credential.
"""

from __future__ import annotations

import pymongo.errors


class WarmlineError(Exception):
    """
    The base of every error that warmline itself raises.
    """


class ConfigurationError(WarmlineError, pymongo.errors.ConfigurationError):
    """
    The client can't be made from this URI and these options.
    """


class MissingURIError(ConfigurationError):
    """
    No URI was passed and the environment variable ``MONGODB_URI`` is not set.
    """


class InvalidURIError(ConfigurationError, pymongo.errors.InvalidURI):
    """
    The URI is malformed.
    """


class UnknownOptionError(ConfigurationError):
    """
    An option, in the URI or as a keyword, that this PyMongo does not know.
    """


class InvalidOptionError(ConfigurationError):
    """
    An option that PyMongo knows, with a value that it refuses.
    """


class SrvMaxHostsError(ConfigurationError):
    """
    ``srvMaxHosts`` where it can't hold: without ``mongodb+srv://``, or with ``replicaSet`` or ``loadBalanced``.
    """


class UnreadableSecretError(ConfigurationError):
    """
    Secrets Manager or Parameter Store does not give the secret that the URI refers to.
    """


class UnusableSecretError(ConfigurationError):
    """
    The secret that the URI refers to holds no connection string.
    """


class UnsupportedHandlerError(WarmlineError, TypeError):
    """
    ``@handler`` on something that it can't bound.
    """
