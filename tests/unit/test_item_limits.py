"""What DynamoDB can hold, and what becomes of what it cannot."""

from __future__ import annotations

import json
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.attributes import decode, encode
from interlock_runtime.core.item_limits import cut, item_bytes, storable
from tests.fakes.values import json_values


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (10**38 - 1, 10**38 - 1),
        (10**38, str(10**38)),
        (-(10**38), str(-(10**38))),
        (1e125, 1e125),
        (1e126, "1e+126"),
        (1e-130, 1e-130),
        (1e-131, "1e-131"),
        (0.0, 0.0),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (True, True),
        (None, None),
        ("text", "text"),
        ({"": [1e300]}, {"(empty)": ["1e+300"]}),
    ],
)
def test_values_are_stored_as_they_are_or_as_text(value: Any, stored: Any) -> None:
    assert storable(value) == stored


def test_what_is_nested_too_deeply_is_stored_as_text() -> None:
    value: Any = "core"
    for _ in range(60):
        value = [value]
    stored, depth = storable(value), 0
    while isinstance(stored, list):
        (stored,), depth = stored, depth + 1
    assert depth == 30
    assert json.loads(stored) == json.loads("[" * 30 + '"core"' + "]" * 30)


@given(value=json_values)
def test_whatever_json_holds_can_be_stored(value: Any) -> None:
    stored = storable(value)
    decode(encode(stored))
    for number in _numbers(stored):
        exact = Decimal(repr(number))
        assert len(exact.normalize(Context(prec=400)).as_tuple().digits) <= 38
        assert exact == 0 or -130 <= exact.adjusted() <= 125


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in _numbers(each)]
    if isinstance(value, list):
        return [number for each in value for number in _numbers(each)]
    return [value] if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else []


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert item_bytes({"PK": "gold", "é": "é"}) == 2 + 4 + 2 + 2
    assert item_bytes({"a": None, "b": True}) == 4
    assert item_bytes({"n": 12345}) == 1 + 5
    assert item_bytes({"m": {"key": "value", "list": ["x", "y"]}}) == 1 + 3 + (3 + 5 + 1) + (4 + 3 + 2 * 2 + 1)


@given(text=st.text(), limit=st.integers(3, 40))
def test_a_text_is_cut_at_a_character_and_within_its_limit(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert text.startswith(short.removesuffix("…"))
    assert (short == text) == (len(text.encode()) <= limit)
