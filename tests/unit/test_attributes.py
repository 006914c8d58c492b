"""Attribute values survive the way to DynamoDB and back, digit by digit."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.attributes import decode, decode_item, encode

numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9
)
scalars = st.none() | st.booleans() | numbers | st.text() | st.binary()
values = st.recursive(
    scalars
    | st.frozensets(st.text(), min_size=1)
    | st.frozensets(numbers, min_size=1)
    | st.frozensets(st.binary(), min_size=1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_what_is_encoded_decodes_to_the_same(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_as_an_equal_number(value: float) -> None:
    assert float(decode(encode(value))) == value


def test_whole_numbers_decode_to_int_however_large() -> None:
    assert decode({"N": "9007199254740993"}) == 9007199254740993
    assert isinstance(decode({"N": "7"}), int)
    assert decode({"N": "0.1"}) == Decimal("0.1")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), frozenset(), {1, "a"}])
def test_what_dynamodb_has_no_type_for_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "value", [{}, {"S": "a", "N": "1"}, {"X": 1}, {"N": "many"}, {"N": None}, {"M": "text"}, "text", None]
)
def test_what_is_no_attribute_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"attribute value|item|number"):
        decode(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["S", "N", "M", "L", "NS", "B", "BOOL", "x"]), inner)
    ),
)


@given(json_values)
def test_garbage_in_an_image_is_refused_in_one_way(image: Any) -> None:
    with contextlib.suppress(ValueError):
        decode_item(image)
