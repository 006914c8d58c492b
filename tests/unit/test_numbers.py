"""Numbers as DynamoDB, JSON and people write them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from interlock_runtime.core.numbers import number, plain
from tests.fakes.values import dynamodb_values, json_values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("7"), 7),
        (Decimal("7.0"), 7),
        (Decimal("1E+2"), 100),
        (Decimal("0.5"), 0.5),
        (Decimal(2**53 + 1), 2**53 + 1),
        (Decimal("-12345678901234567890123456789012345678"), -12345678901234567890123456789012345678),
        (Decimal("NaN"), "NaN"),
        (Decimal("1E+999"), "1E+999"),
        (float("inf"), "inf"),
        (b"\x00\xff", "AP8="),
        ({"b", "a"}, ["a", "b"]),
        ({Decimal(2), Decimal(1)}, [1, 2]),
        ({"data": {"count": Decimal(7), "tags": {b"x"}}}, {"data": {"count": 7, "tags": ["eA=="]}}),
        ((Decimal(1), None, True), [1, None, True]),
    ],
)
def test_what_dynamodb_gives_becomes_what_json_can_hold(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


@given(dynamodb_values)
def test_every_item_can_be_written_as_json_and_is_plain_already(value: Any) -> None:
    found = plain(value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert plain(found) == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        ("12.5", "12.5"),
        (" +3 ", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("9007199254740993", "9007199254740993"),
        (10**399, str(10**399)),
    ],
)
def test_numbers_and_texts_of_numbers_are_numbers(value: Any, expected: str) -> None:
    assert number(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, "", " ", "abc", "1,000", "1_000", "0x10", "--1", "1e", "٣", "1 2", [], {}, b"1"),
        *("NaN", "sNaN", "Infinity", "-inf", float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity")),
        *(10**401, "1e999999999", "1e99999999999999999999", "1" * 401),
    ],
)
def test_anything_else_is_no_number(value: Any) -> None:
    assert number(value) is None


@given(json_values)
def test_any_value_is_a_finite_number_or_none(value: Any) -> None:
    found = number(value)
    assert found is None or found.is_finite()
