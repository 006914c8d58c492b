"""Times as sensors write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.timestamps import parse_timestamp
from tests.fakes.values import json_values

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
HALF = TEN.replace(microsecond=500000)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-03T10:00:00Z", TEN),
        ("2026-03-03t10:00:00z", TEN),
        ("2026-03-03 10:00:00Z", TEN),
        (" 2026-03-03T10:00:00Z ", TEN),
        ("2026-03-03T11:00:00+01:00", TEN),
        ("2026-03-03T04:15:00-05:45", TEN),
        ("2026-03-03T10:00:00.5Z", HALF),
        ("2026-03-03T10:00:00.500000999Z", HALF),
        ("2026-03-03T09:59:60Z", TEN),
        (1772532000, TEN),
        (1772532000.5, HALF),
        (Decimal("1772532000.5"), HALF),
        ("1772532000", TEN),
        (1772532000000, TEN),
        ("1772532000500", HALF),
        (0, EPOCH),
        (-1, EPOCH - timedelta(seconds=1)),
        (10**12, EPOCH + timedelta(seconds=10**9)),
    ],
)
def test_rfc_3339_seconds_and_milliseconds_are_read(value: Any, instant: datetime) -> None:
    assert parse_timestamp(value) == instant


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "now", [], {}, "NaN", float("inf"), 10**12 - 1, 10**18, "1e300", -(10**12)),
        "2026-03-03",
        "2026-03-03T10:00:00",
        "2026-03-03T10:00Z",
        "2026-02-30T10:00:00Z",
        "2026-03-03T24:00:00Z",
        "2026-03-03T10:00:61Z",
        "2026-03-03T10:00:00+25:00",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "20260303T100000Z",
        "٢٠٢٦-03-03T10:00:00Z",
    ],
)
def test_anything_else_is_no_time(value: Any) -> None:
    assert parse_timestamp(value) is None


@given(json_values)
def test_any_value_is_read_or_not_and_never_raises(value: Any) -> None:
    found = parse_timestamp(value)
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(datetime(2001, 9, 10), datetime(2999, 12, 31), timezones=st.just(UTC)))
def test_what_is_written_in_any_form_is_read_back(instant: datetime) -> None:
    millis = (instant - EPOCH) // timedelta(milliseconds=1)
    assert parse_timestamp(instant.isoformat()) == instant
    assert parse_timestamp(millis) == parse_timestamp(str(millis)) == EPOCH + timedelta(milliseconds=millis)
    assert parse_timestamp(millis // 1000) == EPOCH + timedelta(seconds=millis // 1000)
