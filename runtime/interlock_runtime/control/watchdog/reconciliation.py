"""Check 4, reconciliation: sensors that meet the trigger condition, and whose run was never started."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import starts
from interlock_runtime.control.looks import Later, Look
from interlock_runtime.control.ports import Metric, WatchdogPorts
from interlock_runtime.control.starts import SensorWrite
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import causes, deadlines, rows, sensors
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline, TriggerCondition
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rules import Sensor, evaluate_rule


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Start the runs of the dates looked at whose stream record was lost.

    Most records that seem lost are under way; one is lost when a second look still finds no run.
    """
    trigger = watched.pipeline.schedule.trigger
    if trigger is None or watched.pipeline.dry_run:
        return
    found = yield map(watched.key, watched.dates)
    open_dates = [date for date in watched.dates if watched.key(date) not in found]
    keys = [key for date in open_dates for key in sensors.keys_of(watched.pipeline, [trigger.key], date)]
    found = yield keys
    lost: dict[ExecutionDate, SensorWrite] = {}
    for key in dict.fromkeys(keys):
        if (row := found.get(key)) is not None:
            sensor = Sensor.of_row(rows.sensor_key(key[1]) or "", plain(row))
            date = sensors.told_date(watched.pipeline, trigger.key, sensor)
            if date in open_dates and (write := _write(ports, watched.pipeline, trigger, date, sensor, now=now)):
                lost.setdefault(date, write)
    if not lost:
        return
    watched.starting.update(lost)
    found = yield Later(tuple(map(watched.key, lost)))
    for date, write in lost.items():
        if watched.key(date) not in found:
            starts.by_sensor(ports, watched.config, date, write, now=now)


def _write(
    ports: WatchdogPorts,
    pipeline: Pipeline,
    trigger: TriggerCondition,
    date: ExecutionDate,
    sensor: Sensor,
    *,
    now: datetime,
) -> SensorWrite | None:
    """The write that should have started the run: the condition was met when it was written, and in time."""
    written_at = min(sensors.updated_at(sensor) or now, now)
    deadline = deadlines.trigger_deadline(pipeline, date)
    ports.metrics.count(Metric.RULES_EVALUATED)
    if not evaluate_rule(trigger, sensor, now=written_at).passed or (deadline and written_at > deadline):
        return None
    return SensorWrite(key=sensor.key, written_at=written_at, cause=causes.RECONCILE)
