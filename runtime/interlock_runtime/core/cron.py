"""Cron expressions: five fields, when they fire, and how EventBridge Scheduler writes them.

Fire times follow EventBridge Scheduler's rules for changes of the clock: a wall time that does
not exist is skipped, one that exists twice fires once, at its first occurrence. The iteration
over wall times is cronsim's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from cronsim import CronSim

from interlock_runtime.core.wall_clock import exact_instant, next_instant, wall_time
from interlock_runtime.core.wording import shown

#: Farther than this nobody looks; the rarest cron, 29 February, fires at least every eight years.
_HORIZON = timedelta(days=36525)

_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_TERM = re.compile(r"(?:(?P<star>\*)|(?P<first>[A-Z0-9]+)(?:-(?P<last>[A-Z0-9]+))?)(?:/(?P<step>[0-9]{1,4}))?")
_MACROS = {
    "@YEARLY": "0 0 1 1 *",
    "@ANNUALLY": "0 0 1 1 *",
    "@MONTHLY": "0 0 1 * *",
    "@WEEKLY": "0 0 * * 0",
    "@DAILY": "0 0 * * *",
    "@MIDNIGHT": "0 0 * * *",
    "@HOURLY": "0 * * * *",
}


@dataclass(frozen=True)
class Field:
    """A field of a cron expression: its name, the bounds of its numbers, and names for them in order."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The values in words."""
        names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.low} to {self.high}{names}"

    def number(self, text: str) -> int:
        """Read a number, or a name in capitals.

        Raises:
            ValueError: it is not a value of the field.
        """
        if text in self.names:
            return self.names.index(text) + self.low
        if not text.isdigit() or len(text) > 4 or not self.low <= int(text) <= self.high:
            raise ValueError(f"{self.name}: {shown(text)} is not {self.allowed}")
        return int(text)

    def parse(self, text: str) -> frozenset[int]:
        """Read a whole field: the values that match.

        Raises:
            ValueError: it is not such a field.
        """
        return frozenset().union(*(self._term(term) for term in text.split(",")))

    def _term(self, text: str) -> range:
        match = _TERM.fullmatch(text)
        if match is None:
            raise ValueError(f"{self.name}: {shown(text)} is not *, a value, a range a-b or a step */n or a-b/n")
        step = int(match["step"] or 1)
        if not 1 <= step <= self.high:
            raise ValueError(f"{self.name}: {text!r} has a step that is not 1 to {self.high}")
        if match["star"]:
            return range(self.low, self.high + 1, step)
        first = self.number(match["first"])
        last = first if match["last"] is None else self.number(match["last"])
        if last < first:
            raise ValueError(f"{self.name}: the range {text!r} runs backwards; write a list of its values instead")
        if last == first and match["step"]:
            raise ValueError(f"{self.name}: {text!r} is a step over one value; write {first}-{self.high}/{step}")
        return range(first, last + 1, step)


_MINUTE = Field("minute", 0, 59)
_HOUR = Field("hour", 0, 23)
_DAY = Field("day of the month", 1, 31)
_MONTH = Field("month", 1, 12, MONTHS)
_WEEKDAY = Field("day of the week", 0, 7, WEEKDAYS)
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


