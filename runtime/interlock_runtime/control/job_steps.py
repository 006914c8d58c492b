"""``trigger`` and ``check-job``: start a run's job, once, and ask how it is doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control import job_log, left_jobs, outcomes, runs
from interlock_runtime.control.ports import JobPorts, Metric
from interlock_runtime.control.task import SUPERSEDED, Task
from interlock_runtime.core import job_entries
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import ConfigError, PermanentError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.run import Run
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Outcome, RunContext, Running, Started, Succeeded

Answer = dict[str, Any]


def trigger(ports: JobPorts, task: Task, *, clock: Callable[[], datetime]) -> Answer:
    """Start the job of a run. The intent comes first, so that whoever comes again looks before starting.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
        PermanentError: the pipeline has none, is a dry run, or its job can never be started.
        TransientError: nothing was started, or nobody knows.
    """
    now = clock()
    config, found = ports.configs.get_with(task.pipeline_id, [task.trigger_key], now)
    if config is None:
        raise PermanentError(f"pipeline {task.pipeline_id!r} has no configuration")
    run = task.current(found.get(task.trigger_key))
    if run is None:
        return _superseded()
    if not run.is_running and run.intent is not None:
        left_jobs.tell(ports, run, now=now)
    if (job := run.job) is None:
        job = _start(ports, config, run, clock=clock)
        if job is None:
            return _superseded()
    _tell(ports, run, job, now=now)
    return {name: job[name] for name in ("status", "jobType", "runId", "metadata", "triggeredAt")}


def _start(ports: JobPorts, config: Config, run: Run, *, clock: Callable[[], datetime]) -> Answer | None:
    """Start the job and record it; None when the run was superseded meanwhile."""
    if config.pipeline.dry_run:
        raise PermanentError(f"{config.pipeline.id} is a dry run: its job is not started")
    triggered_at = clock()
    job_type = config.pipeline.job.type
    intended = runs.intend(ports, run, job_type=job_type, now=triggered_at)
    if intended is None:
        return None
    try:
        started = registry.start(
            config.pipeline.job, _context(run, previous_intent=run.intent is not None), ports.services
        )
    except Exception as error:
        _log_failed_start(ports, run, error, now=clock())
        raise
    job = _job(started, job_type, triggered_at=triggered_at, ended_at=clock())
    ports.metrics.count(Metric.JOBS_TRIGGERED)
    ports.log.info("job started", attempt=run.attempt, job_type=job_type, run_id=started.run_id, status=job["status"])
    recorded = runs.record_job(ports, intended, job, run_id=started.run_id)
    if recorded.run is None or not recorded.made or not recorded.run.is_running:
        ports.log.warning("the run was superseded while its job was started", attempt=run.attempt)
        with_job = replace(intended, run_id=started.run_id, intent={**(intended.intent or {}), "job": job})
        left_jobs.tell(ports, with_job, standing=recorded.run, now=clock())
    return job if recorded.made else None


def _job(started: Started, job_type: str, *, triggered_at: datetime, ended_at: datetime) -> Answer:
    """What the row keeps of a started job, in values that JSON and DynamoDB can hold."""
    ended = started.ended
    status = runs.JOB_STARTED if ended is None else JobEvent.SUCCESS if isinstance(ended, Succeeded) else JobEvent.FAIL
    return {
        "status": str(status),
        "jobType": job_type,
        "runId": started.run_id,
        "metadata": plain(started.metadata),
        "triggeredAt": rfc3339(triggered_at),
        "durationMs": None if ended is None else _millis(ended_at - triggered_at),
        "error": ended.message if isinstance(ended, Failed) else None,
        "category": str(ended.category) if isinstance(ended, Failed) else None,
    }


def _tell(ports: JobPorts, run: Run, job: Answer, *, now: datetime) -> None:
    """Publish that the job was started, and, when it has ended already, log how."""
    message = f"the job of {run.pipeline_id} for {run.date} was started"
    detail = {"jobType": job["jobType"], "runId": job["runId"], "triggeredAt": job["triggeredAt"]}
    events = [runs.event_of(run, "JOB_TRIGGERED", message, detail)]
    if job["status"] == runs.JOB_STARTED:
        ports.bus.publish(events, now=now)
        return
    entry = Entry(
        key=run.run_key,
        at=parse_timestamp(job["triggeredAt"]) or now,
        event=job["status"],
        attempt=run.attempt,
        run_id=job["runId"],
        duration=job["durationMs"],
        error=job["error"],
        category=job["category"],
        cause="trigger",
    )
    if entry.event != JobEvent.SUCCESS:
        events.append(outcomes.failed_event(run, entry))
    # Told before it is logged: once the router has read the log, the attempt may be over.
    ports.bus.publish(events, now=now)
    job_log.append(ports, run.pipeline_id, entry)


def _log_failed_start(ports: JobPorts, run: Run, error: Exception, *, now: datetime) -> None:
    """Log that a start raised; what goes wrong here must not hide why."""
    ports.log.error("the job could not be started", attempt=run.attempt, problem=str(error))
    category = Category.PERMANENT if isinstance(error, PermanentError) else Category.TRANSIENT
    entry = Entry(
        key=run.run_key,
        at=now,
        event=JobEvent.INFRA_TRIGGER_FAILURE,
        attempt=run.attempt,
        error=f"{type(error).__name__}: {error}",
        category=category,
        cause=rfc3339(now),
    )
    try:
        job_log.append(ports, run.pipeline_id, entry)
    except Exception as another:  # noqa: BLE001
        ports.log.error("the failed start could not be logged", problem=str(another))


def check(ports: JobPorts, task: Task, *, now: datetime) -> Answer:
    """The outcome in the job log, else what the job service says, else whether there is time left to ask again."""
    config, found = _config_or_none(ports, task, now=now)
    run = task.current(found.get(task.trigger_key))
    if run is None:
        return {"status": SUPERSEDED}
    known = job_entries.outcome_of(job_log.of_date(ports, task.pipeline_id, task.key), run)
    if known is not None:
        if not known.by_interlock:
            # The router passes over a row with a run id that was not on record yet.
            ports.bus.publish([outcomes.ended_event(run, known)], now=now)
        return {"status": known.event}
    if not run.is_running:
        return {"status": SUPERSEDED}
    outcome = _poll(ports, config, run, task)
    if not isinstance(outcome, Running):
        return {"status": _ended(ports, run, task, outcome, now=now)}
    window = timedelta(seconds=task.seconds("jobPollWindowSeconds"))
    return {"status": "exhausted" if now - task.instant("triggeredAt") >= window else "running"}


def _poll(ports: JobPorts, config: Config | None, run: Run, task: Task) -> Outcome:
    """Ask the job service. That the question fails says nothing about the job, which goes on."""
    metadata = task.event.get("metadata")
    if config is None or not isinstance(metadata, Mapping):
        ports.log.warning("the job was not asked for: the pipeline has no configuration, or the run no metadata")
        return Running()
    try:
        return registry.status(config.pipeline.job, metadata, _context(run, previous_intent=True), ports.services)
    except Exception as error:  # noqa: BLE001 - a healthy job must not fail because nobody could ask
        ports.log.warning("the job could not be asked for", problem=f"{type(error).__name__}: {error}")
        return Running()


def _ended(ports: JobPorts, run: Run, task: Task, outcome: Succeeded | Failed, *, now: datetime) -> str:
    """Tell and log how a polled job ended; the status to answer."""
    failed = outcome if isinstance(outcome, Failed) else None
    event = JobEvent.SUCCESS
    if failed is not None:
        event = JobEvent.TIMEOUT if failed.category is Category.TIMEOUT else JobEvent.FAIL
    entry = Entry(
        key=run.run_key,
        at=now,
        event=event,
        attempt=run.attempt,
        run_id=task.event.get("runId") or run.run_id,
        duration=_millis(now - task.instant("triggeredAt")),
        error=None if failed is None else failed.message,
        category=None if failed is None else failed.category,
        cause="poll",
    )
    if failed is not None:
        # Told before it is logged: once the router has read the log, the attempt may be over.
        ports.bus.publish([outcomes.failed_event(run, entry)], now=now)
    job_log.append(ports, run.pipeline_id, entry)
    return str(event)


def _config_or_none(ports: JobPorts, task: Task, *, now: datetime) -> tuple[Config | None, dict[Any, Any]]:
    """The configuration if it can be read, and the trigger row: a started job is watched without one."""
    try:
        return ports.configs.get_with(task.pipeline_id, [task.trigger_key], now)
    except ConfigError as error:
        ports.log.error("the configuration cannot be read", problem=str(error))
        return None, ports.control.get_many([task.trigger_key])


def _context(run: Run, *, previous_intent: bool) -> RunContext:
    return RunContext(
        pipeline_id=run.pipeline_id,
        schedule_id=run.schedule_id,
        date=ExecutionDate.parse(run.date),
        attempt=run.attempt,
        token=run.token,
        previous_intent=previous_intent,
    )


def _superseded() -> Answer:
    return {"status": SUPERSEDED, "jobType": None, "runId": None, "metadata": None, "triggeredAt": None}


def _millis(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
