"""
MONGODB-AWS on one connection: the conversation with the client, then a login to the server in the caller's place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...iam import AuthenticationFailed, Refusal, ServerConversation
from .scram import Call, log_in

MECHANISM = "MONGODB-AWS"

_CONVERSATION_ID = 1


@dataclass(frozen=True, slots=True)
class IamLogin:
    """
    What a front needs for MONGODB-AWS: a conversation for each login, and the password behind each database user.
    """

    conversation: Callable[[], ServerConversation]
    password_of: Callable[[str], str | None]


class Login:
    """
    The login of one connection.
    """

    def __init__(self, iam: IamLogin) -> None:
        self._iam = iam
        self._conversation: ServerConversation | None = None

    def concerns(self, command: Mapping[str, Any]) -> bool:
        """
        Tell whether a SASL command belongs to MONGODB-AWS; all others are the server's.
        """
        if "saslStart" in command:
            return command.get("mechanism") == MECHANISM
        return self._conversation is not None and command.get("conversationId") == _CONVERSATION_ID

    async def answer(self, command: Mapping[str, Any], call: Call) -> dict[str, Any]:
        """
        Answer one SASL command of the client; ``call`` runs a command on the server.
        """
        try:
            if "saslStart" in command:
                return self._start(command)
            await self._finish(command, call)
        except AuthenticationFailed as failed:
            return dict(failed.answer)
        return {"conversationId": _CONVERSATION_ID, "done": True, "payload": b"", "ok": 1.0}

    def _start(self, command: Mapping[str, Any]) -> dict[str, Any]:
        self._conversation = self._iam.conversation()
        payload = self._conversation.start(command.get("payload"))
        return {"conversationId": _CONVERSATION_ID, "done": False, "payload": payload, "ok": 1.0}

    async def _finish(self, command: Mapping[str, Any], call: Call) -> None:
        conversation, self._conversation = self._conversation, None
        if conversation is None:
            raise AuthenticationFailed(Refusal.OUT_OF_ORDER)
        user = conversation.finish(command.get("payload")).database_user
        password = self._iam.password_of(user)
        if password is None or not await log_in(call, user, password):
            raise AuthenticationFailed(Refusal.NO_DATABASE_USER)
