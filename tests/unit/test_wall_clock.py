"""Wall times on the days when clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.wall_clock import exact_instant, next_instant, wall_time

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Asia/Tehran"]
).map(ZoneInfo)


def test_an_ordinary_time_is_one_instant() -> None:
    wall = datetime(2026, 7, 1, 12)
    assert exact_instant(wall, BERLIN) == next_instant(wall, BERLIN) == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_a_time_in_a_gap_moves_to_the_instant_of_the_change(minute: int) -> None:
    wall = datetime(2026, 3, 29, 2, minute)
    assert exact_instant(wall, BERLIN) is None
    assert next_instant(wall, BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_ambiguous_time_is_its_first_occurrence() -> None:
    assert next_instant(datetime(2026, 10, 25, 2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_that_a_zone_left_out_ends_where_the_next_begins() -> None:
    midnight = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert next_instant(datetime(2011, 12, 30, 0), ZoneInfo("Pacific/Apia")) == midnight
    assert next_instant(datetime(2011, 12, 30, 23, 59), ZoneInfo("Pacific/Apia")) == midnight


def test_the_clock_shows_the_same_in_both_folds() -> None:
    shown = {wall_time(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), BERLIN) for hour in (0, 1)}
    assert shown == {datetime(2026, 10, 25, 2, 30)}


@given(wall=st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)), zone=ZONES)
def test_every_wall_time_has_a_next_instant_that_shows_it_or_a_later_one(wall: datetime, zone: ZoneInfo) -> None:
    instant = next_instant(wall, zone)
    assert wall_time(instant, zone) >= wall
    assert exact_instant(wall, zone) in (instant, None)
    assert exact_instant(wall, zone) is None or wall_time(instant, zone) == wall


@given(wall=st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)), minutes=st.integers(0, 3000), zone=ZONES)
def test_a_later_wall_time_is_never_an_earlier_instant(wall: datetime, minutes: int, zone: ZoneInfo) -> None:
    assert next_instant(wall, zone) <= next_instant(wall + timedelta(minutes=minutes), zone)
