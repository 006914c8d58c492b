"""Values that an outside process may write, drawn by hypothesis."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

_numbers = (
    st.integers()
    | st.floats()
    | st.integers(-(10**40), 10**40)
    | st.sampled_from([2**53, 2**53 + 1, 10**400, -(10**4000), 0.1, -0.0, True])
)
_texts = st.text() | st.sampled_from(["", "true", "1", "1.0", "NaN", "-Infinity", "1e400", "1e999999999", "1_000", "٣"])

#: Anything that JSON can hold, with NaN and the infinities, which Python's reader lets through.
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

#: Anything that DynamoDB's type deserialiser gives.
dynamodb_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**37), 10**37).map(Decimal)
    | st.sets(st.text(), max_size=3)
    | st.sets(st.integers().map(Decimal), max_size=3)
    | st.sets(st.binary(), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
