"""Cron against two others: cronsim over years, and a clock that is read minute by minute.

The EventBridge expressions are read back by a small evaluator of their documented grammar that
shares nothing with the code that writes them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from interlock_runtime.core.cron import Cron

pytestmark = pytest.mark.slow

YEARS = [date(2024, 1, 1) + timedelta(days=days) for days in range(4 * 365 + 1)]
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

#: A zone, and the instant at which its clocks were changed: forward, back, by half an hour, over a whole
#: day, and once by a quarter of an hour.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(1985, 12, 31, 18, 30, tzinfo=UTC)),
    ("UTC", datetime(2026, 3, 29, 1, tzinfo=UTC)),
]


def terms(low: int, high: int, names: tuple[str, ...] = ()) -> list[str]:
    """Entries of a field: single values, spans, and steps over the whole field or a span."""
    values = range(low, high + 1)
    spans = [f"{first}-{last}" for first, last in combinations(values, 2)]
    named = [*names, *(f"{first}-{last.lower()}" for first, last in combinations(names, 2))]
    steps = [f"{span}/{step}" for span in ["*", *spans] for step in (1, 2, 5) if step <= high]
    return [*map(str, values), *spans, *named, *steps]


def field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    return st.just("*") | st.lists(st.sampled_from(terms(low, high, names)), min_size=1, max_size=3).map(",".join)


FIELDS = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12, MONTHS), field(0, 7, DAYS))


@st.composite
def crons(draw: st.DrawFn) -> Cron:
    """Any expression that is accepted; the day fields are often both restricted."""
    try:
        return Cron.parse(" ".join(draw(FIELDS)))
    except ValueError as error:
        assume("EventBridge cannot express" not in str(error))
        raise


class EventBridgeCron:
    """An expression ``cron(minute hour day month weekday year)``, read as AWS documents it."""

    def __init__(self, expression: str) -> None:
        match = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)", expression)
        assert match is not None, expression
        minutes, hours, days, months, weekdays = match.groups()
        assert (days == "?") != (weekdays == "?"), "exactly one of the day fields must be a question mark"
        self.minutes = self._values(minutes, range(60))
        self.hours = self._values(hours, range(24))
        self.months = self._values(months, range(1, 13))
        self.days = None if days == "?" else self._values(days, range(1, 32))
        self.weekdays = None if weekdays == "?" else self._values(weekdays, range(1, 8), DAYS)

    def fires_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        if self.days is not None:
            return day.day in self.days
        return self.weekdays is not None and day.isoweekday() % 7 + 1 in self.weekdays

    @staticmethod
    def _values(text: str, allowed: range, names: tuple[str, ...] = ()) -> set[int]:
        def value(word: str) -> int:
            found = names.index(word) + 1 if word in names else int(word)
            assert found in allowed, text
            return found

        found: set[int] = set()
        for entry in text.split(","):
            first, _, last = entry.partition("-")
            if entry == "*":
                found |= set(allowed)
            else:
                assert value(first) <= value(last or first), "EventBridge refuses a range that wraps"
                found |= set(range(value(first), value(last or first) + 1))
        return found


def cronsim_days(cron: Cron) -> set[date]:
    """The days of YEARS on which cronsim fires the expression; none when it refuses a date that never comes."""
    _, _, *days = cron.expression.split()
    found = set()
    if not cron.never_fires:
        for fire in CronSim(" ".join(["0", "0", *days]), datetime.combine(YEARS[0], time()) - timedelta(minutes=1)):
            if fire.date() > YEARS[-1]:
                break
            found.add(fire.date())
    return found


@given(crons())
def test_the_eventbridge_expressions_together_fire_exactly_as_cronsim(cron: Cron) -> None:
    expressions = [EventBridgeCron(expression) for expression in cron.eventbridge()]
    assert 1 <= len(expressions) <= 2
    days = {day for day in YEARS if any(expression.fires_on(day) for expression in expressions)}
    assert days == cronsim_days(cron)
    minutes, hours, *_ = cron.expression.split()
    reference = CronSim(f"{minutes} {hours} * * *", datetime(2026, 1, 1))
    for expression in expressions:
        assert (expression.minutes, expression.hours) == (reference.minutes, reference.hours)
    assert all(len(expression) <= 256 for expression in cron.eventbridge())


@given(st.text(alphabet="0123456789*/,-#?LWSUNJAbc@ \t٣é") | st.text())
def test_any_text_is_read_or_refused_and_what_is_read_cronsim_reads_too(text: str) -> None:
    try:
        cron = Cron.parse(text)
    except ValueError:
        return
    assert cron.never_fires or CronSim(cron.expression, datetime(2026, 1, 1))


@given(crons())
def test_how_often_it_fires_agrees_with_the_calendar(cron: Cron) -> None:
    expressions = [EventBridgeCron(text) for text in cron.eventbridge()]
    days = [day for day in YEARS[:366] if any(expression.fires_on(day) for expression in expressions)]
    assert cron.never_fires == (not days)
    per_day = len(cron.minutes) * len(cron.hours) if days else 0
    assert cron.more_than_daily == (per_day > 1)
    assert cron.more_than_hourly == (bool(days) and len(cron.minutes) > 1)


@cache
def wall_clock(zone: ZoneInfo, change: datetime) -> list[tuple[datetime, datetime]]:
    """Read the clock every minute for 30 hours around a change: each wall time, when it is first shown."""
    seen = {}
    for minutes in range(-30 * 60, 30 * 60):
        instant = change + timedelta(minutes=minutes)
        seen.setdefault(instant.astimezone(zone).replace(tzinfo=None, fold=0), instant)
    return [(instant, wall) for wall, instant in seen.items()]


@cache
def never_shown(zone: ZoneInfo, change: datetime) -> list[datetime]:
    """The wall times between the first and the last reading that the clock never showed."""
    seen = {wall for _, wall in wall_clock(zone, change)}
    first, minutes = min(seen), int((max(seen) - min(seen)) / timedelta(minutes=1))
    return [wall for wall in (first + timedelta(minutes=each) for each in range(minutes)) if wall not in seen]


def matches(cron: Cron, wall: datetime) -> bool:
    by_day, by_weekday = wall.day in cron.days, wall.isoweekday() % 7 in cron.weekdays
    return (
        wall.minute in cron.minutes
        and wall.hour in cron.hours
        and wall.month in cron.months
        and (by_day or by_weekday if cron.either_day else by_day and by_weekday)
    )


@pytest.mark.parametrize(("name", "change"), CHANGES)
@settings(max_examples=50)
@given(cron=crons(), start=st.integers(-4 * 60, 4 * 60))
def test_fire_times_are_those_of_a_clock_on_the_wall(name: str, change: datetime, cron: Cron, start: int) -> None:
    zone = ZoneInfo(name)
    after, until = change + timedelta(minutes=start), change + timedelta(hours=29)
    fires = list(cron.fires(after=after, until=until, zone=zone))
    assert fires == [
        instant for instant, wall in wall_clock(zone, change) if after < instant <= until and matches(cron, wall)
    ]
    assert all(fire.tzinfo is UTC for fire in fires)
    if len(fires) > 1:
        assert cron.next(after, zone) == fires[0]
        assert cron.last(fires[1], zone) == fires[0]
        assert cron.last(fires[1] + timedelta(seconds=1), zone) == fires[1]


@pytest.mark.parametrize(("name", "change"), CHANGES)
@settings(max_examples=50)
@given(cron=crons())
def test_what_is_skipped_is_what_the_clock_never_shows(name: str, change: datetime, cron: Cron) -> None:
    zone, hours = ZoneInfo(name), timedelta(hours=12)
    lost = any(matches(cron, wall) for wall in never_shown(zone, change))
    assert list(cron.skipped(after=change - hours, until=change + hours, zone=zone)) == ([change] if lost else [])
    assert list(cron.skipped(after=change, until=change + hours, zone=zone)) == []
    assert list(cron.skipped(after=change - hours, until=change - timedelta(seconds=1), zone=zone)) == []
