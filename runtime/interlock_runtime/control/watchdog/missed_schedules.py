"""Check 2, missed schedules: fires of a cron that no run came of, and fires that the clock skipped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from interlock_runtime.control import starts
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.absences import GRACE, LOOK_BACK, absence, tell
from interlock_runtime.control.watchdog.since import note_checked
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import dates
from interlock_runtime.core.cron import Cron
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.expectations import time_on
from interlock_runtime.core.instants import rfc3339

_HINT = "look at the dead-letter queue of events and the log of stream-router; start the date with a rerun request"
_INSTANT = timedelta(microseconds=1)


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Tell of every fire since the schedule has been known that no run came of; each fire is looked at once.

    A fire that the clock skipped is no tick to EventBridge Scheduler: its run is started here.
    """
    pipeline, cron = watched.pipeline, watched.pipeline.schedule.cron
    # Noted for dry runs as well: what was due during one is the past when it ends.
    since = yield from watched.known_since(ports)
    if cron is None or pipeline.dry_run:
        return
    due = list(_due(pipeline, cron, after=since.checked, now=now))
    fires = {date: fire for date, fire in due if dates.excluded(pipeline, date) is None}
    skipped = dict(_skipped(pipeline, cron, after=max(since.schedule, now - LOOK_BACK), now=now))
    unrun = yield from watched.without_run((*fires, *skipped))
    for date, instant in skipped.items():
        if date in unrun:
            ports.log.info("the clock skipped a fire of the cron; its run is started here", date=str(date))
            starts.by_tick(ports, watched.config, scheduled_at=instant, now=now)
    missed = [_event(pipeline, cron, date, fire) for date, fire in fires.items() if date in unrun]
    yield from tell(ports, missed, now=now)
    if due:
        note_checked(ports, since, due[-1][1])


def _due(pipeline: Pipeline, cron: Cron, *, after: datetime, now: datetime) -> Iterator[tuple[ExecutionDate, datetime]]:
    """The fires that were due within the last day, and whose grace is over, in order.

    A run is due when the cron fires, and with ``schedule.time`` not before that.
    """
    zone = pipeline.schedule.timezone
    reach = LOOK_BACK if pipeline.schedule.time is None else 2 * LOOK_BACK
    for fire in cron.fires(after=max(after, now - reach), until=now - GRACE, zone=zone):
        date = dates.of_instant(pipeline, fire)
        if now - LOOK_BACK < max(fire, time_on(pipeline, date.day) or fire) <= now - GRACE:
            yield date, fire


def _skipped(
    pipeline: Pipeline, cron: Cron, *, after: datetime, now: datetime
) -> Iterator[tuple[ExecutionDate, datetime]]:
    """The fires that the clock skipped, as the instants at which it did.

    In an hourly pipeline, what is skipped is an hour that never was; the hour after it may have a
    fire of its own.
    """
    zone = pipeline.schedule.timezone
    if after.astimezone(zone).utcoffset() == now.astimezone(zone).utcoffset():
        return  # the clock was not changed
    for instant in cron.skipped(after=after, until=now, zone=zone):
        date = dates.of_instant(pipeline, instant)
        end = dates.period_end(date, zone)
        own = cron.fires(after=instant - _INSTANT, until=end - _INSTANT, zone=zone)
        if next(own, None) is None and dates.excluded(pipeline, date) is None:
            yield date, instant


def _event(pipeline: Pipeline, cron: Cron, date: ExecutionDate, fire: datetime) -> Event:
    message = f"{pipeline.id} was to start at {rfc3339(fire)} for {date}, and no run exists"
    detail = {"scheduledAt": rfc3339(fire), "cron": str(cron), "source": "cron"}
    return absence(pipeline, "SCHEDULE_MISSED", date, message, hint=_HINT, detail=detail)
