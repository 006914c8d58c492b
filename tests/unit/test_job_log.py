"""The job log: append-only, read back, attributed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.control import job_log
from interlock_runtime.core import job_entries
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import epoch_seconds, millis
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import RunKey
from tests.fakes.gold import DATE
from tests.fakes.world import START, World

KEY = RunKey("stream", DATE)


def entry(event: str = JobEvent.FAIL, **more: Any) -> Entry:
    return Entry(**{"key": KEY, "at": START, "event": event, "attempt": 0, "cause": "poll"} | more)


def keys(world: World) -> list[int]:
    return [int(sk.rpartition("#")[2]) - millis(START) for _, sk in sorted(world.joblog.rows())]


def test_an_entry_is_a_row_with_what_there_is_to_say() -> None:
    world = World()
    job_log.append(world.ports, "gold", entry(run_id="jr_1", duration=1500, error="disk full", category="TRANSIENT"))
    assert list(world.joblog.rows().values()) == [
        {
            "PK": "PIPELINE#gold",
            "SK": f"JOB#stream#{DATE}#{millis(START)}",
            "event": "fail",
            "attempt": 0,
            "runId": "jr_1",
            "duration": 1500,
            "error": "disk full",
            "category": "TRANSIENT",
            "cause": "poll",
            "writer": "interlock",
            "ttl": epoch_seconds(START + timedelta(days=30)),
        }
    ]


def test_a_collision_takes_the_next_millisecond() -> None:
    world = World()
    for cause in ("a", "b", "c"):
        job_log.append(world.ports, "gold", entry(cause=cause))
    assert keys(world) == [0, 1, 2]


def test_the_same_entry_again_is_the_same_row() -> None:
    world = World()
    for cause in ("a", "b", "b", "a"):
        job_log.append(world.ports, "gold", entry(cause=cause))
    assert keys(world) == [0, 1]


def test_a_row_of_an_outside_job_is_never_overwritten() -> None:
    world = World()
    world.log_job("gold", DATE, "fail", attempt=0, cause="poll")
    job_log.append(world.ports, "gold", entry())
    assert keys(world) == [0, 1]


def test_a_log_that_has_no_room_is_a_transient_error() -> None:
    world = World()
    for step in range(1000):
        sk = f"JOB#stream#{DATE}#{millis(START) + step}"
        world.joblog.write({"PK": "PIPELINE#gold", "SK": sk, "event": "note"})
    with pytest.raises(TransientError, match="full"):
        job_log.append(world.ports, "gold", entry())


def test_an_entry_that_its_attempt_has_already_is_not_appended_again() -> None:
    world = World()
    for minute in range(3):
        job_log.append_once(
            world.ports, "gold", entry(JobEvent.VALIDATION_EXHAUSTED, at=START + timedelta(minutes=minute))
        )
    job_log.append_once(world.ports, "gold", entry(JobEvent.VALIDATION_EXHAUSTED, attempt=1))
    assert len(world.joblog.rows()) == 2


def test_what_was_written_is_read_back() -> None:
    world = World()
    written = entry(run_id="jr_1", duration=1500, error="disk full", category="TRANSIENT")
    job_log.append(world.ports, "gold", written)
    assert job_log.of_date(world.ports, "gold", KEY) == (written,)


def test_a_long_error_is_cut() -> None:
    world = World()
    job_log.append(world.ports, "gold", entry(error="x" * 10_000))
    assert len(next(iter(world.joblog.rows().values()))["error"]) == 2000


def test_the_last_outcome_is_the_latest_of_success_fail_and_timeout() -> None:
    events = ("fail", "success", "infra-trigger-failure", "timeout", "late-data-arrival")
    entries = [entry(event, at=START + timedelta(seconds=number)) for number, event in enumerate(events)]
    found = job_entries.last_outcome(entries)
    assert found is not None
    assert found.event == "timeout"
    assert job_entries.last_outcome(entries[2:3]) is None


@given(
    st.dictionaries(
        st.sampled_from(["SK", "event", "attempt", "runId", "duration", "error", "category", "cause"]),
        st.none() | st.integers() | st.text() | st.floats() | st.lists(st.none()),
    )
)
def test_a_row_of_any_kind_is_read_or_passed_over(row: dict[str, Any]) -> None:
    Entry.of_row({"SK": f"JOB#stream#{DATE}#1"} | row)
