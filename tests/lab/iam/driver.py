"""
The client's half: MongoDB's own pymongo-auth-aws, driven as PyMongo drives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
import pymongo_auth_aws
from bson.binary import Binary

from warmline.lab.iam import Caller, ServerConversation


class Driver(pymongo_auth_aws.AwsSaslContext):  # type: ignore[misc]
    """
    What PyMongo adds to it: BSON.
    """

    def binary_type(self) -> type[Binary]:
        return Binary

    def bson_encode(self, document: Mapping[str, Any]) -> bytes:
        return bson.encode(document)

    def bson_decode(self, data: bytes) -> dict[str, Any]:
        return bson.decode(data)


def driver() -> Driver:
    """
    Return one that takes its credentials from the environment, as a URI without a user's name makes it.
    """
    return Driver(pymongo_auth_aws.AwsCredential(None, None, None))


def authenticate(conversation: ServerConversation) -> Caller:
    """
    Hold a whole conversation.
    """
    client = driver()
    server_first = conversation.start(client.step(None))
    return conversation.finish(client.step(server_first))
