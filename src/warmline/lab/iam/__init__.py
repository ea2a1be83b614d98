"""
AWS identities, and the server's half of MONGODB-AWS.
"""

from __future__ import annotations

from .credentials_endpoint import CredentialsEndpoint
from .identities import Credentials, IamUser, Identities, Principal, Role, database_user, environment
from .refusal import AuthenticationFailed, Refusal
from .sasl import Caller, ServerConversation
from .sigv4 import sts_region

__all__ = [
    "AuthenticationFailed",
    "Caller",
    "Credentials",
    "CredentialsEndpoint",
    "IamUser",
    "Identities",
    "Principal",
    "Refusal",
    "Role",
    "ServerConversation",
    "database_user",
    "environment",
    "sts_region",
]
