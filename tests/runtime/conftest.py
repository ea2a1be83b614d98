from __future__ import annotations

from collections.abc import Iterator

import pytest

from warmline.runtime import client as client_module


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Each test begins like a new process: no clients yet, no URI, not on Lambda.
    """
    for name in ("MONGODB_URI", "AWS_LAMBDA_RUNTIME_API", "AWS_EXECUTION_ENV", "_X_AMZN_TRACE_ID"):
        monkeypatch.delenv(name, raising=False)
    yield
    clients = client_module._clients.by_arguments
    while clients:
        clients.popitem()[1].close()


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The variables of an execution environment in its Init phase.
    """
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
