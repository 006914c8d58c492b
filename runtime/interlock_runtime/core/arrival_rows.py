"""The marker of a date's first arrival: when the first passing sensor of the trigger key was written."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.core import rows
from interlock_runtime.core.rows import Key, Row
from interlock_runtime.core.timestamps import parse_timestamp


def key(pipeline_id: str, date: str) -> Key:
    """The key of the marker."""
    return rows.pk(pipeline_id), rows.arrival_marker(date)


def of_row(row: Row | None) -> datetime | None:
    """The arrival in a marker's row."""
    data = (row or {}).get("data")
    return parse_timestamp(data.get("arrivedAt")) if isinstance(data, dict) else None
