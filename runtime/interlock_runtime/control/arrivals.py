"""When the first passing sensor of the trigger key arrived for a date: what a relative SLA counts from."""

from __future__ import annotations

from datetime import datetime, timedelta

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control.ports import Ports
from interlock_runtime.core.arrival_rows import key, of_row
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import KIND, Kind, Row

#: How long an arrival is remembered.
KEEP = timedelta(days=30)


def record(ports: Ports, pipeline: Pipeline, date: str, *, sensor_key: str, at: datetime) -> datetime:
    """Remember that a sensor arrived at ``at``, unless one arrived before; when the first one did.

    The marker stands on the index while a relative SLA is open.
    """
    pk, sk = key(pipeline.id, date)
    row: Row = {
        "PK": pk,
        "SK": sk,
        "data": {"arrivedAt": rfc3339(at), "sensorKey": sensor_key},
        "ttl": epoch_seconds(at + KEEP),
    }
    if pipeline.sla is not None and pipeline.sla.max_duration is not None:
        row[KIND] = str(Kind.ARRIVAL)
    write = ports.control.put(row, expect=ABSENT)
    return (None if write.done else of_row(write.row)) or at


def read(ports: Ports, pipeline_id: str, date: str) -> datetime | None:
    """When the date's first sensor arrived, or None when none has."""
    return of_row(ports.control.get(key(pipeline_id, date)))


def settle(ports: Ports, pipeline_id: str, date: str) -> None:
    """Take an arrival off the index: its relative SLA is open no more."""
    ports.control.update(key(pipeline_id, date), {KIND: None}, expect={KIND: str(Kind.ARRIVAL)})
