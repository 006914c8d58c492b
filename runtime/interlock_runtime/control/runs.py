"""The life of a run. This module is the only writer of trigger rows.

A trigger row is lock and status of the runs of one (pipeline, schedule, execution date):

    begin     no row, or an expired one  → RUNNING, attempt 0
    again     an ended or failed attempt → RUNNING, attempt n+1
    launch    rerun row, events, StartExecution, executionArn: what must follow either
    intend    the job is about to be started
    finish    RUNNING, attempt n         → COMPLETED or FAILED_FINAL
    decide    the failed attempt n will not be retried
    settle    nobody needs to look any more
    expire    no row                     → FAILED_FINAL, attempt -1

Every transition is one conditional write on what was read, so of two that race one wins and the
other learns what stands there now. A function may die between any two calls: the row's ``cause``
and stored ``input`` let whoever comes next do the rest of :func:`launch`, with the same effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control import job_log
from interlock_runtime.control.ports import Metric, Ports, StartPorts
from interlock_runtime.core import causes, rows
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Kind, Row, RunKey, Status
from interlock_runtime.core.run import EXPIRED_ATTEMPT, Reason, Run, read_run, trigger_key

#: How long after the state machine's time-out a RUNNING row is called stale.
STALE_AFTER_TIMEOUT = timedelta(minutes=30)

#: How long a rerun row is kept.
KEEP_RERUN = timedelta(days=30)

#: The status of a recorded job that was started, and had not ended by then.
JOB_STARTED = "started"

#: How often a decision is taken anew when the row changed while it was taken.
ROUNDS = 5

#: Attributes that belong to one attempt, and go when another begins.
_OF_ONE_ATTEMPT = ("executionArn", "intent", "runId", "completedAt", "ttl")


@dataclass(frozen=True)
class Transition:
    """Whether a transition was made, and the run as it stands now (None: there is no row)."""

    made: bool
    run: Run | None


def read(ports: Ports, pipeline_id: str, key: RunKey) -> Run | None:
    """The run of one execution date as it stands now."""
    return read_run(ports.control.get(trigger_key(pipeline_id, key)))


def begin(
    ports: StartPorts,
    config: Config,
    date: str,
    *,
    cause: str,
    arrival: datetime | None,
    now: datetime,
    expired: Run | None = None,
    reason: str | None = None,
) -> Transition:
    """Claim the date for attempt 0: put the row if there is none, or in place of the ``expired`` one.

    Raises:
        PermanentError: the pipeline is a dry run.
    """
    key = trigger_key(config.pipeline.id, RunKey(config.pipeline.schedule_id, date))
    begun = _begun(ports, config, date, attempt=0, cause=cause, reason=reason, arrival=arrival, now=now)
    expect = ABSENT if expired is None else _unchanged(expired)
    write = ports.control.put({"PK": key[0], "SK": key[1], **begun}, expect=expect)
    return Transition(write.done, read_run(write.row))


def again(ports: StartPorts, config: Config, run: Run, *, cause: str, reason: str, now: datetime) -> Transition:
    """Claim the date for the attempt after ``run``, provided that ``run`` is still what stands there.

    Raises:
        PermanentError: the pipeline is a dry run.
    """
    begun = _begun(
        ports, config, run.date, attempt=run.attempt + 1, cause=cause, reason=reason, arrival=run.arrival, now=now
    )
    changes = dict.fromkeys(_OF_ONE_ATTEMPT) | begun
    return _transition(ports, run, changes)


def launch(ports: StartPorts, run: Run, *, now: datetime) -> None:
    """Do what must follow a claimed date: rerun row, events, StartExecution, and the note of its ARN.

    Safe to repeat from any point, with the same effect; it does nothing for a run that was launched.

    Raises:
        PermanentError: the pipeline is a dry run by now.
        TransientError: AWS did not do its part; whoever comes next resumes.
    """
    if not run.is_running or run.is_launched:
        return
    config = ports.configs.get(run.pipeline_id, now)
    if config is not None:
        _refuse_dry_run(config)
    if run.attempt > 0:
        _record_rerun(ports, run)
    _announce(ports, run, now=now)
    arn = ports.executions.start(run.execution_name, run.input)
    ports.control.update(run.key, {"executionArn": arn}, expect=_same_attempt(run))
    ports.metrics.count(Metric.RUNS_STARTED)
    ports.log.info("run started", attempt=run.attempt, cause=run.cause, reason=run.reason, execution=arn)


def intend(ports: Ports, run: Run, *, job_type: str | None = None, now: datetime) -> Run | None:
    """Record that the job of this attempt is about to be started; None when the attempt has ended.

    A run that carries the intent already is returned as it is: somebody may have started the job.

    Raises:
        TransientError: somebody else recorded the same intent just now, and is starting the job.
    """
    if not run.is_running or run.intent is not None:
        return run if run.is_running else None
    intent = {"token": run.token, "at": rfc3339(now)}
    if job_type is not None:
        intent["jobType"] = job_type
    made = _transition(ports, run, {"intent": intent}, expect=_running(run) | {"intent": None})
    if made.made:
        return made.run
    if made.run is not None and made.run.is_running and made.run.attempt == run.attempt:
        raise TransientError(f"the job of {run.pipeline_id} {run.date} is being started by another invocation")
    return None


def record_job(ports: Ports, run: Run, job: Mapping[str, Any], *, run_id: str | None) -> Transition:
    """Record the job that was started for this attempt."""
    intent = {**(run.intent or {}), "job": dict(job)}
    return _transition(ports, run, {"intent": intent, "runId": run_id}, expect=_same_attempt(run))


def finish(
    ports: Ports, run: Run, *, status: Status, reason: str | None, kind: Kind | None, now: datetime
) -> Transition:
    """End the attempt, provided that it goes on; ``kind`` says who still has to look at the row."""
    changes = {
        "status": str(status),
        "completedAt": rfc3339(now),
        "ttl": epoch_seconds(now + ports.retention),
        rows.KIND: kind and str(kind),
    }
    if reason is not None:
        changes["reason"] = str(reason)
    return _transition(ports, run, changes, expect=_running(run))


def decide(ports: Ports, run: Run, *, reason: str, now: datetime) -> Transition:
    """Record that the failed attempt will not be retried, whether its execution has ended it yet or not."""
    if run.is_running:
        return finish(ports, run, status=Status.FAILED_FINAL, reason=reason, kind=None, now=now)
    return settle(ports, run)


def settle(ports: Ports, run: Run) -> Transition:
    """Take the ended run off the index: nobody has to look at it any more."""
    if run.kind is None:
        return Transition(True, run)
    return _transition(ports, run, {rows.KIND: None})


def expire(ports: Ports, config: Config, date: str, *, now: datetime) -> Transition:
    """Record that the trigger condition was not met in time, unless there is a row."""
    pk, sk = trigger_key(config.pipeline.id, RunKey(config.pipeline.schedule_id, date))
    row = {
        "PK": pk,
        "SK": sk,
        "status": str(Status.FAILED_FINAL),
        "attempt": EXPIRED_ATTEMPT,
        "startedAt": rfc3339(now),
        "completedAt": rfc3339(now),
        "reason": str(Reason.DEADLINE),
        "ttl": epoch_seconds(now + ports.retention),
    }
    write = ports.control.put(row, expect=ABSENT)
    return Transition(write.done, read_run(write.row))


def _begun(
    ports: StartPorts,
    config: Config,
    date: str,
    *,
    attempt: int,
    cause: str,
    reason: str | None,
    arrival: datetime | None,
    now: datetime,
) -> Row:
    """The attributes of a run that begins now."""
    _refuse_dry_run(config)
    stale_at = now + ports.execution_timeout + STALE_AFTER_TIMEOUT
    row = {
        "status": str(Status.RUNNING),
        "attempt": attempt,
        "startedAt": rfc3339(now),
        "input": execution_input(config, date, attempt=attempt, arrival=arrival, now=now),
        "cause": cause,
        "staleAt": rfc3339(stale_at),
        rows.KIND: str(Kind.RUNNING),
    }
    return row if reason is None else row | {"reason": str(reason)}


def _refuse_dry_run(config: Config) -> None:
    """Whoever asks, by design or by mistake: a dry run is never started."""
    if config.pipeline.dry_run:
        raise PermanentError(f"{config.pipeline.id} is a dry run: no execution is started for it")


def execution_input(config: Config, date: str, *, attempt: int, arrival: datetime | None, now: datetime) -> str:
    """The input of an execution, as text; every key is always there."""
    pipeline = config.pipeline
    evaluation = pipeline.schedule.evaluation
    content = {
        "pipelineId": pipeline.id,
        "scheduleId": pipeline.schedule_id,
        "date": date,
        "attempt": attempt,
        "startedAt": rfc3339(now),
        "config": {
            "evaluationIntervalSeconds": _seconds(evaluation.interval),
            "evaluationWindowSeconds": _seconds(evaluation.window),
            "jobCheckIntervalSeconds": pipeline.job.job_check_interval_seconds,
            "jobPollWindowSeconds": _seconds(pipeline.job.poll_window),
        },
        "sla": config.sla,
        "sensorArrivalAt": arrival and rfc3339(arrival),
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def _record_rerun(ports: StartPorts, run: Run) -> None:
    ports.rerun.put(
        {
            "PK": rows.pk(run.pipeline_id),
            "SK": rows.rerun(run.schedule_id, run.date, run.attempt),
            "reason": run.reason or Reason.MANUAL,
            "triggeredAt": rfc3339(run.started_at),
            "cause": run.cause or "",
            "ttl": epoch_seconds(run.started_at + KEEP_RERUN),
        }
    )


def _announce(ports: StartPorts, run: Run, *, now: datetime) -> None:
    """Publish what is to be told of a run that begins for this cause."""
    if causes.is_request(run.cause):
        job_log.append(
            ports,
            run.pipeline_id,
            Entry(
                key=run.run_key,
                at=run.started_at,
                event=JobEvent.RERUN_ACCEPTED,
                attempt=run.attempt,
                cause=run.cause,
            ),
        )
        what = "runs again" if run.attempt else "runs"
        message = f"{run.pipeline_id} {what} for {run.date}: attempt {run.attempt}, reason {run.reason}"
        ports.bus.publish([event_of(run, "RERUN_ACCEPTED", message, {"reason": run.reason}, cause=run.cause)], now=now)
    elif run.cause == causes.RECONCILE:
        message = f"the start of {run.pipeline_id} for {run.date} had been lost, and was made good"
        ports.bus.publish([event_of(run, "TRIGGER_RECOVERED", message)], now=now)


def event_of(
    run: Run, kind: str, message: str, detail: Mapping[str, Any] | None = None, *, cause: str | None = None
) -> Event:
    """An event about one attempt; without a ``cause`` there is one of its type per attempt."""
    return Event(
        type=kind,
        pipeline_id=run.pipeline_id,
        schedule_id=run.schedule_id,
        date=run.date,
        attempt=run.attempt,
        message=message,
        detail=detail or {},
        cause=cause or "",
    )


def job_left_behind(run: Run, *, newer: int | None = None, ended: bool = False) -> dict[str, Any]:
    """What an event tells of the job of an attempt that nobody watches any more: it may live on.

    A rerun has another token, so nothing but a person keeps it from being a second job. ``newer``
    is the attempt that has begun already; ``ended`` says that the job log knows of the job's end.
    """
    if run.intent is None:
        return {"actionHint": "no job was started: mend the cause, then write a rerun request"}
    recorded = run.intent.get("job")
    job = recorded if isinstance(recorded, Mapping) else run.intent
    name = f"the job's run {run.run_id or run.token}"
    if ended or job.get("status", JOB_STARTED) != JOB_STARTED:
        hint = f"{name} has ended: look at what it did before you request a rerun"
    elif newer is not None:
        hint = f"stop {name}, unless it may run beside attempt {newer}"
    else:
        hint = f"stop or await {name} before you request a rerun"
    return {"runId": run.run_id, "jobType": job.get("jobType"), "token": run.token, "actionHint": hint}


def _transition(
    ports: Ports, run: Run, changes: Mapping[str, Any], *, expect: Mapping[str, Any] | None = None
) -> Transition:
    write = ports.control.update(run.key, changes, expect=expect or _unchanged(run))
    return Transition(write.done, read_run(write.row))


def _same_attempt(run: Run) -> dict[str, Any]:
    return {"attempt": run.attempt, "startedAt": rfc3339(run.started_at)}


def _running(run: Run) -> dict[str, Any]:
    return _same_attempt(run) | {"status": str(Status.RUNNING)}


def _unchanged(run: Run) -> dict[str, Any]:
    return _same_attempt(run) | {"status": str(run.status)}


def _seconds(duration: timedelta) -> int:
    return max(1, round(duration.total_seconds()))
