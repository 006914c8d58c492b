"""Runs that are not there: when they were to be, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control import announcements
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import Ports
from interlock_runtime.control.sla_alerts import NOT_STARTED
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event

#: How late a run may begin before it is missed.
GRACE = timedelta(minutes=10)

#: How far back ticks are looked at.
LOOK_BACK = timedelta(hours=24)


def absence(
    pipeline: Pipeline, kind: str, date: ExecutionDate, message: str, *, hint: str, detail: Mapping[str, Any]
) -> Event:
    """An event about a date that has no run."""
    return Event(
        type=kind,
        pipeline_id=pipeline.id,
        schedule_id=pipeline.schedule_id,
        date=str(date),
        message=message,
        detail={"status": NOT_STARTED, **detail, "timezone": pipeline.schedule.timezone.key, "actionHint": hint},
    )


def tell(ports: Ports, events: Sequence[Event], *, now: datetime) -> Look[None]:
    """Publish the events that are not known to have been sent."""
    sent = yield map(announcements.marker_key, events)
    fresh = [event for event in events if announcements.marker_key(event) not in sent]
    ports.bus.publish(fresh, now=now)
    for event in fresh:
        announcements.remember(ports, event, now=now)
