"""Requests for another run, and whether they are granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from interlock_runtime.core import budgets, causes, dates, job_entries, rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Key, RunKey
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.core.sensors import Sensors, updated_at
from interlock_runtime.core.timestamps import parse_timestamp

#: ``requestedBy`` of the requests that Interlock makes.
INTERLOCK = "interlock"

#: When Interlock put somebody else's request on the index, because it met it waiting.
NOTICED_AT = "noticedAt"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request row. ``written`` is the date as the row's key has it, ``written_at`` when the row was written.

    ``unchanged`` is the condition under which the row is still this request, and not a newer one.
    """

    pipeline_id: str
    written: RunKey
    reason: str
    cause: str
    requested_by: str | None
    unchanged: Mapping[str, Any]
    written_at: datetime

    @classmethod
    def of_row(cls, row: Mapping[str, Any], *, event_id: str | None, written_at: datetime) -> Request | None:
        """Read a request; None when the row's key is of another form."""
        pipeline_id = rows.pipeline_of(row.get("PK"))
        written = rows.run_key(str(row.get("SK")), rows.RERUN_REQUEST_PREFIX)
        if pipeline_id is None or written is None:
            return None
        by, at = row.get("requestedBy"), row.get("requestedAt")
        # What is no time may not compare, and a row that stays would stand in the way of every later request.
        unchanged = {"requestedAt": at} if "requestedAt" not in row or parse_timestamp(at) is not None else {}
        if isinstance(row.get("cause"), str):
            unchanged["cause"] = row["cause"]
        return cls(
            pipeline_id=pipeline_id,
            written=written,
            reason=budgets.requested_reason(row.get("reason")),
            cause=causes.request(row, event_id),
            requested_by=by if isinstance(by, str) else None,
            unchanged=unchanged,
            written_at=written_at,
        )

    @property
    def tells_of_drift(self) -> bool:
        """Whether Interlock itself has compared the data, and found that it is not what the run used."""
        return self.reason == Reason.DATA_DRIFT and self.requested_by == INTERLOCK

    @property
    def gives_way(self) -> bool:
        """Whether a request for drift takes its place: Interlock has made it, since data came late.

        Drift is the better reason, for it needs no newer ``updatedAt``. Then this one is decided with the other.
        """
        return self.reason == Reason.LATE_DATA and self.requested_by == INTERLOCK

    def is_in(self, row: Mapping[str, Any] | None) -> bool:
        """Whether a row still is this request."""
        return row is not None and all(row.get(name) == value for name, value in self.unchanged.items())

    @property
    def key(self) -> Key:
        """The key of the request's own row."""
        return rows.pk(self.pipeline_id), rows.rerun_request(self.written.schedule_id, self.written.date)


class Check(StrEnum):
    """The checks of a request, in their order."""

    EXCLUDED = "excluded"
    BUDGET = "budget"
    CIRCUIT_BREAKER = "circuit breaker"
    IN_PROGRESS = "run in progress"
    #: The request can mean no run at all: an unknown pipeline, another schedule, no execution date.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rejection:
    """Which check refused a request, and why in words."""

    check: Check
    why: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the checks look at. ``entries`` are those of the job log; ``sensors`` those of all rule keys.

    ``observed``: a dry run has seen the date's start.
    """

    run: Run | None
    observed: bool
    past: tuple[budgets.Rerun, ...]
    entries: tuple[Entry, ...]
    sensors: Sensors


def judge(pipeline: Pipeline, date: ExecutionDate, *, request: Request, facts: Facts) -> Rejection | None:
    """Why a request is refused, or None; pure. Where nothing ran yet, it is a start, and spends no budget.

    Drift needs no newer ``updatedAt`` to pass the circuit breaker: data that changed while the job
    ran was updated before the job's success was logged, and still is not what the job read.
    """
    if (excluded := dates.excluded(pipeline, date)) is not None:
        return Rejection(Check.EXCLUDED, excluded)
    if not facts.observed and (facts.run is None or facts.run.is_expired):
        return None
    budget = budgets.of_requests(pipeline, request.reason, facts.past)
    if budget.is_spent:
        return Rejection(Check.BUDGET, f"the budget is spent: {budget}")
    if not request.tells_of_drift and (nothing_new := _nothing_new(facts)) is not None:
        return Rejection(Check.CIRCUIT_BREAKER, nothing_new)
    if facts.run is not None and facts.run.is_running:
        return Rejection(Check.IN_PROGRESS, "run in progress")
    return None


def date_of(pipeline: Pipeline, request: Request) -> ExecutionDate | Rejection:
    """The execution date that a request means, or why it means none."""
    if request.written.schedule_id != pipeline.schedule_id:
        return Rejection(
            Check.UNKNOWN,
            f"{pipeline.id} has the schedule {pipeline.schedule_id!r}, not {request.written.schedule_id!r}",
        )
    try:
        date = ExecutionDate.parse(request.written.date)
    except ValueError as error:
        return Rejection(Check.UNKNOWN, str(error))
    return dates.coerce(pipeline, date, at=request.written_at)


def _nothing_new(facts: Facts) -> str | None:
    """Why there is no reason to run again, when the job succeeded and no sensor of the date has changed since."""
    last = job_entries.last_outcome(facts.entries)
    if last is None or last.event != JobEvent.SUCCESS:
        return None
    counting = (sensor for sensor in facts.sensors.values() if sensor is not None and sensor.problem is None)
    updates = [update for sensor in counting if (update := updated_at(sensor)) is not None]
    if not updates or max(updates) > last.at:
        return None
    return (
        f"the job succeeded at {rfc3339(last.at)}, and no sensor was updated after that"
        f" (the latest at {rfc3339(max(updates))})"
    )
