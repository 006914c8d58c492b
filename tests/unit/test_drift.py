"""Drift: when a sensor differs from the baseline that a run used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.documents import PostRun
from interlock_runtime.core.drift import compare
from tests.fakes.values import json_values


def drift(previous: Any, current: Any, threshold: float = 0) -> dict[str, Any] | None:
    post_run = PostRun(rules=(), drift_field="rows", drift_threshold=threshold)
    found = compare(post_run, baseline={"rows": previous}, fields={"rows": current})
    return None if found is None else found.describe()


def test_drift_tells_both_values_and_what_lies_between() -> None:
    assert drift(100, 90, 5) == {"field": "rows", "previous": 100, "current": 90, "delta": -10, "threshold": 5}


@pytest.mark.parametrize(
    ("previous", "current", "threshold", "drifted"),
    [
        (100, 100, 0, False),
        (100, 101, 0, True),
        (100, 105, 5, False),
        (100, 95, 5, False),
        (100, 94, 5, True),
        (0, 1, 0, True),
        (1, 0, 0, True),
        (0, 0.0, 0, False),
        (1.0, 1.1, 0.1, False),
        (1.0, 1.11, 0.1, True),
        ("100", 100.0, 0, False),
        ("100", "101", 0, True),
        (2**53, 2**53 + 1, 0, True),
        (10**40, 10**40 + 1, 0, True),
        ("1e300", "1e-300", 0, True),
    ],
)
def test_drift_is_an_absolute_difference_greater_than_the_threshold(
    previous: Any, current: Any, threshold: float, drifted: bool
) -> None:
    assert (drift(previous, current, threshold) is not None) is drifted


@pytest.mark.parametrize("value", [None, "many", True, [], {}, float("nan"), "Infinity"])
def test_what_is_no_number_has_not_drifted(value: Any) -> None:
    assert drift(value, 5) is None
    assert drift(5, value) is None


def test_without_a_baseline_or_without_the_field_there_is_no_drift() -> None:
    post_run = PostRun(rules=())
    assert post_run.drift_field == "sensor_count"
    assert compare(post_run, baseline=None, fields={"sensor_count": 5}) is None
    assert compare(post_run, baseline={}, fields={"sensor_count": 5}) is None
    assert compare(post_run, baseline={"sensor_count": 0}, fields={}) is None


@given(previous=json_values, current=json_values, threshold=st.floats(0, 1e6))
def test_drift_is_the_same_both_ways_and_can_be_written_for_any_values(
    previous: Any, current: Any, threshold: float
) -> None:
    there, back = drift(previous, current, threshold), drift(current, previous, threshold)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        json.dumps(there, allow_nan=False)
        assert str(there["delta"]).lstrip("-") == str(back["delta"]).lstrip("-")
