"""Deadlines: each rule by example, daylight-saving days, and that no answer depends on now."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock_runtime import core
from interlock_runtime.core.dates import ExecutionDate, period_end
from interlock_runtime.core.deadlines import Clock, absolute, relative, trigger_deadline
from tests.fakes.pipelines import pipeline

ARRIVAL = datetime(2026, 3, 3, 10, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]


def breach(on: str, sla: dict[str, Any], schedule: dict[str, Any] | None = None) -> str:
    """The breach of a date, as UTC text to the minute."""
    found = pipeline(sla={"expectedDuration": "30m", **sla}, schedule=schedule or {})
    clock = absolute(found, ExecutionDate.parse(on))
    assert clock is not None
    assert clock.breach.tzinfo is UTC
    assert clock.breach - clock.warning == timedelta(minutes=30)
    return f"{clock.breach:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("cron", "deadline", "expected"),
    [
        ("0 6 * * *", "08:00", "2026-03-03 08:00"),
        ("0 6 * * *", "06:01", "2026-03-03 06:01"),
        ("0 6 * * *", "06:00", "2026-03-04 06:00"),
        ("0 6 * * *", "05:00", "2026-03-04 05:00"),
        ("0 22 * * *", "02:00", "2026-03-04 02:00"),
        ("0 6 * * MON", "08:00", "2026-03-03 08:00"),
        (None, "08:00", "2026-03-04 08:00"),
        (None, "00:00", "2026-03-04 00:00"),
    ],
)
def test_a_daily_deadline_falls_on_the_same_day_only_when_the_cron_has_fired_before_it(
    cron: str | None, deadline: str, expected: str
) -> None:
    assert breach("2026-03-03", {"deadline": deadline}, {"cron": cron} if cron else None) == expected


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, "2026-12-30 05:00"), (1, "2026-12-31 05:00"), (7, "2027-01-06 05:00")]
)
def test_a_day_offset_wins_and_crosses_the_end_of_a_year(offset: int, expected: str) -> None:
    sla = {"deadline": "05:00", "dayOffset": offset}
    assert breach("2026-12-30", sla) == breach("2026-12-30", sla, {"cron": "0 6 * * *"}) == expected


def test_a_daily_deadline_is_in_the_zone_of_the_sla_and_the_cron_in_that_of_the_schedule() -> None:
    tokyo = {"cron": "0 6 * * *", "timezone": "Asia/Tokyo"}
    assert breach("2026-03-03", {"deadline": "07:00"}, tokyo) == "2026-03-02 22:00"
    # 06:00 in Tokyo is 16:00 of the day before in New York: 07:00 there is after it.
    assert breach("2026-03-03", {"deadline": "07:00", "timezone": "America/New_York"}, tokyo) == "2026-03-03 12:00"
    # 06:00 in New York is 20:00 in Tokyo: 07:00 there is before it.
    new_york = {"cron": "0 6 * * *", "timezone": "America/New_York"}
    assert breach("2026-03-03", {"deadline": "07:00", "timezone": "Asia/Tokyo"}, new_york) == "2026-03-03 22:00"


@pytest.mark.parametrize(
    ("on", "deadline", "expected"),
    [
        ("2026-03-03T10", ":00", "2026-03-03 11:00"),
        ("2026-03-03T10", ":45", "2026-03-03 11:45"),
        ("2026-03-03T23", ":15", "2026-03-04 00:15"),
        ("2026-12-31T23", ":15", "2027-01-01 00:15"),
        ("2026-03-03T10", "11:00", "2026-03-03 11:00"),
        ("2026-03-03T10", "10:59", "2026-03-04 10:59"),
        ("2026-03-03T10", "18:00", "2026-03-03 18:00"),
        ("2026-03-03T23", "00:00", "2026-03-04 00:00"),
        ("2026-03-03T23", "06:00", "2026-03-04 06:00"),
    ],
)
def test_an_hourly_deadline_is_the_first_such_time_at_or_after_the_end_of_the_hour(
    on: str, deadline: str, expected: str
) -> None:
    assert breach(on, {"deadline": deadline, "dayOffset": 3}, {"cron": "0 * * * *"}) == expected


@pytest.mark.parametrize(
    ("on", "deadline", "expected"),
    [
        ("2026-03-29", "02:30", "2026-03-29 01:00"),  # does not exist: the instant of the change
        ("2026-03-29", "03:30", "2026-03-29 01:30"),
        ("2026-10-25", "02:30", "2026-10-25 00:30"),  # exists twice: the first
        ("2026-10-25", "03:30", "2026-10-25 02:30"),
        ("2026-03-29T01", ":00", "2026-03-29 01:00"),  # the hour that follows is the one from 03:00
        ("2026-03-29T01", ":30", "2026-03-29 01:30"),
        ("2026-03-29T01", "02:30", "2026-03-29 01:00"),
        ("2026-03-29T01", "03:30", "2026-03-29 01:30"),
        ("2026-03-29T03", ":30", "2026-03-29 02:30"),
        ("2026-10-25T01", ":30", "2026-10-25 00:30"),
        ("2026-10-25T02", ":30", "2026-10-25 02:30"),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Europe/Paris"])
def test_deadlines_on_the_days_when_berlin_changes_its_clocks(
    on: str, deadline: str, expected: str, zone: str | None
) -> None:
    schedule = {"timezone": "Europe/Berlin"}
    sla = {"deadline": deadline, "dayOffset": 0, **({"timezone": zone} if zone else {})}
    assert breach(on, sla, schedule) == expected


def test_the_trigger_deadline_of_the_hour_before_the_clock_is_put_forward_has_its_grace() -> None:
    schedule = {"timezone": "Europe/Berlin", "trigger": {"key": "rows", "check": "exists", "deadline": ":30"}}
    found = trigger_deadline(pipeline(schedule=schedule), ExecutionDate.parse("2026-03-29T01"))
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_default_offset_counts_a_fire_time_in_the_spring_gap_as_the_instant_of_the_change() -> None:
    schedule = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
    assert breach("2026-03-29", {"deadline": "02:45"}, schedule) == "2026-03-30 00:45"
    assert breach("2026-03-29", {"deadline": "03:01"}, schedule) == "2026-03-29 01:01"


def test_minutes_past_the_hour_are_read_on_the_clock_of_the_sla() -> None:
    # 11:00 UTC, the end of hour 10, is 16:45 in Kathmandu.
    kathmandu = {"timezone": "Asia/Kathmandu"}
    assert breach("2026-03-03T10", {"deadline": ":50", **kathmandu}) == "2026-03-03 11:05"
    assert breach("2026-03-03T10", {"deadline": ":30", **kathmandu}) == "2026-03-03 11:45"


def test_an_hourly_deadline_is_never_before_the_end_of_the_hour_though_its_first_occurrence_was() -> None:
    # Hour 00 UTC ends at the second 02:00 in Berlin; the first 02:30 is over by then.
    assert breach("2026-10-25T00", {"deadline": ":30", "timezone": "Europe/Berlin"}) == "2026-10-25 02:30"


def test_without_a_deadline_there_is_no_clock() -> None:
    on = ExecutionDate.parse("2026-03-03")
    assert absolute(pipeline(), on) is None
    assert absolute(pipeline(sla={"critical": True}), on) is None
    assert relative(pipeline(), ARRIVAL) is None
    assert trigger_deadline(pipeline(), on) is None


@pytest.mark.parametrize(
    ("sla", "warning"),
    [
        ({"maxDuration": "2h"}, timedelta(minutes=90)),
        ({"maxDuration": "2h", "expectedDuration": "45m"}, timedelta(minutes=75)),
    ],
)
def test_a_relative_clock_starts_with_the_first_arrival(sla: dict[str, Any], warning: timedelta) -> None:
    clock = Clock(warning=ARRIVAL + warning, breach=ARRIVAL + timedelta(hours=2))
    assert relative(pipeline(sla=sla), ARRIVAL) == clock
    assert relative(pipeline(sla=sla), ARRIVAL.astimezone(ZoneInfo("Asia/Tokyo"))) == clock


@pytest.mark.parametrize(
    ("trigger", "sla", "expected"),
    [
        ({"deadline": "08:00"}, None, "2026-03-04T07:00"),
        ({"deadline": "08:00", "dayOffset": 0}, None, "2026-03-03T07:00"),
        ({"deadline": "08:00"}, {"dayOffset": 2}, "2026-03-05T07:00"),
        ({"deadline": "08:00", "dayOffset": 0}, {"dayOffset": 2}, "2026-03-03T07:00"),
        ({"deadline": "08:00"}, {"timezone": "Asia/Tokyo"}, "2026-03-04T07:00"),
    ],
)
def test_the_trigger_deadline_is_resolved_like_that_of_the_sla_in_the_zone_of_the_schedule(
    trigger: dict[str, Any], sla: dict[str, Any] | None, expected: str
) -> None:
    schedule = {"timezone": "Europe/Berlin", "trigger": {"key": "rows", "check": "exists", **trigger}}
    found = trigger_deadline(pipeline(schedule=schedule, sla=sla), ExecutionDate.parse("2026-03-03"))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


zones = st.sampled_from(ZONES)
days = st.dates(date(2005, 1, 1), date(2030, 12, 31))
clocks = st.times().map(lambda at: f"{at:%H:%M}")


@given(
    day=days,
    hour=st.integers(0, 23),
    deadline=clocks | st.integers(0, 59).map(":{:02}".format),
    here=zones,
    there=zones,
)
def test_an_hourly_deadline_is_at_or_after_the_end_of_the_hour_and_within_a_day(
    day: date, hour: int, deadline: str, here: str, there: str
) -> None:
    sla = {"deadline": deadline, "expectedDuration": "1h", "timezone": there}
    on = ExecutionDate(day, hour)
    clock = absolute(pipeline(schedule={"timezone": here}, sla=sla), on)
    assert clock is not None
    assert timedelta(0) <= clock.breach - period_end(on, ZoneInfo(here)) <= timedelta(days=2)


@given(day=days, hour=st.integers(0, 23), minute=st.integers(0, 59), here=zones, there=zones)
@example(day=date(2026, 3, 29), hour=1, minute=30, here="Europe/Berlin", there="Europe/Berlin")
@example(day=date(2026, 10, 4), hour=1, minute=15, here="Australia/Lord_Howe", there="Australia/Lord_Howe")
def test_the_clock_shows_the_minute_of_a_deadline_or_was_put_forward_over_it(
    day: date, hour: int, minute: int, here: str, there: str
) -> None:
    sla = {"deadline": f":{minute:02}", "expectedDuration": "1h", "timezone": there}
    on = ExecutionDate(day, hour)
    clock = absolute(pipeline(schedule={"timezone": here}, sla=sla), on)
    assert clock is not None
    zone = ZoneInfo(there)
    shown = clock.breach.astimezone(zone)
    offsets = {at.astimezone(zone).utcoffset() for at in (clock.breach, clock.breach - timedelta(seconds=1))}
    assert shown.minute == minute or (len(offsets) == 2 and clock.breach > period_end(on, ZoneInfo(here)))


@given(day=days, hour=st.integers(0, 23), deadline=clocks | st.integers(0, 59).map(":{:02}".format))
@example(day=date(2026, 3, 29), hour=1, deadline="02:30")
def test_zones_whose_clocks_show_the_same_give_the_same_deadline(day: date, hour: int, deadline: str) -> None:
    on = ExecutionDate(day, hour)
    found = {
        absolute(pipeline(schedule={"timezone": "Europe/Berlin"}, sla=sla), on)
        for zone in ({}, {"timezone": "Europe/Berlin"}, {"timezone": "Europe/Paris"})
        if (sla := {"deadline": deadline, "expectedDuration": "1h", **zone})
    }
    assert len(found) == 1


@given(
    day=days, deadline=clocks, zone=zones, cron=st.none() | st.times().map(lambda at: f"{at.minute} {at.hour} * * *")
)
def test_a_daily_deadline_of_a_later_date_is_never_earlier(
    day: date, deadline: str, zone: str, cron: str | None
) -> None:
    schedule = {"timezone": zone, **({"cron": cron} if cron else {})}
    found = pipeline(schedule=schedule, sla={"deadline": deadline, "expectedDuration": "1h"})
    here, after = absolute(found, ExecutionDate(day)), absolute(found, ExecutionDate(day + timedelta(days=1)))
    assert here is not None
    assert after is not None
    assert here.breach <= after.breach
    assert here == absolute(found, ExecutionDate(day))


def test_no_module_of_core_reads_a_clock() -> None:
    clocks = {"now", "utcnow", "today", "time_ns", "monotonic", "localtime", "gmtime"}
    for source in Path(*core.__path__).glob("*.py"):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        called = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not called & clocks, source.name
        assert "time" not in imported, source.name
