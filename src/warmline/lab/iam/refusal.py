"""
Why the server's half of MONGODB-AWS refuses a client, and what it tells the client.
"""

from __future__ import annotations

from enum import Enum

from ..errors import LabError


class Refusal(Enum):
    """
    The reasons, for logs and tests. The client learns `message` only, as with Atlas.
    """

    MALFORMED_PAYLOAD = "the payload is not the BSON document that this step asks for"
    OUT_OF_ORDER = "the conversation does not wait for this message"
    MALFORMED_AUTHORIZATION = "the Authorization header does not have the form of AWS4-HMAC-SHA256"
    WRONG_SIGNED_HEADERS = "SignedHeaders is not the list that MONGODB-AWS asks for"
    MALFORMED_DATE = "X-Amz-Date is not a moment in the form 20191107T002607Z"
    WRONG_SCOPE_DATE = "the credential scope has another day than X-Amz-Date"
    WRONG_REGION = "the credential scope has another region than the STS host"
    WRONG_SERVICE = "the credential scope is not of sts"
    WRONG_TERMINATOR = "the credential scope does not end with aws4_request"
    CLOCK_SKEW = "X-Amz-Date is more than 15 minutes from the server's clock"
    UNKNOWN_ACCESS_KEY = "the access key is unknown"
    MISSING_TOKEN = "the access key is a session's, but the session token is missing"  # noqa: S105 - no secret
    UNEXPECTED_TOKEN = "the access key is a user's, but there is a session token"  # noqa: S105 - no secret
    WRONG_TOKEN = "the session token is not the access key's"  # noqa: S105 - no secret
    EXPIRED_CREDENTIALS = "the credentials have expired"
    WRONG_SIGNATURE = "the signature is not the one of this request under this secret key"
    NO_DATABASE_USER = "the caller is not a database user"

    @property
    def message(self) -> str:
        """
        What the client is told.

        The text about STS is quoted as Atlas's by many of its users; that about users comes from Atlas for SCRAM.
        How Atlas words the others is not known.
        """
        if self in _SEEN_BEFORE_STS:
            return "bad auth : malformed payload"
        if self is Refusal.OUT_OF_ORDER:
            return "bad auth : unexpected message"
        if self is Refusal.NO_DATABASE_USER:
            return "bad auth : Authentication failed."
        return "bad auth : aws sts call has response 403"


# MongoDB's server looks at these itself; all it does not understand it leaves to STS.
_SEEN_BEFORE_STS = {Refusal.MALFORMED_PAYLOAD, Refusal.MALFORMED_AUTHORIZATION, Refusal.WRONG_SIGNED_HEADERS}


class AuthenticationFailed(LabError):  # noqa: N818 - as all leaves of LabError
    """
    The client is refused; it is told `message`, and `reason` stays here.
    """

    code = 8000
    code_name = "AtlasError"

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"{reason.message} ({reason.value})")
        self.reason = reason
        self.message = reason.message

    @property
    def answer(self) -> dict[str, object]:
        """
        The command's answer to the client.
        """
        return {"ok": 0.0, "errmsg": self.message, "code": self.code, "codeName": self.code_name}
