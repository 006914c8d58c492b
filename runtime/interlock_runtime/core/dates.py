"""Execution dates: which period a run is for, and where the date of a sensor comes from.

A daily execution date is a calendar day, an hourly one an hour of it, both as the clock in the
pipeline's time zone shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import total_ordering
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.scalars import YEARS, Weekday
from interlock_runtime.core.wall_clock import next_instant, wall_time
from interlock_runtime.core.wording import shown

_DAY = r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
_DAY_WHOLE = re.compile(_DAY)
_DATE_WHOLE = re.compile(_DAY + r"(?:T(?P<hour>[0-9]{2}))?")
_HOUR_WHOLE = re.compile(r"[0-9]{1,2}")


class Granularity(StrEnum):
    """How long the period of an execution date is."""

    DAILY = "daily"
    HOURLY = "hourly"


@total_ordering
@dataclass(frozen=True)
class ExecutionDate:
    """A day, or with ``hour`` (0 to 23) an hour of it; a day sorts before its hours."""

    day: date
    hour: int | None = None

    @classmethod
    def parse(cls, text: str) -> ExecutionDate:
        """Read ``2026-03-03``, ``2026-03-03T10``, or the same without dashes.

        Raises:
            ValueError: it is none of these, or no such day or hour exists.
        """
        match = _DATE_WHOLE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an execution date such as 2026-03-03 or 2026-03-03T10")
        hour = match["hour"]
        return cls(_existing_day(match), None if hour is None else _existing_hour(int(hour)))

    def __str__(self) -> str:
        return self.day.isoformat() + self._hour_suffix

    @property
    def compact(self) -> str:
        """The spelling without dashes: ``20260303T10``."""
        return f"{self.day:%Y%m%d}{self._hour_suffix}"

    @property
    def wall_start(self) -> datetime:
        """What the clock shows when the period begins."""
        return datetime.combine(self.day, time(self.hour or 0))

    @property
    def wall_end(self) -> datetime:
        """What the clock shows when the period is over."""
        return self.wall_start + (timedelta(days=1) if self.hour is None else timedelta(hours=1))

    def __lt__(self, other: ExecutionDate) -> bool:
        return self._rank < other._rank

    @property
    def _rank(self) -> tuple[date, int]:
        return self.day, -1 if self.hour is None else self.hour

    @property
    def _hour_suffix(self) -> str:
        return "" if self.hour is None else f"T{self.hour:02}"


@dataclass(frozen=True)
class DeclaredPeriod:
    """What a sensor's own ``date`` and ``hour`` say; ``ignored`` names the values that are not valid."""

    day: date | None = None
    hour: int | None = None
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> DeclaredPeriod:
        """Read the fields of a sensor; never raises."""
        ignored: list[str] = []
        day = hour = None
        if (value := fields.get("date")) is not None:
            try:
                day = _day(value)
            except ValueError as error:
                ignored.append(f"date: {error}")
        if (value := fields.get("hour")) is not None:
            try:
                hour = _hour(value)
            except ValueError as error:
                ignored.append(f"hour: {error}")
        return cls(day, hour, tuple(ignored))

    def contradicts(self, date: ExecutionDate) -> bool:
        """Whether it names another period than ``date``; what it leaves open fits any."""
        other_day = self.day is not None and self.day != date.day
        other_hour = self.hour is not None and date.hour is not None and self.hour != date.hour
        return other_day or other_hour

    def __str__(self) -> str:
        hour = "" if self.hour is None else f"hour {self.hour:02}"
        return f"{self.day} {hour}".strip() if self.day else hour


def granularity(pipeline: Pipeline) -> Granularity:
    """Hourly when the cron can fire more than once a day or a deadline is ``:MM``, else daily."""
    schedule, sla = pipeline.schedule, pipeline.sla
    deadlines = [owner.deadline for owner in (sla, schedule.trigger) if owner and owner.deadline]
    by_cron = schedule.cron is not None and schedule.cron.more_than_daily
    by_deadline = any(deadline.hour is None for deadline in deadlines)
    return Granularity.HOURLY if by_cron or by_deadline else Granularity.DAILY


def of_instant(pipeline: Pipeline, instant: datetime) -> ExecutionDate:
    """The execution date whose period the aware ``instant`` falls in, in the pipeline's time zone."""
    wall = wall_time(instant, pipeline.schedule.timezone)
    return ExecutionDate(wall.date(), wall.hour if granularity(pipeline) is Granularity.HOURLY else None)


