"""What is watched after a run: drift against its baseline, and the rules that must hold afterwards."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import dry_run, reruns, runs
from interlock_runtime.control.ports import Metric, Ports, StartPorts
from interlock_runtime.core import baselines, dates, sensors
from interlock_runtime.core.baselines import Drifted
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline, PostRun
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import RECORD_PRECISION
from interlock_runtime.core.rows import Kind, RunKey, Status
from interlock_runtime.core.rules import Sensor, evaluate
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.core.sensors import Sensors


def sensor_written(
    ports: StartPorts,
    config: Config,
    date: ExecutionDate,
    sensor: Sensor,
    *,
    cause: str,
    written_at: datetime,
    now: datetime,
) -> None:
    """A sensor of the post-run rules was written: drift, or else whether the rules hold.

    The time of the write says whether that was during the run, so that a record which is handled
    late, or again, means what it meant at first.
    """
    pipeline, post_run = config.pipeline, config.pipeline.post_run
    if post_run is None:
        return
    ports.log.also(schedule=pipeline.schedule_id, date=str(date))
    if pipeline.dry_run:
        dry_run.post_run_sensor(ports, pipeline, date, sensor, written_at=written_at, now=now)
        return
    run = runs.read(ports, pipeline.id, RunKey(pipeline.schedule_id, str(date)))
    if run is None or run.status == Status.FAILED_FINAL:
        return
    row = ports.control.get(baselines.key(pipeline.id, run.run_key, run.attempt))
    if baselines.saw_what_followed(row, written_at=written_at):
        ports.log.debug("sensor passed over: the baseline is younger", sensor=sensor.key)
        return
    found = baselines.compare(post_run, baselines.of_row(row), sensor, date=date)
    if run.completed_at is None or written_at + RECORD_PRECISION <= run.completed_at:
        if found is not None:
            message = f"{found.sensor_key} changed while {pipeline.id} was running for {date}"
            ports.bus.publish([_drift_event(run, "POST_RUN_DRIFT_INFLIGHT", found, message)], now=now)
        return
    if found is not None:
        drifted(ports, pipeline, run, found, now=now)
    else:
        seen = sensors.read(ports.control.get_many, pipeline, sensors.post_run_keys(pipeline), date)
        _check_rules(ports, pipeline, post_run, run, seen, cause=cause, at=written_at, now=now)
    if run.kind == Kind.POSTRUN:
        runs.settle(ports, run)


def catch_up(ports: StartPorts, config: Config, run: Run, seen: Sensors, *, cause: str, now: datetime) -> None:
    """Sensors were written after a run had completed, and their records were lost: judge them as they were ``seen``."""
    pipeline, post_run = config.pipeline, config.pipeline.post_run
    if post_run is None:
        return
    baseline = baselines.of_row(ports.control.get(baselines.key(pipeline.id, run.run_key, run.attempt)))
    drifts = baselines.compare_all(post_run, baseline, seen)
    for found in drifts:
        drifted(ports, pipeline, run, found, now=now)
    if not drifts:
        _check_rules(ports, pipeline, post_run, run, seen, cause=cause, at=now, now=now)
    runs.settle(ports, run)


def drifted(ports: Ports, pipeline: Pipeline, run: Run, found: Drifted, *, now: datetime) -> None:
    """A completed run's data has drifted: tell it, and request a rerun unless the date is excluded."""
    message = f"{found.sensor_key} changed after {pipeline.id} had used it for {run.date}"
    ports.bus.publish([_drift_event(run, "POST_RUN_DRIFT", found, message)], now=now)
    if dates.excluded(pipeline, ExecutionDate.parse(run.date)) is None:
        cause = found.cause(run.attempt)
        reruns.ask(ports, pipeline, run.date, reason=Reason.DATA_DRIFT, cause=cause, now=now)


def _check_rules(
    ports: Ports,
    pipeline: Pipeline,
    post_run: PostRun,
    run: Run,
    seen: Sensors,
    *,
    cause: str,
    at: datetime,
    now: datetime,
) -> None:
    """Evaluate all rules, with ages as they were ``at`` the write, so that handled later it means the same."""
    verdict = evaluate(post_run.rules, sensors=seen, now=at)
    ports.metrics.count(Metric.RULES_EVALUATED, len(verdict.results))
    if verdict.passed:
        kind, message = "POST_RUN_PASSED", f"the rules after the run of {pipeline.id} for {run.date} hold"
    else:
        reasons = "; ".join(verdict.reasons)
        kind, message = "POST_RUN_FAILED", f"after the run of {pipeline.id} for {run.date}: {reasons}"
    ports.bus.publish([runs.event_of(run, kind, message, verdict.describe(), cause=cause)], now=now)


def _drift_event(run: Run, kind: str, found: Drifted, message: str) -> Event:
    told = found.describe()
    text = f"{message}: {told['field']} was {told['previous']}, is {told['current']}"
    return runs.event_of(run, kind, text, told, cause=found.cause(run.attempt))
