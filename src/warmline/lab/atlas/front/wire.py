"""
MongoDB's wire messages, as far as a proxy must understand them: their frame, and the commands of a handshake.

Sources: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ and
https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bson
from bson.errors import BSONError

from ...errors import MalformedMessage

OP_REPLY = 1
OP_QUERY = 2004
OP_MSG = 2013

# What a server accepts (maxMessageSizeBytes), and enough for what comes before a login.
MAX_MESSAGE_BYTES = 48_000_000
MAX_HANDSHAKE_BYTES = 65_536

_HEADER = struct.Struct("<iiii")
_CHECKSUM_PRESENT = 1
_MORE_TO_COME = 2
# Behind the header of an OP_MSG: four bytes of flags, and the kind of the first section.
_OP_MSG_BODY = 21
# Behind the header of an OP_REPLY: flags, cursor, position and number of documents.
_OP_REPLY_BODY = 36


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message as it came, header included.
    """

    request_id: int
    response_to: int
    opcode: int
    data: bytes

    @property
    def more_to_come(self) -> bool:
        """
        Whether the server sends further replies to this one (an exhaust ``hello``).
        """
        return self.opcode == OP_MSG and bool(self._flags & _MORE_TO_COME)

    @property
    def _flags(self) -> int:
        return int(struct.unpack_from("<I", self.data, 16)[0])

    def command_name(self) -> bytes | None:
        """
        The name of the command in a request; ``None`` where a proxy need not know it.

        :raises MalformedMessage: the message is too short for what it says it is.
        """
        start = self._request_body()
        if start is None:
            return None
        # A document: four bytes of length, the first element's type, its name up to a zero byte.
        end = self.data.find(b"\0", start + 5)
        if end < 0:
            raise MalformedMessage("a request ends within the name of its command")
        return self.data[start + 5 : end]

    def request(self) -> dict[str, Any]:
        """
        Decode the command of a request.
        """
        start = self._request_body()
        if start is None:
            raise MalformedMessage(f"a request with opcode {self.opcode} holds no command")
        return _decode(self.data, start)

    def reply(self) -> dict[str, Any]:
        """
        Decode the document of a reply.
        """
        return _decode(self.data, _OP_MSG_BODY if self.opcode == OP_MSG else _OP_REPLY_BODY)

    def with_document(self, document: Mapping[str, Any]) -> bytes:
        """
        Encode this message with another document, for the same request and in the same form.
        """
        body = bson.encode(document)
        if self.opcode == OP_MSG:
            # The checksum, where there was one, was of the old document.
            prefix = struct.pack("<IB", self._flags & ~_CHECKSUM_PRESENT, 0)
        else:
            start = _OP_REPLY_BODY if self.opcode == OP_REPLY else self._request_body()
            prefix = self.data[_HEADER.size : start]
        size = _HEADER.size + len(prefix) + len(body)
        return _HEADER.pack(size, self.request_id, self.response_to, self.opcode) + prefix + body

    def _request_body(self) -> int | None:
        if self.opcode == OP_MSG:
            if len(self.data) < _OP_MSG_BODY + 5:
                raise MalformedMessage("an OP_MSG is too short to hold a document")
            # Drivers send the command's document first; a sequence first is no handshake.
            return _OP_MSG_BODY if self.data[20] == 0 else None
        if self.opcode == OP_QUERY:
            end = self.data.find(b"\0", 20)
            if end < 0 or len(self.data) < end + 9 + 5:
                raise MalformedMessage("an OP_QUERY is too short to hold a document")
            return end + 9
        return None


async def read_message(reader: asyncio.StreamReader, limit: int) -> Message | None:
    """
    Read one message; ``None`` when the peer has closed the connection between two.

    :raises MalformedMessage: it is cut off, or its length is impossible or above the limit.
    """
    try:
        header = await reader.readexactly(_HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise MalformedMessage("a message is cut off within its header") from None
        return None
    length, request_id, response_to, opcode = _HEADER.unpack(header)
    if not _HEADER.size <= length <= limit:
        raise MalformedMessage(
            f"a message says that it has {length} bytes; {_HEADER.size} to {limit} are possible here"
        )
    try:
        body = await reader.readexactly(length - _HEADER.size)
    except asyncio.IncompleteReadError:
        raise MalformedMessage("a message is cut off") from None
    return Message(request_id, response_to, opcode, header + body)


def new_message(request_id: int, response_to: int, document: Mapping[str, Any]) -> bytes:
    """
    Encode a message of our own.
    """
    body = bson.encode(document)
    size = _OP_MSG_BODY + len(body)
    return _HEADER.pack(size, request_id, response_to, OP_MSG) + struct.pack("<IB", 0, 0) + body


def _decode(data: bytes, start: int) -> dict[str, Any]:
    try:
        (length,) = struct.unpack_from("<i", data, start)
        document: dict[str, Any] = bson.decode(data[start : start + length])
    except (struct.error, BSONError) as error:
        raise MalformedMessage(f"a message holds no BSON document where one must be: {error}") from None
    return document
