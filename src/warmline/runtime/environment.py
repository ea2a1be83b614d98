"""
What the process can tell about the Lambda execution environment it runs in.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import os
import sys
from typing import Any

METRICS_VARIABLE = "WARMLINE_METRICS"

# glibc's own 5 s, twice, are longer than many an invocation, and no timeout of PyMongo's ends a lookup. The resolver
# of a VPC answers in milliseconds.
_LOOKUPS = "timeout:1 attempts:2"


def on_lambda() -> bool:
    """
    Tell whether this process runs in a Lambda execution environment.

    The rule of the driver specifications (mongodb-handshake, ``client.env``), which PyMongo follows too.
    """
    return "AWS_LAMBDA_RUNTIME_API" in os.environ or os.environ.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda_")


def bound_lookups() -> None:
    """
    On Lambda have the C library give up looking a name up after two seconds, unless the function has set RES_OPTIONS.

    It reads that variable once, when the process looks its first name up: so this is called when warmline is imported,
    and at each ``connect()`` for a process that was forked from one which had imported warmline already.

    Source: https://man7.org/linux/man-pages/man5/resolv.conf.5.html (RES_OPTIONS)
    """
    if on_lambda():
        os.environ.setdefault("RES_OPTIONS", _LOOKUPS)


def during_init() -> bool:
    """
    Tell whether the Init phase is still running, so that connecting now costs no request any time.

    The runtime client sets the trace header's variable at every invocation and never before the first.
    """
    return on_lambda() and "_X_AMZN_TRACE_ID" not in os.environ


def on_snapstart() -> bool:
    """
    Tell whether this environment is, or will be, restored from a snapshot.
    """
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def on_managed_instances() -> bool:
    """
    Tell whether this is a Lambda Managed Instance: several worker processes, none ever frozen.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html
    """
    return "AWS_LAMBDA_MAX_CONCURRENCY" in os.environ


def function_and_version() -> str | None:
    """
    Name the function and its version (``orders:42``), ``None`` outside Lambda.
    """
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not name or not on_lambda():
        return None
    return f"{name}:{os.environ.get('AWS_LAMBDA_FUNCTION_VERSION', '$LATEST')}"


def metrics() -> Any:
    """
    Give the module that turns metrics on, ``None`` while nobody wants any: then it is not even loaded.
    """
    return sys.modules.get("warmline.runtime.metrics.switch")
