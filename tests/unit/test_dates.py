"""Execution dates: granularity, where a sensor's date comes from, exclusions, periods."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline
from tests.fakes.pipelines import pipeline
from tests.fakes.values import json_values

BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # 00:30 on 3 March in Berlin

DAILY = pipeline(schedule={"cron": "0 6 * * *", "timezone": "Europe/Berlin"})
HOURLY = pipeline(schedule={"cron": "0 * * * *", "timezone": "Europe/Berlin"})

execution_dates = st.builds(
    ExecutionDate, st.dates(date(1970, 1, 1), date(2999, 12, 31)), st.none() | st.integers(0, 23)
)


def of_sensor(of: Pipeline, key: str, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    found, ignored = dates.of_sensor(of, key, fields=fields, rule_key="rows", written_at=WRITTEN)
    return str(found), ignored


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-03-03", "2026-03-03"),
        ("20260303", "2026-03-03"),
        ("2026-03-03T07", "2026-03-03T07"),
        ("20260303T07", "2026-03-03T07"),
    ],
)
def test_both_spellings_of_a_date_are_read(text: str, canonical: str) -> None:
    assert str(ExecutionDate.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-3-3",
        "2026-0303",
        "2026-02-30",
        "2026-03-03T24",
        "2026-03-03T7",
        "2026-03-03T07:00",
        "1969-12-31",
        "3000-01-01",
        "٢٠٢٦-٠٣-٠٣",
        "2026-03-03\n",
        "-2026-03-03",
    ],
)
def test_what_is_no_execution_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|does not exist"):
        ExecutionDate.parse(text)


@given(execution_dates)
def test_a_date_is_read_back_from_either_spelling(found: ExecutionDate) -> None:
    assert ExecutionDate.parse(str(found)) == ExecutionDate.parse(found.compact) == found


@given(st.lists(execution_dates))
def test_dates_sort_as_their_texts_do(found: list[ExecutionDate]) -> None:
    assert [str(each) for each in sorted(found)] == sorted(str(each) for each in found)


@pytest.mark.parametrize(
    ("sections", "granularity"),
    [
        ({}, Granularity.DAILY),
        ({"schedule": {"cron": "0 6 * * *"}}, Granularity.DAILY),
        ({"schedule": {"cron": "0 6,18 1 * *"}}, Granularity.HOURLY),
        ({"sla": {"deadline": "06:00"}}, Granularity.DAILY),
        ({"sla": {"deadline": ":30"}}, Granularity.HOURLY),
        ({"schedule": {"trigger": {"key": "rows", "check": "exists", "deadline": ":30"}}}, Granularity.HOURLY),
        ({"schedule": {"trigger": {"key": "rows", "check": "exists", "deadline": "08:30"}}}, Granularity.DAILY),
    ],
)
def test_granularity_follows_from_cron_and_deadlines(sections: dict[str, Any], granularity: Granularity) -> None:
    assert dates.granularity(pipeline(**sections)) is granularity


@pytest.mark.parametrize(
    ("key", "fields", "found"),
    [
        ("rows", {"date": "2026-03-01", "hour": "07"}, "2026-03-01T07"),
        ("rows", {"date": "20260301", "hour": 7}, "2026-03-01T07"),
        ("rows", {"date": 20260301, "hour": 7.0}, "2026-03-01T07"),
        ("rows", {"date": "2026-03-01", "hour": "7"}, "2026-03-01T07"),
        ("rows#2026-03-02T09", {"date": "2026-03-01", "hour": "07"}, "2026-03-01T07"),
        ("rows#2026-03-02T09", {}, "2026-03-02T09"),
        ("rows#20260302T09", {"date": None, "hour": None}, "2026-03-02T09"),
        ("rows#2026-03-02T09", {"date": "2026-03-02"}, "2026-03-02T09"),
        ("rows#2026-03-02", {}, "2026-03-02T00"),
        ("rows", {"date": "2026-03-01"}, "2026-03-01T00"),
        ("rows", {"hour": "07"}, "2026-03-03T07"),
        ("rows", {}, "2026-03-03T00"),
    ],
)
def test_the_date_of_a_sensor_comes_from_its_fields_then_its_key_then_the_write(
    key: str, fields: dict[str, Any], found: str
) -> None:
    assert of_sensor(HOURLY, key, fields) == (found, ())


@pytest.mark.parametrize(
    ("key", "fields"),
    [("rows", {}), ("rows", {"hour": "23"}), ("rows#2026-03-03T17", {}), ("rows", {"date": "20260303", "hour": 3})],
)
def test_a_superfluous_hour_is_dropped(key: str, fields: dict[str, Any]) -> None:
    assert of_sensor(DAILY, key, fields) == ("2026-03-03", ())


@pytest.mark.parametrize(
    ("key", "fields", "ignored"),
    [
        ("rows", {"date": "2026-02-30"}, "date: '2026-02-30' does not exist in the calendar"),
        ("rows", {"date": "yesterday"}, "date: 'yesterday' is not YYYY-MM-DD or YYYYMMDD"),
        ("rows", {"date": "9999-12-31"}, "date: '9999-12-31' is not in the years 1970 to 2999"),
        ("rows", {"date": ["2026-03-01"]}, "date: a list of 1 is not YYYY-MM-DD or YYYYMMDD"),
        ("rows", {"date": True}, "date: true is not YYYY-MM-DD or YYYYMMDD"),
        ("rows", {"hour": "24"}, "hour: 24 is not an hour from 00 to 23"),
        ("rows", {"hour": 7.5}, "hour: 7.5 is not an hour from 00 to 23"),
        ("rows", {"hour": -1}, "hour: -1 is not an hour from 00 to 23"),
        ("rows", {"hour": True}, "hour: true is not an hour from 00 to 23"),
        ("rows", {"hour": ""}, "hour: '' is not an hour from 00 to 23"),
        ("rows#eu", {}, "key: its suffix 'eu' is not a date such as 2026-03-03 or 2026-03-03T10"),
        ("rows##2026-03-01", {}, "key: its suffix '#2026-03-01' is not a date such as 2026-03-03 or 2026-03-03T10"),
    ],
)
def test_invalid_values_are_ignored_and_named(key: str, fields: dict[str, Any], ignored: str) -> None:
    assert of_sensor(HOURLY, key, fields) == ("2026-03-03T00", (ignored,))


@given(
    key=st.text().map("rows#".__add__) | st.just("rows"),
    fields=st.fixed_dictionaries({"date": json_values, "hour": json_values}),
)
def test_any_sensor_has_a_date_that_can_be_written(key: str, fields: dict[str, Any]) -> None:
    found, ignored = dates.of_sensor(HOURLY, key, fields=fields, rule_key="rows", written_at=WRITTEN)
    assert ExecutionDate.parse(str(found)) == found
    assert json.dumps(ignored)


def test_an_instant_is_dated_in_the_zone_of_the_pipeline() -> None:
    assert str(dates.of_instant(DAILY, WRITTEN)) == "2026-03-03"
    assert str(dates.of_instant(HOURLY, WRITTEN)) == "2026-03-03T00"
    assert str(dates.of_instant(pipeline(), WRITTEN)) == "2026-03-02"


def test_a_date_is_coerced_to_the_granularity_of_the_pipeline() -> None:
    assert str(dates.coerce(HOURLY, ExecutionDate.parse("2026-03-01"), at=WRITTEN)) == "2026-03-01T00"
    assert str(dates.coerce(HOURLY, ExecutionDate.parse("2026-03-01T07"), at=WRITTEN)) == "2026-03-01T07"
    assert str(dates.coerce(DAILY, ExecutionDate.parse("2026-03-01T07"), at=WRITTEN)) == "2026-03-01"


@pytest.mark.parametrize(
    ("exclude", "on", "reason"),
    [
        ({}, "2026-03-07", None),
        ({"weekends": True}, "2026-03-06", None),
        ({"weekends": True}, "2026-03-07", "2026-03-07 is a Saturday, and weekends are excluded by schedule.exclude"),
        ({"weekends": True}, "2026-03-08T23", "2026-03-08 is a Sunday, and weekends are excluded by schedule.exclude"),
        ({"days": ["Tuesday"]}, "2026-03-03", "2026-03-03 is a Tuesday, a weekday excluded by schedule.exclude"),
        (
            {"dates": ["2026-12-25"], "calendar": "de"},
            "2026-12-25",
            "2026-12-25 is a date excluded by schedule.exclude, with calendar 'de'",
        ),
    ],
)
def test_an_exclusion_says_why(exclude: dict[str, Any], on: str, reason: str | None) -> None:
    assert dates.excluded(pipeline(schedule={"exclude": exclude}), ExecutionDate.parse(on)) == reason


@pytest.mark.parametrize(
    ("on", "start", "hours"),
    [
        ("2026-03-03", datetime(2026, 3, 2, 23, tzinfo=UTC), 24),
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("2026-12-31", datetime(2026, 12, 30, 23, tzinfo=UTC), 24),
        ("2026-03-03T23", datetime(2026, 3, 3, 22, tzinfo=UTC), 1),
        ("2026-03-29T02", datetime(2026, 3, 29, 1, tzinfo=UTC), 0),
        ("2026-10-25T02", datetime(2026, 10, 25, 0, tzinfo=UTC), 2),
    ],
)
def test_a_period_begins_and_ends_on_the_clock_of_its_zone(on: str, start: datetime, hours: int) -> None:
    found = ExecutionDate.parse(on)
    assert dates.period_start(found, BERLIN) == start
    assert dates.period_end(found, BERLIN) == start + timedelta(hours=hours)


@given(instant=st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1), timezones=st.just(UTC)))
def test_an_instant_lies_in_the_period_of_its_date(instant: datetime) -> None:
    found = dates.of_instant(HOURLY, instant)
    assert dates.period_start(found, BERLIN) <= instant < dates.period_end(found, BERLIN)


def test_the_sensor_of_a_rule_is_looked_for_under_three_keys() -> None:
    assert dates.sensor_keys("rows", ExecutionDate.parse("2026-03-03T10")) == (
        "rows#2026-03-03T10",
        "rows#20260303T10",
        "rows",
    )
