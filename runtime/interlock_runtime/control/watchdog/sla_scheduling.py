"""Check 5, SLA scheduling: every deadline has its bells and its verdict, also when no data ever came."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import sla
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core.expectations import was_due
from interlock_runtime.core.sla_deadlines import absolute


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Bring the absolute deadlines up to date, but none that had passed before the SLA was known.

    A date that nothing is expected of has a deadline only when it has a run, and so has one whose run the clock was to
    start before the schedule was known.
    """
    pipeline = watched.pipeline
    if pipeline.sla is None or pipeline.sla.deadline is None or pipeline.dry_run:
        return
    since = yield from watched.known_since(ports)

    due = watched.due(lambda date: absolute(pipeline, date), at=lambda deadline: deadline.breach)
    due = {date: deadline for date, deadline in due.items() if deadline.breach > since.sla}
    found = yield [key for deadline in due.values() for key in deadline.keys]
    due = {date: each for date, each in due.items() if each.trigger_key in found or watched.expects(date)}
    unstarted = {date: each for date, each in due.items() if not {*each.keys[:2]} & found.keys()}
    past = {date: each for date, each in unstarted.items() if was_due(pipeline, date, by=since.schedule)}
    asked = [each for date, each in unstarted.items() if each.breach <= now or date in past]
    before = yield [key for deadline in asked for key in deadline.keys_before]
    for date, deadline in due.items():
        if date not in past or before.keys() & deadline.keys_before:
            sla.attend(ports, deadline, found, before=before, now=now)
