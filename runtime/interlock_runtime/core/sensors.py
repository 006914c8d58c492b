"""Sensors of one execution date: which rows serve the rules that look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from interlock_runtime.core import rows
from interlock_runtime.core.dates import ExecutionDate, of_sensor, sensor_keys
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rows import Key, Row
from interlock_runtime.core.rules import Sensor, choose
from interlock_runtime.core.timestamps import parse_timestamp

#: Another day and another hour than those of the epoch, in every zone.
_ANOTHER_TIME = EPOCH + timedelta(hours=36)

#: By rule key, what rules with that key read.
Sensors = Mapping[str, Sensor | None]


def validation_keys(pipeline: Pipeline) -> tuple[str, ...]:
    """The rule keys of the constraints that must hold before the job starts."""
    return tuple(dict.fromkeys(rule.key for rule in pipeline.validation.rules))


def post_run_keys(pipeline: Pipeline) -> tuple[str, ...]:
    """The rule keys of what is watched after the run."""
    return tuple(dict.fromkeys(rule.key for rule in pipeline.post_run.rules)) if pipeline.post_run else ()


def all_keys(pipeline: Pipeline) -> tuple[str, ...]:
    """Every rule key of the pipeline, that of the trigger condition included."""
    trigger = pipeline.schedule.trigger
    own = (trigger.key,) if trigger else ()
    return tuple(dict.fromkeys((*own, *validation_keys(pipeline), *post_run_keys(pipeline))))


def keys_of(pipeline: Pipeline, rule_keys: Iterable[str], date: ExecutionDate) -> list[Key]:
    """The keys of the rows that could hold the sensors of ``rule_keys``."""
    partition = rows.pk(pipeline.id)
    return [(partition, rows.sensor(key)) for rule_key in rule_keys for key in sensor_keys(rule_key, date)]


def chosen(rule_keys: Iterable[str], date: ExecutionDate, found: Mapping[Key, Row]) -> Sensors:
    """What each rule key reads, out of the rows that were found."""
    by_key = {key: plain(row) for (_, sort_key), row in found.items() if (key := rows.sensor_key(sort_key))}
    return {rule_key: choose(rule_key, date, rows=by_key) for rule_key in rule_keys}


def updated_at(sensor: Sensor) -> datetime | None:
    """When the fact became true, as the sensor says itself."""
    return parse_timestamp(sensor.fields.get("updatedAt"))


def told_date(pipeline: Pipeline, rule_key: str, sensor: Sensor) -> ExecutionDate | None:
    """The date of a sensor by its own fields, its key or its ``updatedAt``; None when these do not tell.

    When the row was really written, nobody knows: without ``updatedAt``, a date that depends on
    the time of the write is no date.
    """
    updated = updated_at(sensor)
    times = (EPOCH, _ANOTHER_TIME) if updated is None else (updated,)
    found = {of_sensor(pipeline, sensor.key, fields=sensor.fields, rule_key=rule_key, written_at=at)[0] for at in times}
    return found.pop() if len(found) == 1 else None


def read(
    get_many: Callable[[Iterable[Key]], Mapping[Key, Row]],
    pipeline: Pipeline,
    rule_keys: Iterable[str],
    date: ExecutionDate,
) -> Sensors:
    """Read the sensors of ``rule_keys`` with one ``get_many`` of the control table; never a query over all sensors."""
    rule_keys = tuple(rule_keys)
    return chosen(rule_keys, date, get_many(keys_of(pipeline, rule_keys, date)))
