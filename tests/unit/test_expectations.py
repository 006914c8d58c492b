"""On which dates a run is expected, and when the clock starts one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.expectations import is_expected, last_start, looked_at, next_listed, next_start, start_of
from tests.fakes.pipelines import pipeline

DAILY_AT_TWO = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
TRIGGER = {"trigger": {"key": "orders", "check": "exists"}}


@pytest.mark.parametrize(
    ("schedule", "date", "expected"),
    [
        ({"cron": "0 6 * * 1"}, "2026-03-02", True),
        ({"cron": "0 6 * * 1"}, "2026-03-03", False),
        ({"cron": "0 6 * * 1", **TRIGGER}, "2026-03-03", False),
        ({"cron": "15 */6 * * *"}, "2026-03-03T06", True),
        ({"cron": "15 */6 * * *"}, "2026-03-03T07", False),
        ({"cron": "0 0 * * *"}, "2026-12-31", True),
        ({"cron": "59 23 31 12 *", "timezone": "Pacific/Kiritimati"}, "2026-12-31", True),
        ({"cron": "59 23 31 12 *", "timezone": "Pacific/Kiritimati"}, "2027-01-01", False),
        (DAILY_AT_TWO, "2026-03-29", True),
        (DAILY_AT_TWO, "2026-10-25", True),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-03", True),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-04", False),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-03T10", True),
        (TRIGGER, "2026-03-03", True),
    ],
)
def test_a_run_is_expected_where_cron_or_list_say_so_and_always_without_them(
    schedule: dict[str, Any], date: str, expected: bool
) -> None:
    assert is_expected(pipeline(schedule=schedule), ExecutionDate.parse(date)) is expected


WEEKLY = {"cron": "0 6 * * 1", "timezone": "Europe/Berlin"}
HOURLY = {"cron": "15 */6 * * *"}
LISTED = {"include": {"dates": ["2026-03-05", "2026-03-02", "2026-03-09"]}, "time": "07:00"}
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "at", "date"),
    [
        (WEEKLY, "2026-03-09T05:00", "2026-03-09"),
        (HOURLY, "2026-03-03T12:15", "2026-03-03T12"),
        (LISTED, "2026-03-05T07:00", "2026-03-05"),
        (WEEKLY | {"exclude": {"dates": ["2026-03-09"]}}, "2026-03-16T05:00", "2026-03-16"),
        (LISTED | {"exclude": {"days": ["thursday"]}}, "2026-03-09T07:00", "2026-03-09"),
    ],
)
def test_the_next_start_is_past_the_excluded_dates(schedule: dict[str, Any], at: str, date: str) -> None:
    start = next_start(pipeline(schedule=schedule), NOW)
    assert start is not None
    assert (start.at, str(start.date)) == (instant(at), date)


@pytest.mark.parametrize("schedule", [TRIGGER, LISTED | TRIGGER, WEEKLY | {"exclude": {"days": ["monday"]}}])
def test_what_no_clock_starts_has_no_next_start(schedule: dict[str, Any]) -> None:
    assert next_start(pipeline(schedule=schedule), NOW) is None


@pytest.mark.parametrize(
    ("schedule", "at", "date"),
    [
        (WEEKLY, "2026-03-02T05:00", "2026-03-02"),
        (HOURLY, "2026-03-03T06:15", "2026-03-03T06"),
        (LISTED, "2026-03-02T07:00", "2026-03-02"),
        (WEEKLY | {"exclude": {"dates": ["2026-03-02"]}}, "2026-03-02T05:00", "2026-03-02"),
    ],
)
def test_the_last_start_may_have_been_excluded(schedule: dict[str, Any], at: str, date: str) -> None:
    start = last_start(pipeline(schedule=schedule), NOW)
    assert start is not None
    assert (start.at, str(start.date)) == (instant(at), date)


def test_before_the_first_listed_date_there_was_no_start() -> None:
    assert last_start(pipeline(schedule=LISTED), instant("2026-03-01T00:00")) is None
    assert last_start(pipeline(schedule=TRIGGER), NOW) is None


@pytest.mark.parametrize(
    ("schedule", "date", "at"),
    [
        (WEEKLY, "2026-03-02", "2026-03-02T05:00"),
        (WEEKLY, "2026-03-03", None),
        (LISTED, "2026-03-05", "2026-03-05T07:00"),
        (LISTED, "2026-03-06", None),
        (LISTED | TRIGGER, "2026-03-05", None),
        (TRIGGER, "2026-03-05", None),
        (DAILY_AT_TWO, "2026-03-29", None),
    ],
)
def test_a_date_is_started_when_its_clock_says_so(schedule: dict[str, Any], date: str, at: str | None) -> None:
    found = start_of(pipeline(schedule=schedule), ExecutionDate.parse(date))
    assert found == (None if at is None else instant(at))


def test_the_next_listed_day_is_one_that_is_not_excluded() -> None:
    listed = pipeline(schedule=LISTED | TRIGGER | {"exclude": {"dates": ["2026-03-05"]}})
    assert str(next_listed(listed, ExecutionDate.parse("2026-03-02"))) == "2026-03-09"
    assert next_listed(listed, ExecutionDate.parse("2026-03-09")) is None
    assert next_listed(pipeline(schedule=TRIGGER), ExecutionDate.parse("2026-03-02")) is None


def test_dates_looked_at_are_two_days_or_three_hours_of_the_wall() -> None:
    assert list(map(str, looked_at(pipeline(schedule=WEEKLY), NOW))) == ["2026-03-03", "2026-03-02"]
    hourly = pipeline(schedule=HOURLY | {"timezone": "Europe/Berlin"})
    put_back = instant("2026-10-25T01:30")  # 02:30 for the second time
    assert list(map(str, looked_at(hourly, put_back))) == ["2026-10-25T02", "2026-10-25T01"]
