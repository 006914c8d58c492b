"""Deadlines: pure functions of the pipeline, the execution date and the first arrival, never of now.

Wall times follow the rule of :func:`~interlock_runtime.core.wall_clock.next_instant`: one that
does not exist moves to the next valid instant, an ambiguous one is its first occurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from interlock_runtime.core.dates import ExecutionDate, period_end
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.scalars import Deadline
from interlock_runtime.core.wall_clock import next_instant, wall_time

#: When only ``maxDuration`` is given, the warning fires after this part of it.
_WARNING_AFTER = 0.75


@dataclass(frozen=True)
class Clock:
    """The two instants (UTC) of an SLA."""

    warning: datetime
    breach: datetime


def absolute(pipeline: Pipeline, date: ExecutionDate) -> Clock | None:
    """The clock of ``sla.deadline`` for an execution date, or None when there is no deadline."""
    sla = pipeline.sla
    if sla is None or sla.deadline is None:
        return None
    breach = _resolve(pipeline, date, deadline=sla.deadline, day_offset=sla.day_offset, zone=pipeline.sla_timezone)
    return Clock(breach - (sla.expected_duration or timedelta()), breach)


def relative(pipeline: Pipeline, arrival: datetime) -> Clock | None:
    """The clock of ``sla.maxDuration`` from the first sensor's arrival, or None when there is no such limit."""
    sla = pipeline.sla
    if sla is None or sla.max_duration is None:
        return None
    arrival = arrival.astimezone(UTC)
    breach = arrival + sla.max_duration
    if sla.expected_duration is None:
        return Clock(arrival + sla.max_duration * _WARNING_AFTER, breach)
    return Clock(breach - sla.expected_duration, breach)


def trigger_deadline(pipeline: Pipeline, date: ExecutionDate) -> datetime | None:
    """The instant (UTC) after which an automatic start for ``date`` is refused, or None when there is none.

    Without a ``dayOffset`` of its own, that of the SLA holds.
    """
    trigger, sla = pipeline.schedule.trigger, pipeline.sla
    if trigger is None or trigger.deadline is None:
        return None
    day_offset = sla.day_offset if trigger.day_offset is None and sla is not None else trigger.day_offset
    zone = pipeline.schedule.timezone
    return _resolve(pipeline, date, deadline=trigger.deadline, day_offset=day_offset, zone=zone)


def _resolve(
    pipeline: Pipeline, date: ExecutionDate, *, deadline: Deadline, day_offset: int | None, zone: ZoneInfo
) -> datetime:
    if date.hour is not None or deadline.hour is None:
        return _after_period(date, deadline, zone=zone, period_zone=pipeline.schedule.timezone)
    clock = time(deadline.hour, deadline.minute)
    if day_offset is None:
        same_day = next_instant(datetime.combine(date.day, clock), zone)
        fire = _fire_instant(pipeline, date)
        day_offset = 0 if fire is not None and same_day > fire else 1
    return next_instant(datetime.combine(date.day + timedelta(days=day_offset), clock), zone)


def _after_period(date: ExecutionDate, deadline: Deadline, *, zone: ZoneInfo, period_zone: ZoneInfo) -> datetime:
    """The first time at or after the period's end at which the clock in ``zone`` shows the deadline.

    Where the clock is put forward at the period's end, the hour that follows is the one after the change.
    """
    end = period_end(date, period_zone)
    wall = wall_time(end, zone)
    if deadline.hour is None:
        candidate, step = wall.replace(minute=deadline.minute), timedelta(hours=1)
        if candidate < wall:
            candidate += step
    else:
        # From the day before: a time of day that the clock skips at the period's end is due at that instant.
        candidate, step = wall.replace(hour=deadline.hour, minute=deadline.minute), timedelta(days=1)
        candidate -= step
    while (instant := next_instant(candidate, zone)) < end:
        candidate += step  # it is over; also an ambiguous time whose first occurrence is
    return instant


def _fire_instant(pipeline: Pipeline, date: ExecutionDate) -> datetime | None:
    """When the cron of a daily pipeline fires on ``date``, or would if it fired on that day; None without cron."""
    cron = pipeline.schedule.cron
    if cron is None:
        return None
    return next_instant(datetime.combine(date.day, time(cron.hours[0], cron.minutes[0])), pipeline.schedule.timezone)
