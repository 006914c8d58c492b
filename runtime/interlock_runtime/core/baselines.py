"""What an attempt's evaluation saw of the post-run sensors, and how later ones differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.core import causes, drift, rows
from interlock_runtime.core.dates import ExecutionDate, sensor_keys
from interlock_runtime.core.documents import PostRun
from interlock_runtime.core.drift import Drift
from interlock_runtime.core.instants import RECORD_PRECISION, epoch_seconds, rfc3339
from interlock_runtime.core.numbers import number, plain
from interlock_runtime.core.rows import Key, Row, RunKey
from interlock_runtime.core.rules import Sensor
from interlock_runtime.core.sensors import Sensors
from interlock_runtime.core.timestamps import parse_timestamp

#: How long a baseline is kept.
KEEP = timedelta(days=30)

#: By rule key, the fields that count, as they were; a key whose sensor was missing is not there.
Baseline = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Drifted:
    """A sensor whose value is no longer that of the baseline."""

    sensor_key: str
    drift: Drift

    def cause(self, attempt: int) -> str:
        """The cause that this drift is, whoever notices it."""
        return causes.drift(attempt, self.sensor_key, plain(self.drift.current))

    def describe(self) -> dict[str, Any]:
        """The drift as JSON can hold it."""
        return self.drift.describe() | {"sensorKey": self.sensor_key}


def key(pipeline_id: str, run: RunKey, attempt: int) -> Key:
    """The key of an attempt's baseline."""
    return rows.pk(pipeline_id), rows.baseline_marker(run.schedule_id, run.date, attempt)


def row_of(pipeline_id: str, run: RunKey, attempt: int, *, post_run: PostRun, sensors: Sensors, now: datetime) -> Row:
    """The marker's row: the drift field of every post-run sensor as it is now.

    Only that field, and only where it is a number, so that any sensors fit in one row.
    """
    name = post_run.drift_field
    seen = {
        rule_key: {
            "sensorKey": sensor.key,
            "fields": {name: value} if number(value := sensor.fields.get(name)) is not None else {},
        }
        for rule_key in dict.fromkeys(rule.key for rule in post_run.rules)
        if (sensor := sensors.get(rule_key)) is not None and sensor.problem is None
    }
    pk, sk = key(pipeline_id, run, attempt)
    data = {"sensors": seen, "capturedAt": rfc3339(now)}
    return {"PK": pk, "SK": sk, "data": data, "ttl": epoch_seconds(now + KEEP)}


def of_row(row: Row | None) -> Baseline | None:
    """The baseline in a marker's row, or None when none was recorded."""
    if row is None:
        return None
    sensors = plain(row.get("data") or {}).get("sensors") or {}
    return {rule_key: sensor.get("fields") or {} for rule_key, sensor in sensors.items()}


def saw_what_followed(row: Row | None, *, written_at: datetime) -> bool:
    """Whether a baseline was taken after a sensor was written: it holds that value, or a later one."""
    captured_at = None if row is None else parse_timestamp((row.get("data") or {}).get("capturedAt"))
    return captured_at is not None and written_at + RECORD_PRECISION <= captured_at


def compare(post_run: PostRun, baseline: Baseline | None, sensor: Sensor, *, date: ExecutionDate) -> Drifted | None:
    """The drift of a sensor against what the rules saw that read it in a run for ``date``, or None.

    There is none for a sensor that no rule reads, such as one of an hour in a daily run, though it belongs
    to a rule key.
    """
    for rule_key, fields in (baseline or {}).items():
        if sensor.key in sensor_keys(rule_key, date) and (found := _compare(post_run, fields, sensor)):
            return found
    return None


def compare_all(post_run: PostRun, baseline: Baseline | None, sensors: Sensors) -> tuple[Drifted, ...]:
    """The drifts among what each rule key reads, each told once."""
    found = {
        sensor.key: drifted
        for rule_key, sensor in sensors.items()
        if sensor is not None and (drifted := _compare(post_run, (baseline or {}).get(rule_key), sensor)) is not None
    }
    return tuple(found.values())


def _compare(post_run: PostRun, fields: Mapping[str, Any] | None, sensor: Sensor) -> Drifted | None:
    """None, too, for a sensor that cannot be relied upon; the rules will say so."""
    if sensor.problem is not None:
        return None
    found = drift.compare(post_run, baseline=fields, fields=sensor.fields)
    return None if found is None else Drifted(sensor.key, found)
