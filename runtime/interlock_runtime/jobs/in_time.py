"""Waiting for what cannot be told to stop, such as the system's resolver, no longer than there is time.

It runs in a thread of its own, which is left to itself when the time is up: whatever it finds
then reaches nobody. Lambda freezes such a thread with its process and lets it go on in the next
invocation. So that they do not add up there, only so many may be left at a time; and they are
daemons, which keep no process from ending.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from interlock_runtime.jobs.timed_socket import Deadline

T = TypeVar("T")

#: How many threads of this process may wait for answers at a time.
MOST_THREADS = 8

_ROOM = BoundedSemaphore(MOST_THREADS)


def in_time(question: Callable[[], T], deadline: Deadline) -> T:
    """What ``question`` returns, or raises, before the deadline.

    Raises:
        TimeoutError: the deadline has passed, perhaps while as many threads as may be were waiting.
    """
    if not _ROOM.acquire(timeout=deadline.remaining()):
        raise TimeoutError("too many earlier questions are still without an answer")
    answers: list[T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked
            errors.append(error)
        finally:
            _ROOM.release()

    thread = Thread(target=ask, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the process has no room for another thread
        _ROOM.release()
        raise
    thread.join(deadline.remaining())
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError("no answer in time")
    return answers[0]
