"""Values as messages show them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from interlock_runtime.core.wording import shown
from tests.fakes.values import dynamodb_values, json_values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ready", "'ready'"),
        ("two\nlines", r"'two\nlines'"),
        (True, "true"),
        (None, "null"),
        (12, "12"),
        (0.5, "0.5"),
        ([1, 2], "a list of 2"),
        ({"a": 1}, "a map of 1"),
        ("x" * 500, "'" + "x" * 76 + "..."),
        (10**500, "1" + "0" * 76 + "..."),
    ],
)
def test_a_value_is_shown_on_one_short_line(value: Any, expected: str) -> None:
    assert shown(value) == expected


def test_an_integer_too_long_for_python_to_write_is_described() -> None:
    assert shown(10**5000) == "a number of more than a thousand digits"


@given(json_values | dynamodb_values)
def test_any_value_is_shown_on_one_short_line(value: Any) -> None:
    found = shown(value)
    assert 0 < len(found) <= 80
    assert len(found.splitlines()) == 1
