from __future__ import annotations

from warmline.lab.load import Call
from warmline.lab.scenario.failures import Failure, most_frequent


def failed(error: str) -> Call:
    return Call(0.0, 0.0, 1.0, "failed", error)


def test_failures_that_differ_in_numbers_only_are_of_one_kind() -> None:
    calls = [
        failed(
            "Sandbox.Timedout: RequestId: 1bd4f3a5-6c3e-4c43-9f24-9bd1d5a64f2a Error: Task timed out after 3.00 seconds"
        ),
        failed(
            "Sandbox.Timedout: RequestId: 0cd4f3a5-6c3e-4c43-9f24-9bd1d5a64f2b Error: Task timed out after 3.01 seconds"
        ),
        failed("AutoReconnect: host:27017: connection closed"),
        Call(0.0, 0.0, 1.0, "throttled"),
        Call(0.0, 0.0, 1.0, "answered"),
    ]
    timeout, closed = most_frequent(calls, 5)
    assert (timeout.message, timeout.times) == ("Sandbox.Timedout: Task timed out after 3.00 seconds", 2)
    assert (closed.message, closed.times) == ("AutoReconnect: host:27017: connection closed", 1)


def test_the_most_frequent_are_kept() -> None:
    calls = [failed("a"), failed("b"), failed("b"), failed("c"), failed("c"), failed("c")]
    assert [(failure.message, failure.times) for failure in most_frequent(calls, 2)] == [("c", 3), ("b", 2)]


def test_a_long_message_is_cut_and_a_login_is_not_shown() -> None:
    (failure,) = most_frequent([failed(f"mongodb+srv://user:pass%40@host/ {'x' * 500}")], 1)
    assert failure.message.startswith("mongodb+srv://***@host/ xxx")
    assert len(failure.message) == 160


def test_an_error_without_a_message_has_one() -> None:
    assert most_frequent([failed("")], 1) == [Failure("an error without a message", "an error without a message", 1)]