@dataclass(frozen=True)
class Cron:
    """A five-field cron expression (minute, hour, day of the month, month, day of the week).

    The fields hold the sorted values that match; weekdays count from Sunday, 0. When both day
    fields are restricted, a day that matches either one fires (``either_day``), as in crontab.
    """

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read numbers, names, ``*``, lists, ranges and steps; Sunday is 0 or 7.

        Raises:
            ValueError: it is not such an expression, or EventBridge cannot express it.
        """
        parts = text.upper().split()
        if len(parts) != len(_FIELDS):
            raise ValueError(_wrong_count(parts))
        minutes, hours, days, months, weekdays = (field.parse(part) for field, part in zip(_FIELDS, parts, strict=True))
        weekdays = frozenset(day % 7 for day in weekdays)
        # crontab's rule: a star at the head of a day field, even of */2, means that both must match.
        starred = parts[2].startswith("*") or parts[4].startswith("*")
        if starred and len(days) < 31 and len(weekdays) < 7:
            raise ValueError(
                f"day of the month {parts[2]!r} and day of the week {parts[4]!r} would both have to match, which "
                "EventBridge cannot express; write the starred field as a list if either one is enough"
            )
        return cls(
            expression=" ".join(text.split()),
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            days=tuple(sorted(days)),
            months=tuple(sorted(months)),
            weekdays=tuple(sorted(weekdays)),
            either_day=not starred,
        )

    def __str__(self) -> str:
        return self.expression

    @property
    def never_fires(self) -> bool:
        """Whether no date matches, as in ``0 0 31 2 *``."""
        any_weekday = self.either_day or len(self.days) == 31
        return not any_weekday and not self._day_exists

    @property
    def more_than_daily(self) -> bool:
        """Whether it fires more than once on a day."""
        return len(self.minutes) * len(self.hours) > 1 and not self.never_fires

    @property
    def more_than_hourly(self) -> bool:
        """Whether it fires more than once in an hour."""
        return len(self.minutes) > 1 and not self.never_fires

    def fires(self, *, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
        """The instants (UTC) at which it fires, ``after`` exclusive, ``until`` inclusive, in order."""
        for wall in self._wall_times(wall_time(after, zone)):
            instant = exact_instant(wall, zone)
            if instant is None or instant <= after:
                continue
            if instant > until:
                return
            yield instant

    def skipped(self, *, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Fire times that do not exist because the clock was put forward over them.

        Each is the instant (UTC) at which the clock was put forward, once however many fire times
        it skipped; ``after`` exclusive, ``until`` inclusive, in order.
        """
        latest, previous = wall_time(until, zone), after
        for wall in self._wall_times(wall_time(after, zone)):
            if wall > latest:
                return
            if exact_instant(wall, zone) is not None:
                continue
            instant = next_instant(wall, zone)
            if previous < instant <= until:
                previous = instant
                yield instant

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first fire time (UTC) after ``after``, or None when it never fires."""
        return next(self.fires(after=after, until=after + _HORIZON, zone=zone), None)

    def last(self, before: datetime, zone: tzinfo) -> datetime | None:
        """The last fire time (UTC) before ``before``, or None when it never fired."""
        local = before.astimezone(zone)
        start = local.replace(tzinfo=None, fold=0)
        if local.fold:
            # The clock was put back: what it showed in the hour before has fired, though it is later on the wall.
            start += (local.replace(fold=0).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())
        earliest = start - _HORIZON
        for wall in self._wall_times(start, reverse=True):
            if wall < earliest:
                return None
            instant = exact_instant(wall, zone)
            if instant is not None and instant < before:
                return instant
        return None

    def eventbridge(self) -> tuple[str, ...]:
        """The same schedule as one or two EventBridge ``cron(…)`` expressions.

        EventBridge wants ``?`` in one of the day fields, so that two restricted ones take two
        expressions. A day that matches both fires in both, at the same instant.
        """
        days, weekdays = _compact(self.days, 31), _compact(self.weekdays, 7, WEEKDAYS)
        if len(self.weekdays) == 7 or (self.either_day and len(self.days) == 31):
            pairs = [("*" if self.either_day else days, "?")]
        elif len(self.days) == 31:
            pairs = [("?", weekdays)]
        else:
            pairs = [(days, "?")] if self._day_exists else []
            pairs.append(("?", weekdays))
        minutes, hours, months = _compact(self.minutes, 60), _compact(self.hours, 24), _compact(self.months, 12)
        return tuple(f"cron({minutes} {hours} {day} {months} {weekday} *)" for day, weekday in pairs)

    @property
    def _day_exists(self) -> bool:
        """Whether any of the days of the month exists in any of the months."""
        return any(self.days[0] <= _LONGEST_MONTH[month - 1] for month in self.months)

    def _wall_times(self, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
        """The matching wall times after (``reverse``: before) the wall time ``start``."""
        return iter(()) if self.never_fires else CronSim(self.expression, start, reverse)


def _compact(values: tuple[int, ...], full: int, names: tuple[str, ...] = ()) -> str:
    """Values as EventBridge lists them: ``*``, ranges from three on, single ones; ``names`` count from 0."""
    if len(values) == full:
        return "*"
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    parts: list[str] = []
    for run in runs:
        shown = [names[value] if names else str(value) for value in run]
        parts += [f"{shown[0]}-{shown[-1]}"] if len(run) > 2 else shown
    return ",".join(parts)


def _wrong_count(parts: list[str]) -> str:
    if len(parts) == 1 and parts[0] in _MACROS:
        return f"{parts[0].lower()} is not a five-field expression; write {_MACROS[parts[0]]!r}"
    hint = "; seconds and years are not supported" if len(parts) > len(_FIELDS) else ""
    return f"has {len(parts)} fields instead of five (minute, hour, day of the month, month, day of the week){hint}"
