"""What is told about a deadline: a warning, a breach, or that it was met, with how the run stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.control import announcements, verdicts
from interlock_runtime.control.ports import Ports
from interlock_runtime.core import arrival_rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Key, Row, RunKey, Status
from interlock_runtime.core.run import Run
from interlock_runtime.core.sla_deadlines import SlaDeadline, keys_of_date, of_date

#: ``status`` in an event's detail when the date has no trigger row.
NOT_STARTED = "NOT_STARTED"

_HINTS: Mapping[str, str] = {
    NOT_STARTED: "find out why nothing started the run: its sensor, its schedule, the dead-letter queues",
    Status.RUNNING: "see what the run waits for: its constraints, or its job",
    Status.FAILED_FINAL: "mend the cause, then write a rerun request",
    Status.COMPLETED: "tell whoever uses the data that it came late",
}


def warn(ports: Ports, deadline: SlaDeadline, run: Run | None, *, now: datetime) -> None:
    """Tell, once, that the deadline is near."""
    event = Event(
        type=deadline.event_type("WARNING"),
        pipeline_id=deadline.pipeline_id,
        schedule_id=deadline.key.schedule_id,
        date=deadline.key.date,
        message=f"{_subject(deadline)} is due at {rfc3339(deadline.breach)}, and {_state(run)}",
        detail=_detail(deadline, run),
    )
    announcements.publish_once(ports, event, now=now)


def breach(ports: Ports, deadline: SlaDeadline, run: Run | None, *, now: datetime) -> None:
    """The deadline passed before the date was completed: that is the verdict, unless there is one."""
    message = f"{_subject(deadline)} was due at {rfc3339(deadline.breach)}, and {_state(run)}"
    verdicts.reach(ports, deadline, met=False, message=message, detail=_detail(deadline, run), now=now)


def complete(ports: Ports, deadline: SlaDeadline, run: Run, *, now: datetime) -> None:
    """The date was completed: met when that was before the breach."""
    completed_at = run.completed_at or now
    if completed_at >= deadline.breach:
        breach(ports, deadline, run, now=now)
        return
    message = f"{_subject(deadline)} was due at {rfc3339(deadline.breach)}, and {_state(run)}"
    detail = {name: value for name, value in _detail(deadline, run).items() if name != "actionHint"}
    verdicts.reach(ports, deadline, met=True, message=message, detail=detail, now=now)


def conclude(ports: Ports, pipeline: Pipeline, run: Run, found: Mapping[Key, Row], *, now: datetime) -> None:
    """A date is about to run again: reach its verdicts while its row still says when it was completed.

    Its execution may not have come to ask for them yet, and is superseded as soon as the next one
    begins. ``found`` holds what there is under :func:`keys_to_conclude`.
    """
    if run.status != Status.COMPLETED:
        return
    arrival = arrival_rows.of_row(found.get(arrival_rows.key(run.pipeline_id, run.date))) or run.arrival
    for deadline in of_date(pipeline, ExecutionDate.parse(run.date), arrival):
        if (verdict := found.get(deadline.verdict_key)) is not None:
            verdicts.tell(ports, deadline, verdict, now=now)
        else:
            complete(ports, deadline, run, now=now)


def keys_to_conclude(pipeline: Pipeline, key: RunKey) -> list[Key]:
    """The keys of the rows that :func:`conclude` looks at."""
    if pipeline.sla is None:
        return []
    return [*keys_of_date(pipeline.id, key), arrival_rows.key(pipeline.id, key.date)]


def _subject(deadline: SlaDeadline) -> str:
    return f"{deadline.pipeline_id} for {deadline.key.date}"


def _state(run: Run | None) -> str:
    if run is None:
        return "has not been started"
    if run.status == Status.COMPLETED:
        return f"was complete at {rfc3339(run.completed_at)}" if run.completed_at else "is complete"
    if run.is_running:
        return "its job has not been started" if run.job is None else "its job is still running"
    if run.is_expired:
        return "was not started before the trigger deadline"
    return f"has failed: {run.reason}"


def _detail(deadline: SlaDeadline, run: Run | None) -> dict[str, Any]:
    status = NOT_STARTED if run is None else run.status
    return {
        "status": status,
        "reason": None if run is None or run.is_running else run.reason,
        "deadline": deadline.limit,
        "warningAt": rfc3339(deadline.warning),
        "breachAt": rfc3339(deadline.breach),
        "completedAt": run.completed_at and rfc3339(run.completed_at) if run else None,
        "arrivedAt": deadline.arrived_at and rfc3339(deadline.arrived_at),
        "critical": deadline.critical,
        "actionHint": _HINTS[status],
    }
