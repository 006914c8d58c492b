"""The job log: append-only, written by Interlock and by outside jobs, read for the last outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from interlock_runtime.aws.tables import ABSENT, Row
from interlock_runtime.control.ports import Ports
from interlock_runtime.control.run import Run
from interlock_runtime.core import rows
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import epoch_seconds, millis, of_millis
from interlock_runtime.core.rows import RunKey

#: How long a job-log row is kept.
KEEP = timedelta(days=30)

#: What tells rows that Interlock wrote from those of outside jobs.
WRITER = "interlock"

#: How many milliseconds an append gives way to rows that stand at its own.
_ROOM = 1000

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
    """One row of the job log. Only ``event`` is sure to be there; outside jobs write rows, too."""

    key: RunKey
    at: datetime
    event: str
    attempt: int | None = None
    run_id: str | None = None
    duration: int | None = None
    error: str | None = None
    category: str | None = None
    cause: str | None = None
    by_interlock: bool = False
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
        attempt, duration = row.get("attempt"), row.get("duration")
        problem = None
        if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool)):
            attempt, problem = None, f"attempt is {attempt!r}, not a whole number"
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


def of_date(ports: Ports, pipeline_id: str, key: RunKey) -> tuple[Entry, ...]:
    """All entries of one execution date, oldest first."""
    found = ports.joblog.query(rows.pk(pipeline_id), rows.job_prefix(key.schedule_id, key.date))
    return tuple(entry for row in found if (entry := Entry.of_row(row)) is not None)


def last_outcome(entries: Iterable[Entry]) -> Entry | None:
    """The latest entry that says how a job ended."""
    return max((entry for entry in entries if entry.is_outcome), key=lambda entry: entry.at, default=None)


def outcome_of(entries: Iterable[Entry], run: Run) -> Entry | None:
    """The latest outcome of the run's own attempt."""
    return last_outcome(entry for entry in entries if attempt_of(entry, run) == run.attempt)


def append(
    ports: Ports,
    pipeline_id: str,
    key: RunKey,
    event: JobEvent,
    *,
    at: datetime,
    attempt: int | None,
    cause: str,
    run_id: str | None = None,
    duration: timedelta | None = None,
    error: str | None = None,
    category: str | None = None,
) -> None:
    """Append a row; on a collision it takes the next millisecond.

    A row with the same event, attempt and cause is the same row: appending it again, with the
    same ``at``, does nothing.

    Raises:
        TransientError: there is no room within a second after ``at``.
    """
    row: Row = {
        "PK": rows.pk(pipeline_id),
        "event": str(event),
        "attempt": attempt,
        "runId": run_id,
        "duration": None if duration is None else duration // timedelta(milliseconds=1),
        "error": None if error is None else error[:_LONGEST_ERROR],
        "category": category,
        "cause": cause,
        "writer": WRITER,
        "ttl": epoch_seconds(at + KEEP),
    }
    row = {name: value for name, value in row.items() if value is not None}
    for step in range(_ROOM):
        row["SK"] = rows.job(key.schedule_id, key.date, millis(at) + step)
        write = ports.joblog.put(row, expect=ABSENT)
        if write.done or (write.row is not None and _is_same(write.row, row)):
            return
    raise TransientError(f"the job log of {pipeline_id} {key.date} is full at {at}")


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in ("event", "attempt", "cause", "writer"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
