"""What is expected of a pipeline on an execution date, whatever else may start a run."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate, Granularity, period_end, period_start
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.wall_clock import next_instant

_INSTANT = timedelta(microseconds=1)


def is_expected(pipeline: Pipeline, date: ExecutionDate) -> bool:
    """Whether a run is expected: the date is listed, or the cron fires on it, or there is neither list nor cron.

    A fire that does not exist, because the clock was put forward over it, counts.
    """
    schedule = pipeline.schedule
    if schedule.include is not None:
        return date.day in schedule.include.dates
    cron, zone = schedule.cron, schedule.timezone
    if cron is None:
        return True
    after, until = period_start(date, zone) - _INSTANT, period_end(date, zone) - _INSTANT
    fires = (cron.fires(after=after, until=until, zone=zone), cron.skipped(after=after, until=until, zone=zone))
    return any(next(each, None) is not None for each in fires)


def looked_at(pipeline: Pipeline, now: datetime) -> tuple[ExecutionDate, ...]:
    """Today and yesterday, or the last three hours, latest first."""
    if dates.granularity(pipeline) is Granularity.DAILY:
        today = dates.of_instant(pipeline, now)
        return today, ExecutionDate(today.day - timedelta(days=1))
    # Where the clock was put back, two instants fall in the same hour.
    return tuple(dict.fromkeys(dates.of_instant(pipeline, now - timedelta(hours=hours)) for hours in range(3)))


def time_on(pipeline: Pipeline, day: date) -> datetime | None:
    """The instant of ``schedule.time`` on a day, or None when there is no such time."""
    at = pipeline.schedule.time
    return None if at is None else next_instant(datetime.combine(day, at), pipeline.schedule.timezone)
