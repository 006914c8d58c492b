"""On which dates a run is expected."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.expectations import is_expected
from tests.fakes.pipelines import pipeline

DAILY_AT_TWO = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}
TRIGGER = {"trigger": {"key": "orders", "check": "exists"}}


@pytest.mark.parametrize(
    ("schedule", "date", "expected"),
    [
        ({"cron": "0 6 * * 1"}, "2026-03-02", True),
        ({"cron": "0 6 * * 1"}, "2026-03-03", False),
        ({"cron": "0 6 * * 1", **TRIGGER}, "2026-03-03", False),
        ({"cron": "15 */6 * * *"}, "2026-03-03T06", True),
        ({"cron": "15 */6 * * *"}, "2026-03-03T07", False),
        ({"cron": "0 0 * * *"}, "2026-12-31", True),
        ({"cron": "59 23 31 12 *", "timezone": "Pacific/Kiritimati"}, "2026-12-31", True),
        ({"cron": "59 23 31 12 *", "timezone": "Pacific/Kiritimati"}, "2027-01-01", False),
        (DAILY_AT_TWO, "2026-03-29", True),
        (DAILY_AT_TWO, "2026-10-25", True),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-03", True),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-04", False),
        ({"include": {"dates": ["2026-03-03"]}, **TRIGGER}, "2026-03-03T10", True),
        (TRIGGER, "2026-03-03", True),
    ],
)
def test_a_run_is_expected_where_cron_or_list_say_so_and_always_without_them(
    schedule: dict[str, Any], date: str, expected: bool
) -> None:
    assert is_expected(pipeline(schedule=schedule), ExecutionDate.parse(date)) is expected
