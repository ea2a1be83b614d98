"""
What is deployed, and what an invocation gives back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import UnusableFunction
from ..names.hook.warmline_hook import EGRESS_VARIABLE

ACCOUNT = "123456789012"
REGION = "us-east-1"

# Limits of synchronous invocations, in bytes.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (6 MB each way; the response's is
# the figure in AWS's own error text).
MAX_PAYLOAD_BYTES = 6_291_456
MAX_RESPONSE_BYTES = 6_291_556

StartMode = Literal["zygote", "exec"]
Monotonic = Literal["runs", "stands-still"]
CpuKind = Literal["shared", "by-memory"]
NetworkKind = Literal["shared", "own"]

# The values of AWS_LAMBDA_INITIALIZATION_TYPE that the lab knows.
Initialization = Literal["on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances"]


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """
    One function as it is deployed.

    ``start`` says how its environments begin: forked from a process that has imported the driver already
    (``zygote``: many of them, fast and small), or as a new interpreter each (``exec``: a true cold start).

    ``monotonic`` says what the monotonic clock does while an environment is frozen. Field reports say that Lambda's
    stands still; for that the lab needs a C compiler.

    ``initialization`` says how they come to their first invocation. With ``snap-start`` there are no keys among their
    variables: ``environment`` names the endpoint that has them (``CredentialsEndpoint.environment``). With
    ``lambda-managed-instances`` each serves as many invocations at once as it has ``workers``, processes of its own.

    ``command`` is the program that speaks the Runtime API, with its arguments, where that is not Python's runtime
    client: a custom runtime's ``bootstrap``, or another language's runtime client. It is looked for in the code folder
    and then on PATH, each environment starts it anew, and ``handler`` is only what ``_HANDLER`` tells it.

    ``provisioned_concurrency`` is how many environments are kept initialised; their initialization is
    ``provisioned-concurrency``, whatever that of the others is. On AWS it is set on a version or an alias.

    ``idle_seconds`` is how long an environment stays that has nothing to do; ``None`` is for ever. AWS does not
    document it; field reports say 300 to 900.

    ``extensions`` is a folder whose files are started as external extensions, as Lambda does with /opt/extensions.

    ``cpu``: whether environments take what they can get of this machine's CPUs, or have the share of one that their
    memory buys on Lambda, all of it during Init. That takes Linux and a cgroup that this process may write to.

    ``network``: whether an environment shares this machine's network, or has one of its ``own``, which leads to the
    lab's servers alone. That takes Linux and root; then the link is cut while it is frozen, and it can end without a
    FIN. Its connections come from ``Link.address``.

    :raises UnusableFunction: more than one worker without managed instances, a provisioned concurrency that Lambda
        would refuse, or an egress address with a network of its own.
    """

    name: str
    code: Path
    handler: str = "app.lambda_handler"
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 512
    timeout_seconds: float = 3.0
    reserved_concurrency: int | None = None
    version: str = "$LATEST"
    runtime: str = "python3.13"
    start: StartMode = "zygote"
    monotonic: Monotonic = "runs"
    initialization: Initialization = "on-demand"
    workers: int = 1
    command: tuple[str, ...] | None = None
    provisioned_concurrency: int = 0
    idle_seconds: float | None = None
    network: NetworkKind = "shared"
    extensions: Path | None = None
    cpu: CpuKind = "shared"

    def __post_init__(self) -> None:
        if self.workers < 1 or (self.workers > 1 and not self.managed):
            raise UnusableFunction(
                f"function {self.name} can't have {self.workers} workers: one, or with the initialization "
                "lambda-managed-instances more"
            )
        if self.provisioned_concurrency and self.initialization in {"snap-start", "lambda-managed-instances"}:
            raise UnusableFunction(
                f"function {self.name} can't have provisioned concurrency with the initialization "
                f"{self.initialization}: take one of the two"
            )
        if self.reserved_concurrency is not None and self.provisioned_concurrency > self.reserved_concurrency:
            raise UnusableFunction(
                f"function {self.name} can't have a provisioned concurrency of {self.provisioned_concurrency}: "
                f"that is more than the {self.reserved_concurrency} it reserves"
            )
        if self.network == "own" and EGRESS_VARIABLE in self.environment:
            raise UnusableFunction(
                f"function {self.name} can't have an egress address and networks of their own for its environments, "
                "each of which brings an address: leave egress out"
            )

    @property
    def managed(self) -> bool:
        """
        Whether it runs on Lambda Managed Instances.
        """
        return self.initialization == "lambda-managed-instances"

    @property
    def arn(self) -> str:
        """
        The function's ARN, without a version.
        """
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """
    The answer to one invocation, and what it took.

    ``latency_ms`` is what the caller waited from the moment that the environment had a place to run in: start, Init
    and handler for a cold start, thaw and handler otherwise. ``init_ms`` is ``None`` for a warm one; with SnapStart it
    is what the restore took, hooks included. An Init that failed is repeated within the invocation, as Lambda does: the
    repetition is part of ``duration_ms``, and only the first is ``init_ms``. ``restore_failed``: the handler was not
    reached, since the snapshot could not be restored; Lambda's API answers that with an error of its own. ``reset``: it
    has timed out or crashed, so Lambda resets the environment, and the client in it is gone.
    """

    request_id: str
    payload: bytes
    function_error: str | None
    executed_version: str
    latency_ms: float
    duration_ms: float
    init_ms: float | None
    environment: str
    log_tail: str
    restore_failed: bool = False
    reset: bool = False

    @property
    def cold(self) -> bool:
        """
        Whether the environment was started, or restored, for this invocation.
        """
        return self.init_ms is not None
