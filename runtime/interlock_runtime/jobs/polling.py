"""Asking a job service how a job is doing, with patience that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.errors import TransientError
from interlock_runtime.jobs.contract import Services, Timing

T = TypeVar("T")

#: Seconds that one poll takes at most, and how often it asks in them.
POLL_SECONDS = 20.0
POLL_ATTEMPTS = 3

_LEAST_SECONDS = 1.0
_AWS_SECONDS = 7.0  # what a client waits for a connection and an answer


def patiently(question: Callable[[float], T], timing: Timing, *, least: float = _LEAST_SECONDS) -> T:
    """Ask up to three times within 20 s; ``question`` is given the seconds that it may take.

    The pauses between are half a second and a second, times a random factor between 1 and 2. An
    attempt gets half of the time that is left, the last one all of it, and none is made when
    less than ``least`` seconds are left.

    Raises:
        TransientError: of the last attempt.
        PermanentError: of any attempt.
    """
    end = timing.monotonic() + POLL_SECONDS
    for attempt in range(1, POLL_ATTEMPTS + 1):
        left = end - timing.monotonic()
        try:
            return question(left if attempt == POLL_ATTEMPTS else max(left / 2, least))
        except TransientError:
            pause = 0.25 * 2**attempt * (1 + timing.random())
            if attempt == POLL_ATTEMPTS or end - timing.monotonic() - pause < least:
                raise
            timing.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def ask_patiently(services: Services, service: str, operation: str, **parameters: Any) -> Any:
    """Call an AWS service for a poll; errors as :func:`patiently` and ``ask`` have them."""
    client = services.client(service)
    return patiently(lambda _seconds: ask(client, operation, **parameters), services.timing, least=_AWS_SECONDS)
