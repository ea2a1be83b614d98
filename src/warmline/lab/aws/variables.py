"""
The environment variables that a function finds.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

from .function import REGION, FunctionSpec

# Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
_RUNTIMES_OWN = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
    }
)

# With SnapStart the function asks an endpoint for its keys: those of the snapshot would have expired.
_KEYS = {"AWS_ACCESS_KEY_ID": "ASIAWARMLINELAB00000", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_SESSION_TOKEN": "lab"}


def variables(function: FunctionSpec, log_stream: str, address: str) -> dict[str, str]:
    """
    What Lambda sets, then what the function was deployed with.

    :param address: ``host:port`` of the Runtime API
    """
    lambdas = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": function.initialization,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_REGION": REGION,
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }
    # Where a function brings its own runtime, Lambda does not set it.
    if not function.runtime.startswith("provided"):
        lambdas["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{function.runtime}"
    if function.initialization != "snap-start":
        lambdas |= _KEYS
    if function.managed:
        lambdas["AWS_LAMBDA_MAX_CONCURRENCY"] = str(function.workers)
    return {**lambdas, **function.environment}


def extension_variables(function: FunctionSpec, address: str) -> dict[str, str]:
    """
    What an external extension finds: all but what is the runtime's own.

    :param address: ``host:port`` of the Extensions API
    """
    return {name: value for name, value in variables(function, "", address).items() if name not in _RUNTIMES_OWN}
