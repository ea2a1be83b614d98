"""
How long Lambda gives to each phase of an environment's life.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, and for managed instances the
public runtime interface emulator (aws/aws-lambda-runtime-interface-emulator, ``lambda-managed-instances``).
"""

from __future__ import annotations

from .function import FunctionSpec

# Init has ten seconds, and where no invocation waits for it, at least 130.
INIT_SECONDS = 10.0
PREPARED_INIT_SECONDS = 130.0

# Restore and after-restore hooks have ten together.
RESTORE_SECONDS = 10.0

# The Shutdown phase. With external extensions the runtime has its part of the whole, and they have the rest.
WITH_INTERNAL_SECONDS = 0.5
WITH_EXTERNAL_SECONDS = 2.0
RUNTIME_SECONDS = 0.3
MANAGED_SECONDS = 0.6


def init_seconds(function: FunctionSpec) -> float:
    """
    How long Init may take.

    Where it is run ahead of the first invocation, that is at least the function's timeout.
    """
    if function.initialization == "on-demand":
        return INIT_SECONDS
    return max(PREPARED_INIT_SECONDS, function.timeout_seconds)


def shutdown_seconds(function: FunctionSpec, *, internal: bool, external: bool) -> tuple[float, float]:
    """
    How long the runtime has to end, and how long all of it has, with these kinds of extensions.
    """
    if function.managed:
        own = MANAGED_SECONDS
    else:
        own = RUNTIME_SECONDS if external and not internal else WITH_INTERNAL_SECONDS
    return own, WITH_EXTERNAL_SECONDS if external else own
