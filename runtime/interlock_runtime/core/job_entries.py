"""The entries of the job log, and what they say of an attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.instants import epoch_seconds, of_millis
from interlock_runtime.core.numbers import number
from interlock_runtime.core.rows import Row, RunKey
from interlock_runtime.core.run import Run
from interlock_runtime.core.wording import shown

#: How long a job-log row is kept.
KEEP = timedelta(days=30)

#: What tells rows that Interlock wrote from those of outside jobs.
WRITER = "interlock"

#: How many characters of an error a row keeps.
_LONGEST_ERROR = 2000


class JobEvent(StrEnum):
    """What a job-log row says."""

    SUCCESS = "success"
    FAIL = "fail"
    TIMEOUT = "timeout"
    INFRA_TRIGGER_FAILURE = "infra-trigger-failure"
    INFRA_TRIGGER_EXHAUSTED = "infra-trigger-exhausted"
    VALIDATION_EXHAUSTED = "validation-exhausted"
    JOB_POLL_EXHAUSTED = "job-poll-exhausted"
    RERUN_ACCEPTED = "rerun-accepted"
    RERUN_REJECTED = "rerun-rejected"
    LATE_DATA_ARRIVAL = "late-data-arrival"


#: The events that are an outcome of a job.
OUTCOMES = frozenset({JobEvent.SUCCESS, JobEvent.FAIL, JobEvent.TIMEOUT})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row of the job log. Only ``event`` is sure to be there; outside jobs write rows, too.

    ``duration`` is in milliseconds. ``cause`` makes an entry of Interlock's the same entry when it
    is written again. ``problem`` says what keeps the row from being attributed to an attempt.
    """

    key: RunKey
    at: datetime
    event: str
    attempt: int | None = None
    run_id: str | None = None
    duration: int | None = None
    error: str | None = None
    category: str | None = None
    cause: str | None = None
    by_interlock: bool = True
    problem: str | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Entry | None:
        """Read a row; None when it is no job-log row. What is of the wrong type is as if it were absent."""
        found = rows.job_key(str(row.get("SK")))
        event = row.get("event")
        if found is None or not isinstance(event, str):
            return None
        key, number = found
        try:
            at = of_millis(number)
        except OverflowError:
            return None
        duration = row.get("duration")
        attempt, problem = _attempt(row.get("attempt"))
        return cls(
            key=key,
            at=at,
            event=event,
            attempt=attempt,
            run_id=_text(row.get("runId")),
            duration=duration if isinstance(duration, int) else None,
            error=_text(row.get("error")),
            category=_text(row.get("category")),
            cause=_text(row.get("cause")),
            by_interlock=row.get("writer") == WRITER,
            problem=problem,
        )

    def row(self, pipeline_id: str) -> Row:
        """The row, as Interlock writes it; without the sort key, which an append chooses."""
        row: Row = {
            "PK": rows.pk(pipeline_id),
            "event": str(self.event),
            "attempt": self.attempt,
            "runId": self.run_id,
            "duration": self.duration,
            "error": None if self.error is None else self.error[:_LONGEST_ERROR],
            "category": None if self.category is None else str(self.category),
            "cause": self.cause,
            "writer": WRITER,
            "ttl": epoch_seconds(self.at + KEEP),
        }
        return {name: value for name, value in row.items() if value is not None}

    @property
    def is_outcome(self) -> bool:
        """Whether it says how a job ended."""
        return self.event in OUTCOMES


def attempt_of(entry: Entry, run: Run) -> int | None:
    """The attempt that an entry belongs to, or None when it belongs to none that is known.

    A row with an attempt belongs to it; one with a run id to the attempt whose run id or token it
    is; one with neither to attempt 0. An old failure must never end a retry.
    """
    if entry.problem is not None:
        return None
    if entry.attempt is not None:
        return entry.attempt
    if entry.run_id is not None:
        return run.attempt if entry.run_id in (run.run_id, run.token) else None
    return 0


def last_outcome(entries: Iterable[Entry]) -> Entry | None:
    """The latest entry that says how a job ended."""
    return max((entry for entry in entries if entry.is_outcome), key=lambda entry: entry.at, default=None)


def outcome_of(entries: Iterable[Entry], run: Run) -> Entry | None:
    """The latest outcome of the run's own attempt."""
    return last_outcome(entry for entry in entries if attempt_of(entry, run) == run.attempt)


def _attempt(value: Any) -> tuple[int | None, str | None]:
    """The attempt in a row, and what is wrong with it; outside jobs may write it as text."""
    if value is None:
        return None, None
    found = number(value)
    if found is None or found != found.to_integral_value() or found < 0:
        return None, f"attempt is {shown(value)}, not a whole number from 0"
    return int(found), None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
