"""
The Extensions API of one execution environment: who has registered, for what, and which event each waits for.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html, and for states and refusals, which
AWS does not write down, the public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator:
``core/externalagent_states.go``, ``core/registrations.go``, ``rapi/handler/agentregister.go``).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from aiohttp import web

from ..errors import UnusableFunction
from .answers import Refused, accepted, ending
from .function import ACCOUNT, FunctionSpec

MAX_EXTENSIONS = 10

_NOT_ALLOWED = "State transition is not allowed"
_ERROR_TYPE_HEADER = "Lambda-Extension-Function-Error-Type"


class ShutdownReason(Enum):
    """
    Why an environment is shut down: nobody needs it, an invocation has timed out, or something in it has failed.

    In capitals in AWS's documentation, in small letters on the wire.
    """

    SPINDOWN = "spindown"
    TIMEOUT = "timeout"
    FAILURE = "failure"


class Step(Enum):
    """
    Where an extension stands, by the emulator's names.
    """

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"


@dataclass(slots=True, eq=False)
class Extension:
    """
    One extension: external if it is a process of its own, internal if it is part of the runtime's.
    """

    name: str
    external: bool
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    step: Step = Step.STARTED
    events: frozenset[str] = frozenset()
    # ``None`` is the end.
    inbox: asyncio.Queue[dict[str, Any] | None] = field(default_factory=asyncio.Queue)

    def move(self, step: Step, *, after: Iterable[Step]) -> None:
        """
        Go on to another step, if that can follow.

        :raises Refused: it can't.
        """
        if self.step not in after:
            way = f"State transition from {self.step.value} to {step.value} failed for extension {self.name}"
            raise Refused(403, "Extension.InvalidExtensionState", f"{way}. Error: {_NOT_ALLOWED}")
        self.step = step


class Extensions:
    """
    The extensions of one environment.

    ``registered`` is set when every external one has registered, which the runtime's start waits for. ``fatal`` is the
    error type that the first to give up has reported, in place of the one its end would have.

    :param external: the names of those that come as files
    :param changed: called when one has begun to wait
    """

    def __init__(self, function: FunctionSpec, external: Iterable[str], changed: Callable[[], None]) -> None:
        self._function = function
        self._changed = changed
        self._all = [Extension(name, external=True) for name in external]
        self.closed = False
        self.fatal: str | None = None
        self.registered = asyncio.Event()
        self._check_registered()

    @property
    def names(self) -> tuple[str, ...]:
        """
        Of all that are there, external ones first.
        """
        return tuple(extension.name for extension in self._all)

    @property
    def internal(self) -> bool:
        """
        Whether an internal one has registered.
        """
        return any(not extension.external for extension in self._all)

    @property
    def ready(self) -> bool:
        """
        Whether all wait for their next event.
        """
        return all(extension.step is Step.READY for extension in self._all)

    def subscribed(self, name: str, event: str) -> bool:
        """
        Whether the external extension of this name is to be told of an event.
        """
        return any(
            extension.external and extension.name == name and event in extension.events for extension in self._all
        )

    def deliver(self, event: dict[str, Any]) -> None:
        """
        Give an event to all that have asked for its type.
        """
        for extension in self._all:
            if event["eventType"] in extension.events:
                # It is busy from now on, not only when it has read the event.
                if extension.step is Step.READY:
                    extension.step = Step.RUNNING
                extension.inbox.put_nowait(event)

    def close(self) -> None:
        """
        Let go of those that wait.
        """
        for extension in self._all:
            extension.inbox.put_nowait(None)

    def register(self, headers: Mapping[str, str], body: bytes) -> web.Response:
        """
        Take one in: an external one under the name of its file, any other as internal.
        """
        name = headers.get("Lambda-Extension-Name")
        if not name:
            raise Refused(403, "Extension.InvalidExtensionName", "Empty extension name")
        events = _events(body)
        extension = next((known for known in self._all if known.external and known.name == name), None)
        if extension is None:
            extension = self._internal(name, events)
        else:
            self._check_events(events, internal=False)
        extension.move(Step.REGISTERED, after=(Step.STARTED,))
        extension.events = frozenset(events)
        self._check_registered()
        about = {
            "functionName": self._function.name,
            "functionVersion": self._function.version,
            "handler": self._function.handler,
        }
        if "accountId" in map(str.strip, headers.get("Lambda-Extension-Accept-Feature", "").split(",")):
            about["accountId"] = ACCOUNT
        return web.json_response(about, headers={"Lambda-Extension-Identifier": extension.identifier})

    async def next(self, headers: Mapping[str, str]) -> web.Response:
        """
        Have one wait for its next event.
        """
        extension = self._known(headers)
        before = extension.step
        extension.move(Step.READY, after=(Step.REGISTERED, Step.RUNNING))
        self._changed()
        try:
            event = await extension.inbox.get()
        except asyncio.CancelledError:
            # It has hung up, and may ask again.
            extension.step = before
            raise
        if event is None:
            return ending()
        extension.step = Step.RUNNING
        return web.json_response(event, headers={"Lambda-Extension-Event-Identifier": str(uuid.uuid4())})

    def give_up(self, headers: Mapping[str, str], phase: str) -> web.Response:
        """
        Note that one ends with an error, in its Init (``init``) or later (``exit``); its process is to end next.
        """
        extension = self._known(headers)
        if not headers.get(_ERROR_TYPE_HEADER):
            raise Refused(403, "Extension.MissingHeader", f"{_ERROR_TYPE_HEADER} not found")
        step = Step.INIT_ERROR if phase == "init" else Step.EXIT_ERROR
        after = {Step.REGISTERED} if phase == "init" else {Step.REGISTERED, Step.READY, Step.RUNNING}
        # Once more is no error; of an internal one's Init it is.
        if extension.external or phase == "exit":
            after.add(step)
        extension.move(step, after=after)
        self.fatal = self.fatal or ("Extension.InitError" if phase == "init" else "Extension.ExitError")
        return accepted()

    def _internal(self, name: str, events: list[str]) -> Extension:
        self._check_events(events, internal=True)
        if self.closed:
            raise Refused(403, "Extension.RegistrationClosed", "Extension registration closed already")
        if len(self._all) >= MAX_EXTENSIONS:
            raise Refused(403, "Extension.TooManyExtensions", f"Extension limit ({MAX_EXTENSIONS}) reached")
        if name in self.names:
            raise Refused(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        extension = Extension(name, external=False)
        self._all.append(extension)
        return extension

    def _check_events(self, events: list[str], *, internal: bool) -> None:
        if self._function.managed and internal and events:
            raise Refused(403, "Extension.InvalidEventType", "No events allowed for internal extensions")
        known = {"INVOKE", "SHUTDOWN"} - ({"INVOKE"} if self._function.managed else set())
        for event in events:
            if event not in known:
                raise Refused(403, "Extension.InvalidEventType", f"{event}: invalid event type")
            if internal and event == "SHUTDOWN":
                message = "SHUTDOWN: event not supported for internal extensions"
                raise Refused(403, "Extension.InvalidEventType", message)

    def _known(self, headers: Mapping[str, str]) -> Extension:
        identifier = headers.get("Lambda-Extension-Identifier")
        if not identifier:
            message = "Missing Lambda-Extension-Identifier header"
            raise Refused(403, "Extension.MissingExtensionIdentifier", message)
        try:
            identifier = str(uuid.UUID(identifier))
        except ValueError:
            message = "Invalid Lambda-Extension-Identifier"
            raise Refused(403, "Extension.InvalidExtensionIdentifier", message) from None
        for extension in self._all:
            if extension.identifier == identifier:
                return extension
        raise Refused(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")

    def _check_registered(self) -> None:
        if all(extension.step is not Step.STARTED for extension in self._all):
            self.registered.set()


def extension_files(function: FunctionSpec) -> tuple[Path, ...]:
    """
    The files of a function's external extensions: every one in the folder, as Lambda takes those in /opt/extensions.

    :raises UnusableFunction: the folder can't be read, or more than ten are in it.
    """
    folder = function.extensions
    if folder is None:
        return ()
    try:
        files = tuple(sorted(path.absolute() for path in folder.iterdir() if not path.is_dir()))
    except OSError as error:
        raise UnusableFunction(
            f"the extensions of function {function.name} can't be read: {folder}: {error.strerror}; name a folder"
        ) from None
    if len(files) > MAX_EXTENSIONS:
        raise UnusableFunction(
            f"function {function.name} has {len(files)} extensions in {folder}: Lambda starts {MAX_EXTENSIONS} at most"
        )
    return files


def _events(body: bytes) -> list[str]:
    try:
        request = json.loads(body)
    except ValueError as error:
        raise Refused(403, "InvalidRequestFormat", str(error)) from None
    events = request.get("events") if isinstance(request, dict) else request
    if events is None:
        return []
    if (
        not isinstance(request, dict)
        or not isinstance(events, list)
        or not all(isinstance(event, str) for event in events)
    ):
        raise Refused(403, "InvalidRequestFormat", "the body is no object with a list of events")
    return events
