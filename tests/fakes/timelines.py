"""Timelines made by hand, in a few words for each entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.reader import read
from interlock_tf.local.timeline import Entry, Kind

START = datetime(2026, 3, 3, tzinfo=UTC)
END = START + timedelta(days=1)


def entry(at: str, kind: Kind, what: str, why: str = "", *, pipeline: str | None = "gold", **detail: Any) -> Entry:
    """An entry at a time of 2026-03-03 (UTC); ``date`` among the details is its execution date."""
    date = detail.pop("date", None)
    instant = datetime.fromisoformat(f"2026-03-03T{at}+00:00")
    return Entry(at=instant, kind=kind, what=what, why=why, pipeline_id=pipeline, date=date, detail=detail)


def run(at: str, end: str, *, attempt: int = 0, outcome: str = "success", **about: Any) -> list[Entry]:
    """A run that starts its job at once, and the job's end, as the recorder writes them."""
    about = {"date": "2026-03-03", **about}
    name = "JOB_FAILED" if outcome.startswith("fail") else "JOB_COMPLETED"
    error = {"category": "TRANSIENT", "error": "a worker was lost"} if name == "JOB_FAILED" else {}
    return [
        entry(at, Kind.RUN, "starts", f"attempt {attempt}", **about),
        entry(at, Kind.EVENT, "VALIDATION_PASSED", **about),
        entry(at, Kind.EVALUATION, "passed", "every rule holds", attempt=attempt, **about),
        entry(at, Kind.JOB, "starts", "glue gold-etl", attempt=attempt, **about),
        entry(at, Kind.EVENT, "JOB_TRIGGERED", **about),
        entry(end, Kind.JOB, outcome, "glue gold-etl", attempt=attempt, **about),
        entry(end, Kind.EVENT, name, "it ended", durationMs=600000, **error, **about),
        entry(end, Kind.RUN, "ends", f"attempt {attempt}", **about),
    ]


def pipeline(pipeline_id: str = "gold", *, hourly: bool = False, zone: str = "UTC", description: str = "") -> Pipeline:
    """A pipeline that follows the sensor ``orders``."""
    document = {
        "pipeline": {"id": pipeline_id, "description": description},
        "schedule": {"timezone": zone, "trigger": {"key": "orders", "check": "exists"}},
        "sla": {"deadline": ":55" if hourly else "10:00", "expectedDuration": "10m"},
        "validation": {"rules": [{"key": "orders", "check": "exists"}]},
        "job": {"type": "glue", "config": {"jobName": "gold-etl"}},
    }
    return read(Pipeline, json.loads(json.dumps(document)))
