"""How the scalars of a document are spelled."""

from __future__ import annotations

import pkgutil
import re
import zoneinfo
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.cron import Cron
from interlock_runtime.core.scalars import (
    CRON,
    DATE,
    DEADLINE,
    DURATION,
    MODE,
    PIPELINE_ID,
    SECONDS,
    SENSOR_KEY,
    TIME,
    TIMEZONE,
    WEEKDAY,
    Deadline,
    Mode,
    Text,
    Weekday,
    format_duration,
    parse_duration,
)

KINDS = {
    "cron": CRON,
    "date": DATE,
    "deadline": DEADLINE,
    "duration": DURATION,
    "mode": MODE,
    "pipeline id": PIPELINE_ID,
    "sensor key": SENSOR_KEY,
    "seconds": SECONDS,
    "time": TIME,
    "time zone": TIMEZONE,
    "weekday": WEEKDAY,
}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DURATION, "90s", timedelta(seconds=90)),
        (DURATION, "1h30m", timedelta(minutes=90)),
        (DURATION, "1.5h", timedelta(minutes=90)),
        (DURATION, "2d", timedelta(days=2)),
        (DURATION, "250ms", timedelta(milliseconds=250)),
        (DURATION, "1m30s500ms", timedelta(seconds=90.5)),
        (DURATION, "0s", timedelta(0)),
        (SECONDS, "30s", timedelta(seconds=30)),
        (SECONDS, 30, timedelta(seconds=30)),
        (SECONDS, 1.5, timedelta(seconds=1.5)),
        (DATE, "2028-02-29", date(2028, 2, 29)),
        (TIME, "23:59", time(23, 59)),
        (DEADLINE, "06:30", Deadline(6, 30)),
        (DEADLINE, ":45", Deadline(None, 45)),
        (TIMEZONE, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        (CRON, "0 6 * * 1-5", Cron.parse("0 6 * * 1-5")),
        (WEEKDAY, "Monday", Weekday.MONDAY),
        (WEEKDAY, "SUNDAY", Weekday.SUNDAY),
        (MODE, "any", Mode.ANY),
        (MODE, "All", Mode.ALL),
        (PIPELINE_ID, "gold-revenue.v2_eu", "gold-revenue.v2_eu"),
        (PIPELINE_ID, "x" * 63, "x" * 63),
        (SENSOR_KEY, "€" * 200, "€" * 200),
        (SENSOR_KEY, "a/b #\n", "a/b #\n"),
    ],
)
def test_what_is_spelled_right_is_read(kind: Text, text: Any, value: Any) -> None:
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            DURATION,
            ["", "90", "s", "1h 30m", "-1h", "1.h", ".5h", "1w", "1H", "1e3s", "99999d", "٣h", "1h\n", "1" * 80 + "s"],
        ),
        (SECONDS, [True, float("nan"), float("inf"), 1e300, -1e300, 10**400, "soon", "30"]),
        (
            DATE,
            [
                "",
                "2026-2-3",
                "20260203",
                "2026-02-30",
                "2026-13-01",
                "0001-01-01",
                "9999-12-31",
                "٢٠٢٦-٠٢-٠٣",
                "2026-02-03\n",
            ],
        ),
        (TIME, ["", "6:30", "24:00", "06:60", "06:30:00", "0630", "06:3٠"]),
        (DEADLINE, ["", ":5", ":60", "24:00", "6:30", "45", ":4٥", ":45\n"]),
        (
            TIMEZONE,
            ["", "Berlin", "Europe", "europe", "../etc/passwd", "/etc/passwd", "Europe/Berlin\0", "x" * 5000, "\ud800"],
        ),
        (CRON, ["", "* * * *", "@daily"]),
        (WEEKDAY, ["", "mon", "Montag", "monday "]),
        (MODE, ["", "both", "ALL "]),
        (PIPELINE_ID, ["", "-gold", ".gold", "gold/eu", "gold eu", "göld", "x" * 64, "gold\n"]),
        (SENSOR_KEY, ["", "x" * 201]),
    ],
)
def test_what_is_spelled_wrong_is_refused_with_a_value_error(kind: Text, texts: list[Any]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=r"."):
            kind.parse(text)


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin", "Local/Office"]
)
def test_a_time_zone_that_only_some_machines_have_is_refused(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(pkgutil.get_data("tzdata", "zoneinfo/Europe/Berlin") or b"")
    before = zoneinfo.TZPATH
    request.addfinalizer(lambda: zoneinfo.reset_tzpath(before))
    zoneinfo.reset_tzpath([tmp_path])
    assert zoneinfo.ZoneInfo(name)
    with pytest.raises(ValueError, match="is not in the time zone database"):
        TIMEZONE.parse(name)


@pytest.mark.parametrize("name", ["UTC", "GMT+0", "Etc/GMT-14", "EST", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_of_any_spelling_is_read(name: str) -> None:
    assert TIMEZONE.parse(name).key == name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@given(text=st.text() | st.text(alphabet="0123456789:-.hmsd/ ٣\n", max_size=12))
def test_any_text_is_read_or_refused_and_what_is_read_matches_the_pattern(kind: Text, text: str) -> None:
    try:
        kind.parse(text)
    except ValueError:
        return
    assert kind.pattern is None or re.search(kind.pattern, text, re.ASCII)


@pytest.mark.parametrize("name", ["deadline", "mode", "pipeline id", "time", "weekday"])
@given(data=st.data())
def test_what_matches_the_pattern_is_read(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    assert kind.pattern is not None
    kind.parse(data.draw(st.from_regex(re.compile(kind.pattern, re.ASCII), fullmatch=True)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_what_is_expected_completes_a_sentence(kind: Text) -> None:
    assert re.match(r"(an? |\d|ALL)", kind.expected)
    assert not kind.expected.endswith(".")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (timedelta(days=2, milliseconds=5), "2d5ms"),
        (timedelta(seconds=-90), "-1m30s"),
        (timedelta(microseconds=400), "0s"),
    ],
)
def test_a_duration_is_written_as_people_write_it(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.timedeltas(timedelta(0), timedelta(days=3650)))
def test_a_duration_is_read_back_to_the_millisecond(duration: timedelta) -> None:
    assert abs(parse_duration(format_duration(duration)) - duration) <= timedelta(milliseconds=1)


@pytest.mark.parametrize("text", ["06:30", ":45", "00:00", ":00"])
def test_a_deadline_is_written_as_it_was_read(text: str) -> None:
    assert str(DEADLINE.parse(text)) == text


def test_weekdays_are_those_of_the_calendar() -> None:
    assert [Weekday.of(date(2026, 3, day)) for day in range(2, 9)] == list(Weekday)
