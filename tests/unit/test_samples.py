"""The sample pipelines and calendars do what their comments say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from interlock_runtime.core.dates import ExecutionDate, excluded, of_sensor
from interlock_runtime.core.deadlines import absolute, relative, trigger_deadline
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.scalars import Weekday
from interlock_tf.documents.calendars import load_calendars
from interlock_tf.documents.placeholders import Variables
from interlock_tf.pipelines import load_pipelines

ROOT = Path(__file__).resolve().parents[2]

NEW_YORK, BERLIN, LONDON, UTC = map(ZoneInfo, ("America/New_York", "Europe/Berlin", "Europe/London", "UTC"))


@cache
def samples() -> Mapping[str, Pipeline]:
    """The samples by id, with their calendars."""
    loaded = load_pipelines(
        pipelines_path=ROOT / "pipelines",
        calendars_path=ROOT / "calendars",
        environment="dev",
        today=date(2026, 11, 24),
    )
    assert not loaded.warnings
    return {each.id: each.pipeline for each in loaded}


def calendar_dates(name: str) -> tuple[date, ...]:
    """The dates of a sample calendar."""
    return load_calendars(str(ROOT / "calendars"), Variables({})).by_name[name].dates


def test_the_samples_are_of_different_kinds() -> None:
    assert {name: (each.schedule_id, each.job.type, each.dry_run) for name, each in samples().items()} == {
        "board-pack": ("stream", "http", False),
        "clickstream-hourly": ("stream", "glue", False),
        "customer-360": ("cron", "airflow", False),
        "fx-rates": ("stream", "lambda", False),
        "gold-revenue": ("cron", "glue", False),
        "inventory-snapshot": ("stream", "glue", True),
    }


@pytest.mark.parametrize(
    ("pipeline_id", "day", "warning", "breach"),
    [
        (
            "gold-revenue",
            "2026-11-24",
            datetime(2026, 11, 24, 10, 0, tzinfo=NEW_YORK),
            datetime(2026, 11, 24, 10, 30, tzinfo=NEW_YORK),
        ),
        (
            "clickstream-hourly",
            "2026-11-24T10",
            datetime(2026, 11, 24, 11, 45, tzinfo=UTC),
            datetime(2026, 11, 24, 11, 55, tzinfo=UTC),
        ),
        (
            "inventory-snapshot",
            "2026-11-24",
            datetime(2026, 11, 25, 5, 20, tzinfo=BERLIN),
            datetime(2026, 11, 25, 6, 0, tzinfo=BERLIN),
        ),
        (
            "customer-360",
            "2026-11-24",
            datetime(2026, 11, 24, 6, 0, tzinfo=BERLIN),
            datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN),
        ),
        (
            "fx-rates",
            "2026-11-24",
            datetime(2026, 11, 24, 17, 50, tzinfo=BERLIN),
            datetime(2026, 11, 24, 18, 0, tzinfo=BERLIN),
        ),
    ],
)
def test_a_deadline_falls_when_its_comment_says(
    pipeline_id: str, day: str, warning: datetime, breach: datetime
) -> None:
    clock = absolute(samples()[pipeline_id], ExecutionDate.parse(day))
    assert clock
    assert (clock.warning, clock.breach) == (warning, breach)


def test_the_board_pack_counts_from_its_first_sensor() -> None:
    arrival = datetime(2026, 12, 10, 9, 0, tzinfo=LONDON)
    clock = relative(samples()["board-pack"], arrival)
    assert clock
    assert (clock.warning - arrival, clock.breach - arrival) == (timedelta(hours=2.5), timedelta(hours=3))


def test_the_trigger_deadlines_fall_when_their_comments_say() -> None:
    hourly = trigger_deadline(samples()["clickstream-hourly"], ExecutionDate.parse("2026-11-24T10"))
    daily = trigger_deadline(samples()["fx-rates"], ExecutionDate.parse("2026-11-24"))
    assert hourly == datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    assert daily == datetime(2026, 11, 24, 17, 30, tzinfo=BERLIN)


@pytest.mark.parametrize("pipeline_id", ["gold-revenue", "customer-360"])
def test_a_run_that_begins_by_cron_and_waits_its_whole_window_can_be_in_time(pipeline_id: str) -> None:
    pipeline = samples()[pipeline_id]
    assert pipeline.schedule.cron
    assert pipeline.sla
    midnight = datetime(2026, 11, 24, tzinfo=pipeline.schedule.timezone)
    start = pipeline.schedule.cron.next(midnight, pipeline.schedule.timezone)
    clock = absolute(pipeline, ExecutionDate(date(2026, 11, 24)))
    assert start
    assert clock
    assert start + pipeline.schedule.evaluation.window <= clock.warning


@pytest.mark.parametrize(("pipeline_id", "day"), [("clickstream-hourly", "2026-11-24T10"), ("fx-rates", "2026-11-24")])
def test_a_run_that_begins_at_its_trigger_deadline_can_be_in_time(pipeline_id: str, day: str) -> None:
    pipeline = samples()[pipeline_id]
    start = trigger_deadline(pipeline, ExecutionDate.parse(day))
    clock = absolute(pipeline, ExecutionDate.parse(day))
    assert start
    assert clock
    assert start + pipeline.schedule.evaluation.window <= clock.warning


def test_the_suffix_of_an_hourly_sensor_is_its_execution_date() -> None:
    found, ignored = of_sensor(
        samples()["clickstream-hourly"],
        "clickstream-landed#2026-11-24T10",
        fields={"status": "complete"},
        rule_key="clickstream-landed",
        written_at=datetime(2026, 11, 24, 11, 4, tzinfo=UTC),
    )
    assert (str(found), ignored) == ("2026-11-24T10", ())


@pytest.mark.parametrize(
    ("pipeline_id", "day"),
    [
        ("gold-revenue", date(2026, 11, 26)),
        ("customer-360", date(2026, 11, 30)),
        ("fx-rates", date(2026, 11, 28)),
    ],
)
def test_a_calendar_keeps_a_pipeline_from_running(pipeline_id: str, day: date) -> None:
    assert excluded(samples()[pipeline_id], ExecutionDate(day))
    assert not excluded(samples()[pipeline_id], ExecutionDate(date(2026, 11, 24)))


def test_no_meeting_of_the_board_is_on_a_weekend() -> None:
    include = samples()["board-pack"].schedule.include
    assert include
    assert not {Weekday.of(day) for day in include.dates} & {Weekday.SATURDAY, Weekday.SUNDAY}


def test_every_market_holiday_is_a_weekday_and_no_year_lacks_one() -> None:
    dates = calendar_dates("us-market-holidays")
    assert not {Weekday.of(day) for day in dates} & {Weekday.SATURDAY, Weekday.SUNDAY}
    assert [sum(day.year == year for day in dates) for year in (2026, 2027)] == [10, 10]


def test_the_freeze_is_the_last_day_of_each_month_and_the_first_of_the_next() -> None:
    firsts = [date(2026, 12, 1), *(date(2027, month, 1) for month in range(1, 13)), date(2028, 1, 1)]
    assert list(calendar_dates("month-end-freeze")) == [
        day for first in firsts for day in (first - timedelta(days=1), first)
    ]
