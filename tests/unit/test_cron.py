"""Cron expressions: what is read, what is refused, and what is known without looking at a calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from interlock_runtime.core.cron import Cron

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_it_is_written_as_it_was_read_with_single_spaces() -> None:
    assert str(Cron.parse(" 0  6 * * mon-fri\t")) == "0 6 * * mon-fri"


def test_equal_expressions_are_one_key() -> None:
    assert len({Cron.parse("0 6 * * 1"), Cron.parse("0  6 * * 1")}) == 1


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("5,10 * * * *", "minutes", (5, 10)),
        ("0-10/5 * * * *", "minutes", (0, 5, 10)),
        ("05 * * * *", "minutes", (5,)),
        ("0 */8 * * *", "hours", (0, 8, 16)),
        ("0 0 1-3,28-31/2 * *", "days", (1, 2, 3, 28, 30)),
        ("0 0 1 Jan-mar,DEC *", "months", (1, 2, 3, 12)),
        ("0 0 * * 7", "weekdays", (0,)),
        ("0 0 * * 5-7", "weekdays", (0, 5, 6)),
        ("0 0 * * sun,Tue", "weekdays", (0, 2)),
        ("0 0 * * */2", "weekdays", (0, 2, 4, 6)),
    ],
)
def test_numbers_names_lists_ranges_and_steps_are_read(text: str, field: str, values: tuple[int, ...]) -> None:
    assert getattr(Cron.parse(text), field) == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 fields instead of five"),
        ("0 6 * *", "has 4 fields instead of five"),
        ("0 0 6 * * *", "seconds and years are not supported"),
        ("@daily", "write '0 0 * * *'"),
        ("@reboot", "has 1 fields instead of five"),
        ("60 * * * *", "minute: '60' is not 0 to 59"),
        ("0 24 * * *", "hour: '24' is not 0 to 23"),
        ("0 0 0 * *", "day of the month: '0' is not 1 to 31"),
        ("0 0 * 13 *", "month: '13' is not 1 to 12 or JAN to DEC"),
        ("0 0 * * 8", "day of the week: '8' is not 0 to 7 or SUN to SAT"),
        ("0 0 * * MONDAY", "day of the week: 'MONDAY' is not"),
        ("0 0 * MON *", "month: 'MON' is not"),
        ("0 0 L * *", "day of the month: 'L' is not"),
        ("0 0 15W * *", "day of the month: '15W' is not"),
        ("0 0 * * 5#3", "day of the week: '5#3' is not"),
        ("0 0 * * 5L", "day of the week: '5L' is not"),
        ("0 0 ? * 1", "day of the month: '?' is not"),
        ("5/15 * * * *", "write 5-59/15"),
        ("0 0 1-1/2 * *", "write 1-31/2"),
        ("*/0 * * * *", "has a step that is not 1 to 59"),
        ("*/" + "9" * 20 + " * * * *", "is not *, a value, a range a-b or a step"),
        ("*/90 * * * *", "has a step that is not 1 to 59"),
        ("0 0 * * FRI-SUN", "runs backwards"),
        ("0 22-2 * * *", "runs backwards"),
        ("0 0 1- * *", "day of the month: '1-' is not"),
        ("0 0 ,1 * *", "day of the month: '' is not"),
        ("0 -6 * * *", "hour: '-6' is not"),
        ("0 6.5 * * *", "hour: '6.5' is not"),
        ("0 ٦ * * *", "hour: '٦' is not"),
        ("0 00000000000000000000000006 * * *", "hour: '00000000000000000000000006' is not"),
        ("0 0 */2 * MON", "which EventBridge cannot express"),
        ("0 0 13 * */2", "which EventBridge cannot express"),
    ],
)
def test_anything_else_is_refused_with_the_field_and_a_way_out(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Cron.parse(text)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        ("0 6 * * *", ["cron(0 6 * * ? *)"]),
        ("0 6 1,15 * *", ["cron(0 6 1,15 * ? *)"]),
        ("0 6 * * 1-5", ["cron(0 6 ? * MON-FRI *)"]),
        ("0 6 * * 5-7", ["cron(0 6 ? * SUN,FRI,SAT *)"]),
        ("0 6 * * 0-7", ["cron(0 6 * * ? *)"]),
        ("15 */6 * 1-3,12 *", ["cron(15 0,6,12,18 * 1-3,12 ? *)"]),
        ("0 6 */10 * *", ["cron(0 6 1,11,21,31 * ? *)"]),
        ("0 6 13 * FRI", ["cron(0 6 13 * ? *)", "cron(0 6 ? * FRI *)"]),
        ("0 6 1-31 * FRI", ["cron(0 6 * * ? *)"]),
        ("0 6 31 2 FRI", ["cron(0 6 ? 2 FRI *)"]),
    ],
)
def test_eventbridge_gets_the_same_schedule_in_its_own_words(text: str, expressions: list[str]) -> None:
    assert list(Cron.parse(text).eventbridge()) == expressions


@pytest.mark.parametrize(
    ("text", "never", "hourly", "daily"),
    [
        ("0 6 * * *", False, False, False),
        ("0 6,18 * * *", False, False, True),
        ("0 * 29 2 *", False, False, True),
        ("0,30 6 * * *", False, True, True),
        ("0,30 6 31 4 *", True, False, False),
        ("0 0 30,31 2 *", True, False, False),
        ("0 0 31 4,6,9,11 *", True, False, False),
        ("0 0 31 4,5 *", False, False, False),
        ("0 0 31 2 MON", False, False, False),
    ],
)
def test_how_often_it_fires_is_known_from_the_fields(text: str, never: bool, hourly: bool, daily: bool) -> None:
    cron = Cron.parse(text)
    assert (cron.never_fires, cron.more_than_hourly, cron.more_than_daily) == (never, hourly, daily)


def test_both_day_fields_together_mean_either() -> None:
    fires = Cron.parse("0 0 13 * FRI").fires(after=NOON, until=NOON.replace(day=31), zone=UTC)
    assert [fire.day for fire in fires] == [6, 13, 20, 27]


def test_after_is_exclusive_and_until_inclusive() -> None:
    cron, six = Cron.parse("0 6 * * *"), NOON.replace(hour=6)
    assert list(cron.fires(after=six, until=six.replace(day=4), zone=UTC)) == [six.replace(day=4)]


def test_next_and_last_are_strictly_after_and_before() -> None:
    cron, six = Cron.parse("0 6 * * *"), NOON.replace(hour=6)
    assert cron.next(six, UTC) == six.replace(day=4)
    assert cron.last(six, UTC) == six.replace(day=2)
    assert cron.last(six.replace(microsecond=1), UTC) == six


def test_a_cron_that_never_fires_has_no_next_and_no_last() -> None:
    cron = Cron.parse("0 0 31 2 *")
    assert cron.next(NOON, UTC) is None
    assert cron.last(NOON, UTC) is None
    assert list(cron.fires(after=NOON, until=NOON.replace(year=2126), zone=UTC)) == []


def test_leap_days_are_found_even_over_a_century_that_has_none() -> None:
    cron = Cron.parse("0 0 29 2 *")
    assert cron.next(datetime(2096, 3, 1, tzinfo=UTC), UTC) == datetime(2104, 2, 29, tzinfo=UTC)
    assert cron.last(datetime(2104, 2, 1, tzinfo=UTC), UTC) == datetime(2096, 2, 29, tzinfo=UTC)


def test_a_time_skipped_in_spring_is_not_fired_but_told() -> None:
    cron, berlin = Cron.parse("30 2 * * *"), ZoneInfo("Europe/Berlin")
    after, until = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)
    assert list(cron.fires(after=after, until=until, zone=berlin)) == [datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    assert list(cron.skipped(after=after, until=until, zone=berlin)) == [datetime(2026, 3, 29, 1, tzinfo=UTC)]


def test_a_time_that_comes_twice_in_autumn_fires_once() -> None:
    cron, berlin = Cron.parse("30 2 * * *"), ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = first.replace(hour=1)
    assert list(cron.fires(after=first.replace(day=24, hour=12), until=second, zone=berlin)) == [first]
    assert list(cron.fires(after=first, until=second.replace(hour=12), zone=berlin)) == []
    assert cron.last(second.replace(minute=10), berlin) == first
