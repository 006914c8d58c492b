"""Check 4, reconciliation: sensors that meet the trigger condition, and whose run was never started."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import starts
from interlock_runtime.control.looks import Later, Look
from interlock_runtime.control.ports import Metric, WatchdogPorts
from interlock_runtime.control.starts import SensorWrite
from interlock_runtime.control.watchdog.watched import Watched
from interlock_runtime.core import causes, dates, deadlines, rows, sensors
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline, TriggerCondition
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rules import Sensor, evaluate_rule


def look(ports: WatchdogPorts, watched: Watched, now: datetime) -> Look[None]:
    """Start the runs of the dates looked at whose stream record was lost.

    Most records that seem lost are under way; one is lost when a second look still finds no run.
    What was written under another schedule, or observed in a dry run, is the past, and not lost.
    """
    trigger = watched.pipeline.schedule.trigger
    if trigger is None or watched.pipeline.dry_run:
        return
    found = yield map(watched.key, watched.dates)
    open_dates = [date for date in watched.dates if watched.key(date) not in found]
    keys = [key for date in open_dates for key in sensors.keys_of(watched.pipeline, [trigger.key], date)]
    found = yield keys
    changed = (yield from watched.known_since(ports)).changed
    lost: dict[ExecutionDate, SensorWrite] = {}
    for key in dict.fromkeys(keys):
        if (row := found.get(key)) is not None:
            sensor = Sensor.of_row(rows.sensor_key(key[1]) or "", plain(row))
            date = sensors.told_date(watched.pipeline, trigger.key, sensor)
            if date is None or date not in open_dates or _is_past(watched.pipeline, date, sensor, changed):
                continue
            if (write := _write(ports, watched.pipeline, trigger, date, sensor, now=now)) is not None:
                lost.setdefault(date, write)
    fresh = yield from watched.without_run(lost)
    if not fresh:
        return
    watched.starting.update(fresh)
    found = yield Later(tuple(map(watched.key, fresh)))
    for date in fresh:
        if watched.key(date) not in found:
            starts.by_sensor(ports, watched.config, date, lost[date], now=now)


def _is_past(pipeline: Pipeline, date: ExecutionDate, sensor: Sensor, changed: datetime | None) -> bool:
    """Whether a sensor was written before the schedule was ``changed``: it asked for nothing that is lost now.

    One that does not say when it was written is taken to be as old as its date.
    """
    if changed is None:
        return False
    updated_at = sensors.updated_at(sensor)
    return date <= dates.of_instant(pipeline, changed) if updated_at is None else updated_at <= changed


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
