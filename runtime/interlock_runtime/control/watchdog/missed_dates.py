"""Check 3, missed include dates: listed dates that no run came of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain

from interlock_runtime.control import announcements, starts
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.absences import GRACE, LOOK_BACK, absence, tell
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.expectations import time_on
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.wall_clock import exact_instant, next_instant

#: How many listed dates are looked at, up to today.
LATEST = 3

#: For how long an absence is told: no longer than it is remembered that it was.
_TOLD_WITHIN = announcements.KEEP - timedelta(days=1)

_HINT = "find out why the sensor of the trigger condition was not written; start the date with a rerun request"
_TICK_HINT = "look at the dead-letter queue of events and the log of stream-router; start the date by a rerun request"


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Tell of every listed date that came after the schedule was known, and that no run came of.

    A ``schedule.time`` that the clock skipped is no tick to EventBridge Scheduler: its run is started here.
    """
    pipeline = watched.pipeline
    if pipeline.schedule.include is None or pipeline.dry_run:
        return
    listed = _latest(pipeline, now)
    due = {day: at for day in listed if (at := _due(pipeline, day)) <= now - GRACE}
    since = (yield from watched.known_since(ports)).schedule
    missed = {day: at for day, at in due.items() if max(since, now - _TOLD_WITHIN) < at}
    skipped = dict(_skipped(pipeline, listed, after=max(since, now - LOOK_BACK), now=now))
    dates_of = {day: list(_dates_of(pipeline, day)) for day in missed}
    unrun = set((yield from watched.without_run(chain(skipped, *dates_of.values()))))
    started = {each: instant for each, instant in skipped.items() if each in unrun}
    for skipped_date, instant in started.items():
        ports.log.info("the clock skipped the time of a listed date; its run is started here", date=str(skipped_date))
        starts.by_tick(ports, watched.config, scheduled_at=instant, only_listed=True, now=now)
    unrun -= started.keys()
    events = [_event(pipeline, day, at) for day, at in missed.items() if unrun.issuperset(dates_of[day])]
    yield from tell(ports, events, now=now)


def _latest(pipeline: Pipeline, now: datetime) -> list[date]:
    """The last listed dates up to today, in the pipeline's zone, that are not excluded."""
    include, today = pipeline.schedule.include, dates.of_instant(pipeline, now).day
    listed = sorted(day for day in include.dates if day <= today) if include else []
    return [day for day in listed[-LATEST:] if dates.excluded(pipeline, ExecutionDate(day)) is None]


def _due(pipeline: Pipeline, day: date) -> datetime:
    """When a run is expected at the latest: at ``schedule.time``, else by the end of the day."""
    return time_on(pipeline, day) or dates.period_end(ExecutionDate(day), pipeline.schedule.timezone)


def _skipped(
    pipeline: Pipeline, listed: Iterable[date], *, after: datetime, now: datetime
) -> Iterator[tuple[ExecutionDate, datetime]]:
    """The listed dates whose tick the clock skipped, with the instants at which it did."""
    at, zone = pipeline.schedule.time, pipeline.schedule.timezone
    if at is None or pipeline.schedule.trigger is not None:
        return
    for day in listed:
        wall = datetime.combine(day, at)
        if exact_instant(wall, zone) is None and after < (instant := next_instant(wall, zone)) <= now:
            yield dates.of_instant(pipeline, instant), instant


def _dates_of(pipeline: Pipeline, day: date) -> Iterator[ExecutionDate]:
    """The execution dates whose runs would be those of a listed day."""
    if dates.granularity(pipeline) is Granularity.DAILY:
        yield ExecutionDate(day)
    else:
        yield from (ExecutionDate(day, hour) for hour in range(24))


def _event(pipeline: Pipeline, day: date, due: datetime) -> Event:
    by_tick = pipeline.schedule.trigger is None
    message = f"{pipeline.id} was to run on {day}, by {rfc3339(due)}, and no run exists"
    detail = {"scheduledAt": rfc3339(due), "source": "include"}
    hint = _TICK_HINT if by_tick else _HINT
    return absence(pipeline, "IRREGULAR_SCHEDULE_MISSED", ExecutionDate(day), message, hint=hint, detail=detail)
