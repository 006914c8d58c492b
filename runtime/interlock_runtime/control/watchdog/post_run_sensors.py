"""Check 7, missing post-run sensors: completed runs whose data nobody looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from interlock_runtime.control import announcements, post_run, runs
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.candidates import config_of, is_passed_over
from interlock_runtime.core import baselines, dates, sensors
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Key, Kind, Row, RunKey
from interlock_runtime.core.rules import Sensor
from interlock_runtime.core.run import Run, read_run, trigger_key
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.sensors import Sensors


def look(ports: WatchdogPorts, row: Row, now: datetime) -> Look[None]:
    """Settle a completed run whose time for a post-run sensor is over; tell when none was written.

    A sensor that was written, and left the run unsettled, has lost its stream record: it is handled here. So is
    data that changed during the job, since the function that completed the run may have got no further.
    """
    candidate = Run.of_row(row)
    config = yield from config_of(candidate.pipeline_id)
    if config is None or not (rule_keys := sensors.post_run_keys(config.pipeline)):
        runs.settle(ports, candidate)
        return
    timeout = config.pipeline.post_run.sensor_timeout if config.pipeline.post_run else timedelta()
    if candidate.completed_at is not None and now < candidate.completed_at + timeout:
        return
    if is_passed_over(config, candidate.date):
        runs.settle(ports, candidate)
        return
    date = ExecutionDate.parse(candidate.date)
    baseline_key = baselines.key(candidate.pipeline_id, candidate.run_key, candidate.attempt)
    found = yield [candidate.key, baseline_key, *sensors.keys_of(config.pipeline, rule_keys, date)]
    run = read_run(found.get(candidate.key))
    if run is None or run.kind != Kind.POSTRUN or run.attempt != candidate.attempt:
        return
    seen = yield from _without_later(config.pipeline, run, date, sensors.chosen(rule_keys, date, found))
    if written := _latest_update(run, seen):
        ports.log.warning("a post-run sensor was not handled; it is now", attempt=run.attempt, updated=rfc3339(written))
        post_run.catch_up(ports, config, run, seen, cause=f"updated:{rfc3339(written)}", now=now)
    else:
        if config.pipeline.post_run is not None:
            baseline = baselines.of_row(found.get(baseline_key))
            for drifted in baselines.compare_all(config.pipeline.post_run, baseline, seen):
                post_run.drifted(ports, config.pipeline, run, drifted, now=now)
        announcements.publish_once(ports, _event(config, run, timeout), now=now)
        runs.settle(ports, run)


def _without_later(pipeline: Pipeline, run: Run, date: ExecutionDate, seen: Sensors) -> Look[Sensors]:
    """The sensors, those marked as missing that are of a later date.

    A plain sensor that names no period is of the date of its update, once the run of that date, or of the one before
    it, had begun by then. While none had, it is what the process that checks this run wrote after the period.
    """
    later = {key: told for key, each in seen.items() if (told := _told(pipeline, key, each)) and told > date}
    keys = {told: list(_keys_between(pipeline, run, date, told)) for told in later.values()}
    found = yield chain(*keys.values())
    marked = dict(seen)
    for key, told in later.items():
        others = [read_run(found.get(each)) for each in keys[told]]
        if (sensor := seen[key]) and any(_had_begun(other, sensor) for other in others):
            marked[key] = replace(sensor, problem=f"is missing for {date}: the one that exists is of {told}")
    return marked


def _told(pipeline: Pipeline, rule_key: str, sensor: Sensor | None) -> ExecutionDate | None:
    """The date that a plain sensor which can be relied upon tells, or None."""
    if sensor is None or sensor.problem is not None or sensor.key != rule_key:
        return None
    return sensors.told_date(pipeline, rule_key, sensor)


def _keys_between(pipeline: Pipeline, run: Run, date: ExecutionDate, told: ExecutionDate) -> Iterator[Key]:
    """The keys of the trigger rows of a later date and of the one before it, if that is later, too."""
    for each in (told, dates.before(pipeline, told)):
        if each > date:
            yield trigger_key(pipeline.id, RunKey(run.schedule_id, str(each)))


def _had_begun(run: Run | None, sensor: Sensor) -> bool:
    """Whether there was a run when the sensor was updated; of a later attempt nobody knows when the first began."""
    updated_at = sensors.updated_at(sensor)
    if run is None or updated_at is None or run.is_expired:
        return False
    return run.attempt > 0 or run.started_at <= updated_at


def _latest_update(run: Run, seen: Sensors) -> datetime | None:
    """When a sensor of the date was last updated after the run had completed, or None when none was."""
    found = (sensors.updated_at(sensor) for sensor in seen.values() if sensor and sensor.problem is None)
    return max((at for at in found if at and run.completed_at and at > run.completed_at), default=None)


def _event(config: Config, run: Run, timeout: timedelta) -> Event:
    told = format_duration(timeout)
    detail = {
        "completedAt": run.completed_at and rfc3339(run.completed_at),
        "sensorTimeout": told,
        "sensorKeys": list(sensors.post_run_keys(config.pipeline)),
        "actionHint": "find out why the process that checks the result is silent",
    }
    message = f"no post-run sensor of {run.pipeline_id} for {run.date} was written within {told} after completion"
    return runs.event_of(run, "POST_RUN_SENSOR_MISSING", message, detail)
