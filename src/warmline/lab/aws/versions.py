"""
A function as it is deployed: its versions, its aliases, and the environments of each version.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..errors import UnknownFunction, UnusableFunction
from .concurrency import ScalingRate
from .environment import Environment
from .function import FunctionSpec

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class Alias:
    """
    A name for a version, and perhaps for a second one that a share of the invocations goes to.

    ``weights`` has that version and its share, from 0 to 1.
    """

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)


class Version:
    """
    One version of a function, and its live environments.

    :ivar environments: all of them, also those that fade or are just starting.
    :ivar provisioned: those of them that are kept initialised.
    :ivar free: the most recently used is last, and is taken first. One that has just answered may still be settling.
        A managed instance is in it once for each worker that has nothing to do.
    :ivar fade_seconds: how long its environments stay when they have nothing to do; ``None`` until it is replaced.
    """

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self.in_flight = 0
        self.environments: list[Environment] = []
        self.provisioned: set[Environment] = set()
        self.free: list[Environment] = []
        self.fade_seconds: float | None = None

    @property
    def on_demand(self) -> int:
        """
        How many of its invocations run beside its provisioned concurrency.
        """
        return max(0, self.in_flight - len(self.provisioned))

    @property
    def idle_seconds(self) -> float | None:
        """
        How long an environment with nothing to do stays; ``None`` is for ever.
        """
        limits = (self.spec.idle_seconds, self.fade_seconds)
        return min((limit for limit in limits if limit is not None), default=None)

    def take(self) -> Environment | None:
        """
        Take a free environment: a provisioned one if there is any.
        """
        for environment in reversed(self.free if self.provisioned else ()):
            if environment in self.provisioned:
                self.free.remove(environment)
                return environment
        return self.free.pop() if self.free else None

    def rests(self, environment: Environment) -> bool:
        """
        Whether nothing runs in this environment.
        """
        return self.free.count(environment) == self.spec.workers

    def drop(self, environment: Environment) -> None:
        """
        Forget an environment that has ended, unless all were ended meanwhile.
        """
        if environment in self.environments:
            self.environments.remove(environment)
        self.provisioned.discard(environment)


class Function:
    """
    A deployed function: what is invoked without a qualifier, its published versions, and those that fade.
    """

    def __init__(self, spec: FunctionSpec, scaling: ScalingRate) -> None:
        self.scaling = scaling
        self.latest = Version(spec)
        self.published: dict[str, Version] = {}
        self.aliases: dict[str, Alias] = {}
        self._fading: list[Version] = []

    @property
    def spec(self) -> FunctionSpec:
        """
        What is invoked without a qualifier.
        """
        return self.latest.spec

    @property
    def versions(self) -> Iterator[Version]:
        """
        All versions, also those that fade.
        """
        # Copies: what watches a run asks from another thread.
        return itertools.chain((self.latest,), tuple(self.published.values()), tuple(self._fading))

    @property
    def environments(self) -> list[Environment]:
        """
        The live environments of all versions.
        """
        return [environment for version in self.versions for environment in version.environments]

    @property
    def in_flight(self) -> int:
        """
        How many invocations run.
        """
        return sum(version.in_flight for version in self.versions)

    def forget(self) -> list[Environment]:
        """
        Return the live environments of all versions, which are to be ended, and know them no more.
        """
        environments = self.environments
        for version in self.versions:
            version.environments, version.free = [], []
            version.provisioned = set()
        return environments

    def replace(self, spec: FunctionSpec, fade_seconds: float) -> Version:
        """
        Make this what is invoked from now on, and return the version that fades.
        """
        old, self.latest = self.latest, Version(spec)
        old.fade_seconds = fade_seconds
        self._fading = [version for version in self._fading if version.environments or version.in_flight]
        self._fading.append(old)
        return old

    def publish(self, provisioned_concurrency: int) -> Version:
        """
        Make a version with the next number of what is invoked now.
        """
        numbers = [int(name) for name in (*self.published, self.spec.version) if name.isdecimal()]
        name = str(max(numbers, default=0) + 1)
        version = Version(replace(self.spec, version=name, provisioned_concurrency=provisioned_concurrency))
        self.published[name] = version
        return version

    def alias(self, name: str, alias: Alias) -> None:
        """
        Make an alias, or point it elsewhere.

        :raises UnusableFunction: the name or the weights are none that Lambda takes.
        :raises UnknownFunction: there is no such version.
        """
        where = f"alias {name!r} of function {self.spec.name}"
        if name.isdecimal() or not name.replace("-", "").replace("_", "").isalnum():
            raise UnusableFunction(f"{where}: take letters, digits, - and _, and not digits alone")
        if len(alias.weights) > 1 or not all(0 <= weight <= 1 for weight in alias.weights.values()):
            raise UnusableFunction(f"{where}: one second version at most, with a weight from 0 to 1")
        for version in (alias.version, *alias.weights):
            self._version(version)
        if alias.weights and LATEST in (alias.version, *alias.weights):
            raise UnusableFunction(f"{where}: $LATEST can't share an alias; publish a version")
        self.aliases[name] = alias

    def resolve(self, qualifier: str | None) -> Version:
        """
        Find the version that an invocation with this qualifier goes to; a weighted alias is drawn.

        :raises UnknownFunction: it is neither a version nor an alias.
        """
        if qualifier is None:
            return self.latest
        alias = self.aliases.get(qualifier)
        if alias is None:
            return self._version(qualifier)
        for second, weight in alias.weights.items():
            if random.random() < weight:  # noqa: S311  no secret
                return self._version(second)
        return self._version(alias.version)

    def _version(self, name: str) -> Version:
        if name in self.published:
            return self.published[name]
        if name in {LATEST, self.spec.version}:
            return self.latest
        known = ", ".join((self.spec.version, *self.published, *self.aliases))
        raise UnknownFunction(f"function {self.spec.name} has no version or alias {name!r}: {known}")
