"""Sort keys, written and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core import rows
from interlock_runtime.core.rows import RunKey


def test_a_sensor_key_may_hold_hashes_anywhere() -> None:
    assert rows.sensor_key("SENSOR#a#2026-03-03#") == "a#2026-03-03#"
    assert rows.sensor_key("SENSOR##") == "#"
    assert rows.sensor_key("SENSOR#") is None
    assert rows.sensor_key("TRIGGER#cron#2026-03-03") is None


@given(st.text())
def test_a_sensor_key_survives_the_way_into_a_row(key: str) -> None:
    assert rows.sensor_key(rows.sensor(key)) == (key or None)


def test_run_keys_are_read_back() -> None:
    assert rows.run_key(rows.trigger("cron", "2026-03-03"), rows.TRIGGER_PREFIX) == RunKey("cron", "2026-03-03")
    assert rows.job_key(rows.job("stream", "2026-03-03T10", 1772532000000)) == (
        RunKey("stream", "2026-03-03T10"),
        1772532000000,
    )


@pytest.mark.parametrize(
    "sort_key",
    ["TRIGGER#", "TRIGGER#cron", "TRIGGER#cron#", "TRIGGER##2026-03-03", "TRIGGER#cron#2026#03", "SENSOR#cron#2026"],
)
def test_a_trigger_key_of_another_form_is_none(sort_key: str) -> None:
    assert rows.run_key(sort_key, rows.TRIGGER_PREFIX) is None


@pytest.mark.parametrize(
    "sort_key",
    ["JOB#", "JOB#cron#2026-03-03", "JOB#cron#2026-03-03#", "JOB#cron#2026-03-03#x", "JOB#a#b#c#1", "JOB#a#b#²"],
)
def test_a_job_key_of_another_form_is_none(sort_key: str) -> None:
    assert rows.job_key(sort_key) is None


@given(st.text(), st.text())
def test_reading_a_key_never_raises(sort_key: str, prefix: str) -> None:
    rows.run_key(sort_key, prefix)
    rows.job_key(sort_key)
    rows.pipeline_of(sort_key)


def test_job_rows_sort_by_time() -> None:
    assert sorted([rows.job("cron", "d", 10**12), rows.job("cron", "d", 999)])[0] == rows.job("cron", "d", 999)


def test_a_pipeline_is_read_from_its_partition_key() -> None:
    assert rows.pipeline_of(rows.pk("gold")) == "gold"
    assert rows.pipeline_of("PIPELINE#") is None
    assert rows.pipeline_of(7) is None
