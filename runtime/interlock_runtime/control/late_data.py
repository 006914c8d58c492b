"""Data that arrives after the run has finished: told, logged, and a reason to run again."""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import job_log, reruns, runs
from interlock_runtime.control.ports import Ports
from interlock_runtime.core import rows
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.run import Reason, Run


def arrived(
    ports: Ports, pipeline: Pipeline, run: Run, *, sensor_key: str, written_at: datetime, cause: str, now: datetime
) -> None:
    """A sensor was written after the run had completed: request a rerun, once per record."""
    message = f"{sensor_key} was written after {run.pipeline_id} had completed {run.date}"
    detail = _detail(run, sensor_key, written_at)
    ports.bus.publish([runs.event_of(run, "LATE_DATA_ARRIVAL", message, detail, cause=cause)], now=now)
    entry = Entry(key=run.run_key, at=written_at, event=JobEvent.LATE_DATA_ARRIVAL, attempt=run.attempt, cause=cause)
    job_log.append(ports, run.pipeline_id, entry)
    reruns.ask(ports, pipeline, run.date, reason=Reason.LATE_DATA, cause=cause, now=now)


def came_too_late(ports: Ports, run: Run, *, sensor_key: str, written_at: datetime, now: datetime) -> None:
    """A sensor was written after the constraints had not held in time: told once per attempt, with what to do."""
    message = f"{sensor_key} was written after the evaluation of {run.pipeline_id} for {run.date} had ended"
    detail = _detail(run, sensor_key, written_at) | {"actionHint": "write a rerun request to start the run"}
    cause = Reason.VALIDATION_EXHAUSTED
    ports.bus.publish([runs.event_of(run, "LATE_DATA_ARRIVAL", message, detail, cause=cause)], now=now)


def came_under_another_schedule(
    ports: Ports, pipeline: Pipeline, run: Run, *, sensor_key: str, written_at: datetime, cause: str, now: datetime
) -> None:
    """A sensor was written after a run of the schedule that the pipeline had before: told, with what to do."""
    message = (
        f"{sensor_key} was written after {run.pipeline_id} had run {run.date} under the schedule {run.schedule_id}"
    )
    request = rows.rerun_request(pipeline.schedule_id, run.date)
    detail = _detail(run, sensor_key, written_at) | {"actionHint": f"write {request} to run the date again"}
    ports.bus.publish([runs.event_of(run, "LATE_DATA_ARRIVAL", message, detail, cause=cause)], now=now)


def _detail(run: Run, sensor_key: str, written_at: datetime) -> dict[str, object]:
    return {
        "sensorKey": sensor_key,
        "writtenAt": rfc3339(written_at),
        "completedAt": run.completed_at and rfc3339(run.completed_at),
        "status": run.status,
    }
