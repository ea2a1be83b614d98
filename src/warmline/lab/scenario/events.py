"""
What may happen while a scenario runs, as people write it: ``step down``, ``black hole zone a for 10s``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import UnusableScenario
from ..load import read_duration
from . import actions
from .actions import Stage, Undo

_DURATION = r"\d+(?:\.\d+)? ?(?:ms|s|min|h)"
_WHERE = r"(?P<where>primary|all|node \d+|zone [a-z])"
_FOR = rf" for (?P<seconds>{_DURATION})"


@dataclass(frozen=True, slots=True)
class _Form:
    """
    One kind of event: how it is written, and what it does.

    - ``front``: it needs the front, which stands between the functions and the servers
    - ``elects``: another server may be primary after it
    - ``password``: it is about the password that functions log in with
    """

    pattern: str
    example: str
    act: Callable[[Stage, dict[str, str]], Undo | None]
    front: bool = False
    elects: bool = False
    password: bool = False


# A new kind of event is a function in `actions` and an entry here.
FORMS = (
    _Form(r"step down", "step down", actions.step_down, elects=True),
    _Form(rf"restart {_WHERE}", "restart primary", actions.restart, elects=True),
    _Form(rf"crash {_WHERE}{_FOR}", "crash node 2 for 10s", actions.crash, elects=True),
    _Form(rf"black hole {_WHERE}{_FOR}", "black hole zone a for 10s", actions.black_hole, front=True),
    _Form(rf"forget connections of {_WHERE}", "forget connections of all", actions.forget_connections, front=True),
    _Form(rf"reset connections of {_WHERE}", "reset connections of node 1", actions.reset_connections, front=True),
    _Form(
        rf"delay (?P<delay>{_DURATION}) to {_WHERE}{_FOR}", "delay 50ms to primary for 10s", actions.delay, front=True
    ),
    _Form(rf"refuse connections{_FOR}", "refuse connections for 5s", actions.refuse_connections, front=True),
    _Form(rf"deny access{_FOR}", "deny access for 5s", actions.deny_access, front=True),
    _Form(
        rf"limit connections (?P<number>\d+)(?:{_FOR})?", "limit connections 100", actions.limit_connections, front=True
    ),
    _Form(
        rf"limit new connections (?P<number>\d+)/s(?:{_FOR})?",
        "limit new connections 15/s",
        actions.limit_new_connections,
        front=True,
    ),
    _Form(rf"lose names{_FOR}", "lose names for 5s", actions.lose_names),
    _Form(r"rotate password", "rotate password", actions.rotate_password, password=True),
    _Form(
        rf"deploy(?: (?!fading\b)(?P<function>[\w-]+))?(?: fading (?P<fade>{_DURATION}))?",
        "deploy orders fading 5s",
        actions.deploy,
    ),
)


@dataclass(frozen=True, slots=True)
class ScenarioEvent:
    """
    One event: when it happens, in seconds since the load's start, how it was written, and for how long it lasts.
    """

    at: float
    text: str
    lasts: float
    form: _Form
    groups: dict[str, str]

    def begin(self, stage: Stage) -> Undo | None:
        """
        Let it happen; return what ends it, if it lasts. It blocks.
        """
        return self.form.act(stage, self.groups)


def parse_event(at: float, text: str, functions: Iterable[str]) -> ScenarioEvent:
    """
    Read an event.

    :param functions: the names that it may speak of
    :raises UnusableScenario: it is none; the text says what there is.
    """
    for form in FORMS:
        found = re.fullmatch(form.pattern, text.strip())
        if found is not None:
            groups = {name: value for name, value in found.groupdict().items() if value is not None}
            named = groups.get("function")
            if named is not None and named not in functions:
                raise UnusableScenario(f"{text!r}: there is no function {named!r} here but {', '.join(functions)}")
            return ScenarioEvent(at, text.strip(), read_duration(groups.get("seconds", "0s")), form, groups)
    examples = [form.example for form in FORMS]
    near = difflib.get_close_matches(text, examples, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"for example {', '.join(map(repr, examples))}"
    raise UnusableScenario(f"there is no event {text!r}; {hint}")
