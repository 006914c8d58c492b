"""The fields of a sensor as people give them on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.attributes import decode, encode
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import ConfigError
from interlock_runtime.core.rules import Sensor
from interlock_tf.installation.sensor_rows import SensorRow, fields_of
from tests.fakes.gold import gold
from tests.fakes.pipelines import pipeline

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)


def fields(*pairs: str, data: str | None = None, date: str | None = None, updated: str | None = None) -> dict[str, Any]:
    day = None if date is None else ExecutionDate.parse(date)
    return fields_of(pairs, data, date=day, updated=updated, now=NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("complete", "complete"),
        ("48210", 48210),
        ("-1", -1),
        ("1.10", Decimal("1.10")),
        ("1e3", 1000),
        ("9007199254740993", 9007199254740993),
        ("12345678901234567890123456789012345678", 12345678901234567890123456789012345678),
        ("0.1234567890123456789012345678901234567", Decimal("0.1234567890123456789012345678901234567")),
        ("007", "007"),
        ("+1", "+1"),
        (".5", ".5"),
        ("NaN", "NaN"),
        ("true", True),
        ("True", "True"),
        ("false", False),
        ("null", None),
        ('"42"', "42"),
        ('"', '"'),
        ('"a"b"', '"a"b"'),
        ("", ""),
        ("a=b", "a=b"),
        ("2026-03-03", "2026-03-03"),
    ],
)
def test_a_value_is_what_json_takes_it_for_and_otherwise_text(text: str, value: Any) -> None:
    found = fields(f"x={text}")["x"]
    assert (found, type(found)) == (value, type(value))


@given(st.integers(min_value=-(10**38) + 1, max_value=10**38 - 1) | st.decimals(-(10**15), 10**15, places=9))
def test_a_number_is_stored_with_all_its_digits(number: int | Decimal) -> None:
    assert decode(encode(fields(f"x={number:f}" if isinstance(number, Decimal) else f"x={number}")["x"])) == number


def test_json_gives_maps_lists_and_exact_numbers() -> None:
    found = fields("z=1", data='{"a": {"b": [1, 2.50, null]}, "c": 9007199254740993}')
    assert found == {"a": {"b": [1, Decimal("2.50"), None]}, "c": 9007199254740993, "z": 1}


def test_options_set_the_fields_with_a_meaning() -> None:
    assert fields(date="2026-03-03T07", updated="now") == {
        "date": "2026-03-03",
        "hour": "07",
        "updatedAt": "2026-03-03T06:00:00.000Z",
    }
    assert fields(updated="1772517600") == {"updatedAt": "1772517600"}


@pytest.mark.parametrize(
    ("pairs", "options", "told"),
    [
        (["status"], {}, "FIELD=VALUE: 'status' is not FIELD=VALUE"),
        (["=1"], {}, "'=1' is not FIELD=VALUE"),
        (["a=1", "a=2"], {}, "the field a is given twice"),
        (["a=1"], {"data": '{"a": 2}'}, "the field a is given twice"),
        (["date=2026-03-03"], {"date": "2026-03-03"}, "--date: the field date is given twice"),
        (["updatedAt=1"], {"updated": "now"}, "--updated-at: the field updatedAt is given twice"),
        (["PK=1"], {}, "PK is a name of the row itself"),
        ([], {"data": '{"data": {}}'}, "data is a name of the row itself"),
        ([], {"data": "[1]"}, "--data: is a list of 1, not a map of fields"),
        ([], {"data": "{"}, "--data: is not JSON"),
        ([], {"data": '{"a": NaN}'}, "NaN is no number"),
        ([], {"data": '{"": 1}'}, "--data: has a field without a name"),
        ([], {"updated": "yesterday"}, "--updated-at: 'yesterday' is not now, nor an RFC 3339 time"),
        (
            ["x=123456789012345678901234567890123456789"],
            {},
            "x: '123456789012345678901234567890123456789' does not",
        ),
        (["x=1e126"], {}, "does not fit into a number of DynamoDB"),
        (["x=1e-131"], {}, "does not fit into a number of DynamoDB"),
    ],
)
def test_a_mistake_names_its_place(pairs: list[str], options: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fields(*pairs, **options)
    assert told in str(caught.value)


def read_by(key: str, **values: Any) -> list[tuple[str, bool]]:
    row = SensorRow.of(pipeline(**gold()), Sensor(key, values), now=NOW)
    return [(each.path, each.result.passed) for each in row.readings]


def test_who_reads_a_sensor_is_told_with_what_it_says_to_them() -> None:
    readers = ["schedule.trigger", "validation.rules[0]", "postRun.rules[0]"]
    assert read_by("orders", state="ready", count=950) == list(zip(readers, [True, False, True], strict=True))
    assert read_by("orders#2026-03-03") == [(each, False) for each in readers]
    assert read_by("rates") == [("validation.rules[1]", True)]
    assert read_by("orders-eu") == []


def test_the_date_that_it_is_for_is_told_with_what_was_ignored() -> None:
    row = SensorRow.of(pipeline(**gold()), Sensor("orders#soon", {"date": "tomorrow"}), now=NOW)
    assert str(row.date) == "2026-03-03"
    assert [each.partition(":")[0] for each in row.ignored] == ["date", "key"]