def before(pipeline: Pipeline, date: ExecutionDate) -> ExecutionDate:
    """The execution date whose period ends where that of ``date`` begins."""
    return of_instant(pipeline, period_start(date, pipeline.schedule.timezone) - timedelta(microseconds=1))


def coerce(pipeline: Pipeline, date: ExecutionDate, *, at: datetime) -> ExecutionDate:
    """``date`` in the pipeline's granularity: a missing hour is that of ``at``, a superfluous one is dropped."""
    if granularity(pipeline) is Granularity.DAILY:
        return ExecutionDate(date.day)
    if date.hour is not None:
        return date
    return ExecutionDate(date.day, wall_time(at, pipeline.schedule.timezone).hour)


def in_key(key: str, rule_key: str) -> ExecutionDate:
    """The date that a sensor's key names, which is the part of it after ``rule_key#``.

    Raises:
        ValueError: that part is no date.
    """
    suffix = key.removeprefix(rule_key + "#")
    try:
        return ExecutionDate.parse(suffix)
    except ValueError:
        raise ValueError(f"its suffix {shown(suffix)} is not a date such as 2026-03-03 or 2026-03-03T10") from None


def of_sensor(
    pipeline: Pipeline, key: str, *, fields: Mapping[str, Any], rule_key: str, written_at: datetime
) -> tuple[ExecutionDate, tuple[str, ...]]:
    """The execution date of a sensor, and in words which of its values were ignored as invalid.

    Its ``date`` and ``hour`` come first; what they leave open is taken from the key's suffix (the
    part of ``key`` after ``rule_key#``), and what that leaves open from ``written_at``, the time
    of the write.
    """
    declared = DeclaredPeriod.of(fields)
    day, hour, ignored = declared.day, declared.hour, declared.ignored
    if key != rule_key:
        try:
            named = in_key(key, rule_key)
        except ValueError as error:
            ignored += (f"key: {error}",)
        else:
            if day in (None, named.day):
                day, hour = named.day, named.hour if hour is None else hour
    if day is None:
        day = wall_time(written_at, pipeline.schedule.timezone).date()
    return coerce(pipeline, ExecutionDate(day, hour), at=written_at), ignored


def excluded(pipeline: Pipeline, date: ExecutionDate) -> str | None:
    """Why the pipeline does not run for ``date``, in words, or None when it does."""
    exclude = pipeline.schedule.exclude
    weekday = Weekday.of(date.day)
    source = f"schedule.exclude, with calendar {exclude.calendar!r}" if exclude.calendar else "schedule.exclude"
    if exclude.weekends and weekday in (Weekday.SATURDAY, Weekday.SUNDAY):
        return f"{date.day} is a {weekday.title()}, and weekends are excluded by {source}"
    if weekday in exclude.days:
        return f"{date.day} is a {weekday.title()}, a weekday excluded by {source}"
    if date.day in exclude.dates:
        return f"{date.day} is a date excluded by {source}"
    return None


def period_start(date: ExecutionDate, zone: tzinfo) -> datetime:
    """The instant (UTC) at which the period begins; when it does not exist, at which the clock skipped it."""
    return next_instant(date.wall_start, zone)


def period_end(date: ExecutionDate, zone: tzinfo) -> datetime:
    """The instant (UTC) at which the period is over: the beginning of the one that follows on the wall."""
    return next_instant(date.wall_end, zone)


def sensor_keys(rule_key: str, date: ExecutionDate) -> tuple[str, str, str]:
    """The keys under which the sensor of a rule may be stored for ``date``, the preferred one first."""
    return f"{rule_key}#{date}", f"{rule_key}#{date.compact}", rule_key


def _day(value: Any) -> date:
    text = str(value) if type(value) is int and 0 <= value <= 99_999_999 else value
    match = _DAY_WHOLE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not YYYY-MM-DD or YYYYMMDD")
    return _existing_day(match)


def _existing_day(match: re.Match[str]) -> date:
    if int(match["year"]) not in YEARS:
        raise ValueError(f"{match[0]!r} is not in the years {YEARS[0]} to {YEARS[-1]}")
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError as error:
        raise ValueError(f"{match[0]!r} does not exist in the calendar") from error


def _hour(value: Any) -> int:
    if isinstance(value, str):
        return _existing_hour(int(value) if _HOUR_WHOLE.fullmatch(value) else value)
    return _existing_hour(value)


def _existing_hour(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in range(24):
        raise ValueError(f"{shown(value)} is not an hour from 00 to 23")
    return int(value)
