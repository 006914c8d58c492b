"""Check 7, missing post-run sensors: completed runs whose data nobody looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta

from interlock_runtime.control import announcements, post_run, runs
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.candidates import config_of, is_passed_over
from interlock_runtime.core import baselines, sensors
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Row
from interlock_runtime.core.run import Run, read_run
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.sensors import Sensors
from interlock_runtime.core.timestamps import parse_timestamp


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
    seen = sensors.chosen(rule_keys, date, found)
    if written := _latest_update(run, seen):
        ports.log.warning("a post-run sensor was not handled; it is now", attempt=run.attempt, updated=rfc3339(written))
        post_run.catch_up(ports, config, run, date, cause=f"updated:{rfc3339(written)}", now=now)
    else:
        if config.pipeline.post_run is not None:
            baseline = baselines.of_row(found.get(baseline_key))
            for drifted in baselines.compare_all(config.pipeline.post_run, baseline, seen):
                post_run.drifted(ports, config.pipeline, run, drifted, now=now)
        announcements.publish_once(ports, _event(config, run, timeout), now=now)
        runs.settle(ports, run)


def _latest_update(run: Run, seen: Sensors) -> datetime | None:
    """When a sensor was last updated after the run had completed, or None when none was."""
    found = (parse_timestamp(sensor.fields.get("updatedAt")) for sensor in seen.values() if sensor)
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
