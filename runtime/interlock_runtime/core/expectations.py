"""What is expected of a pipeline: on an execution date, whatever else may start a run, and next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate, Granularity, period_end, period_start
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.wall_clock import next_instant

_INSTANT = timedelta(microseconds=1)

#: How far ahead a fire is looked for whose date is not excluded.
_AHEAD = timedelta(days=800)


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


@dataclass(frozen=True)
class Start:
    """When the clock starts a run by itself, and of which date."""

    at: datetime
    date: ExecutionDate


def start_of(pipeline: Pipeline, date: ExecutionDate) -> datetime | None:
    """When the clock starts the run of a date: at the cron's fire, or at ``schedule.time`` of a listed date."""
    schedule, zone = pipeline.schedule, pipeline.schedule.timezone
    if schedule.cron is not None:
        after, until = period_start(date, zone) - _INSTANT, period_end(date, zone) - _INSTANT
        return next(schedule.cron.fires(after=after, until=until, zone=zone), None)
    if schedule.include is None or schedule.trigger is not None or date.day not in schedule.include.dates:
        return None
    return time_on(pipeline, date.day)


def was_due(pipeline: Pipeline, date: ExecutionDate, *, by: datetime) -> bool:
    """Whether the clock was to start the run of a date at an instant or before."""
    start = start_of(pipeline, date)
    return start is not None and start <= by


def next_start(pipeline: Pipeline, after: datetime) -> Start | None:
    """The next run that the clock starts, past the excluded dates; None when it starts none."""
    return next((start for start in _starts(pipeline, after) if dates.excluded(pipeline, start.date) is None), None)


def next_listed(pipeline: Pipeline, after: ExecutionDate) -> ExecutionDate | None:
    """The next day of ``schedule.include`` that is not excluded; None without one, or for a pipeline of hours."""
    include = pipeline.schedule.include
    if include is None or after.hour is not None:
        return None
    days = (ExecutionDate(day) for day in sorted(include.dates) if day > after.day)
    return next((day for day in days if dates.excluded(pipeline, day) is None), None)


def last_start(pipeline: Pipeline, before: datetime) -> Start | None:
    """The last run that the clock was to start, whether its date is excluded or not; None when there was none."""
    schedule = pipeline.schedule
    if schedule.cron is not None:
        fire = schedule.cron.last(before, schedule.timezone)
        return None if fire is None else Start(fire, dates.of_instant(pipeline, fire))
    passed = [start for start in _listed(pipeline) if start.at < before]
    return passed[-1] if passed else None


def _starts(pipeline: Pipeline, after: datetime) -> Iterator[Start]:
    schedule = pipeline.schedule
    if schedule.cron is not None:
        for fire in schedule.cron.fires(after=after, until=after + _AHEAD, zone=schedule.timezone):
            yield Start(fire, dates.of_instant(pipeline, fire))
    yield from (start for start in _listed(pipeline) if start.at > after)


def _listed(pipeline: Pipeline) -> list[Start]:
    """The starts of an irregular schedule, in order."""
    include = pipeline.schedule.include
    found = (start_of(pipeline, ExecutionDate(day)) for day in (sorted(include.dates) if include else ()))
    return [Start(at, dates.of_instant(pipeline, at)) for at in found if at is not None]
