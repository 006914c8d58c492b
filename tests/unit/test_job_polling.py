"""Patience that ends: how often, how long and with which pauses a poll asks."""

from __future__ import annotations

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs.contract import Timing
from interlock_runtime.jobs.polling import patiently
from tests.fakes.job_services import VirtualTime


class Question:
    """Fails a number of times, taking some time each."""

    def __init__(self, clock: VirtualTime, *, failures: int, takes: float | None = 0.0) -> None:
        self._clock = clock
        self._failures = failures
        self._takes = takes
        self.given: list[float] = []

    def __call__(self, seconds: float) -> str:
        self.given.append(seconds)
        self._clock.now += seconds if self._takes is None else self._takes
        if len(self.given) <= self._failures:
            raise TransientError(f"failure {len(self.given)}")
        return "answer"


def test_an_answer_at_once_needs_no_pause() -> None:
    clock = VirtualTime()
    assert patiently(Question(clock, failures=0), clock.timing()) == "answer"
    assert clock.pauses == []


def test_two_failures_are_waited_out() -> None:
    clock = VirtualTime()
    assert patiently(Question(clock, failures=2), clock.timing()) == "answer"
    assert clock.pauses == [0.75, 1.5]


def test_the_third_failure_is_the_last() -> None:
    clock = VirtualTime()
    with pytest.raises(TransientError, match="failure 3"):
        patiently(Question(clock, failures=9), clock.timing())


def test_a_refusal_is_not_asked_again() -> None:
    clock = VirtualTime()

    def refused(seconds: float) -> None:
        raise PermanentError("no")

    with pytest.raises(PermanentError):
        patiently(refused, clock.timing())
    assert clock.pauses == []


@pytest.mark.parametrize("luck", [0.0, 0.999])
def test_a_service_that_never_answers_is_given_up_within_20_seconds(luck: float) -> None:
    clock = VirtualTime()
    question = Question(clock, failures=9, takes=None)
    timing = Timing(monotonic=clock.monotonic, sleep=clock.sleep, random=lambda: luck)
    with pytest.raises(TransientError):
        patiently(question, timing)
    assert len(question.given) == 3
    assert question.given[0] == 10
    assert clock.now <= 20


def test_no_attempt_is_made_when_there_is_no_time_left_for_it() -> None:
    clock = VirtualTime()
    question = Question(clock, failures=9, takes=7)
    with pytest.raises(TransientError, match="failure 2"):
        patiently(question, clock.timing(), least=7)
    assert clock.now < 20


def test_pauses_are_random_within_bounds() -> None:
    for luck, expected in ((0.0, [0.5, 1.0]), (0.999, [0.9995, 1.999])):
        clock = VirtualTime()
        timing = Timing(monotonic=clock.monotonic, sleep=clock.sleep, random=lambda luck=luck: luck)
        patiently(Question(clock, failures=2), timing)
        assert clock.pauses == pytest.approx(expected)
