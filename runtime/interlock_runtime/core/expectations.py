"""What is expected of a pipeline on an execution date, whatever else may start a run."""

from __future__ import annotations

from datetime import timedelta

from interlock_runtime.core.dates import ExecutionDate, period_end, period_start
from interlock_runtime.core.documents import Pipeline

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
