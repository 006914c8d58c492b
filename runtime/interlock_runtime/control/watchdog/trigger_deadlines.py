"""Check 6, trigger deadlines: dates whose trigger condition was not met in time."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import runs
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.absences import absence, tell
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import deadlines
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.run import Run, read_run

_HINT = "find out why the sensor was not written in time; a rerun request still starts the date"


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Expire the dates that nothing started before their deadline, and tell of each.

    The row comes first, since it decides between this and a start at the same moment; a row that
    says so and was not told of is told of by the next pass.
    """
    pipeline, trigger = watched.pipeline, watched.pipeline.schedule.trigger
    if trigger is None or trigger.deadline is None or pipeline.dry_run:
        return
    since = (yield from watched.known_since(ports)).schedule

    due = watched.due(lambda date: deadlines.trigger_deadline(pipeline, date), at=lambda at: at)
    passed = {date: at for date, at in due.items() if since < at < now and date not in watched.starting}
    unrun = yield from watched.without_run(passed)
    found = yield [watched.key(date) for date in passed]
    standing = {date: read_run(found.get(watched.key(date))) for date in passed}
    expired = [
        date
        for date, run in standing.items()
        if (run or date in unrun) and watched.expects(date) and _is_expired(ports, watched, date, run, now=now)
    ]
    yield from tell(ports, [_event(pipeline, date, passed[date]) for date in expired], now=now)


def _is_expired(ports: WatchdogPorts, watched: Watched, date: ExecutionDate, run: Run | None, *, now: datetime) -> bool:
    """Whether the date stands as expired, which one without a row does from now on."""
    if run is None:
        run = runs.expire(ports, watched.config, str(date), now=now).run
    return run is not None and run.is_expired


def _event(pipeline: Pipeline, date: ExecutionDate, deadline: datetime) -> Event:
    trigger = pipeline.schedule.trigger
    message = f"{pipeline.id} was not started for {date}: its trigger condition was not met by {rfc3339(deadline)}"
    detail = {
        "deadline": None if trigger is None else str(trigger.deadline),
        "deadlineAt": rfc3339(deadline),
        "sensorKey": trigger and trigger.key,
        "source": "trigger",
    }
    return absence(pipeline, "SENSOR_DEADLINE_EXPIRED", date, message, hint=_HINT, detail=detail)
