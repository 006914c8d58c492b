"""How an execution ends its run: constraints that never held, a job that could not start, an outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.control import job_log, outcomes, post_run, runs
from interlock_runtime.control.ports import Ports
from interlock_runtime.control.task import Task
from interlock_runtime.core import baselines, sensors
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import ConfigError, PermanentError
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run

#: How many characters of a caught error an event carries.
_LONGEST_ERROR = 2000

#: By outcome: why the row failed, and who still has to look at it.
_FAILURES: Mapping[str, tuple[Reason, Kind | None]] = {
    "fail": (Reason.FAIL, Kind.UNDECIDED),
    "timeout": (Reason.TIMEOUT, Kind.UNDECIDED),
    # The job may still live, so nobody decides about a retry.
    "exhausted": (Reason.JOB_POLL_EXHAUSTED, None),
}


def validation_exhausted(ports: Ports, task: Task, *, now: datetime) -> None:
    """The constraints did not hold within the evaluation window."""
    run = _running(ports, task)
    if run is None:
        return
    results = task.event.get("results") or []
    failed = [result for result in results if isinstance(result, Mapping) and not result.get("passed")]
    # A sensor that is missing fails every rule that looks at it, for the same reason.
    reasons = "; ".join(dict.fromkeys(str(result.get("reason")) for result in failed))
    message = f"the constraints of {run.pipeline_id} for {run.date} did not hold in time: {reasons}"
    ports.bus.publish([runs.event_of(run, "VALIDATION_EXHAUSTED", message, {"rules": results})], now=now)
    _log(ports, run, JobEvent.VALIDATION_EXHAUSTED, error=reasons, now=now)
    _fail(ports, run, Reason.VALIDATION_EXHAUSTED, now=now)


def trigger_exhausted(ports: Ports, task: Task, *, now: datetime) -> None:
    """The job could not be started, in as many attempts as there are."""
    run = _running(ports, task)
    if run is None:
        return
    error = told(task.event.get("error"))
    message = f"the job of {run.pipeline_id} for {run.date} could not be started: {error}"
    config = _config_or_none(ports, task, now=now)
    trigger = config and config.pipeline.schedule.trigger
    then = f"the next write of {trigger.key} starts the date anew" if trigger else "then request a rerun"
    hint = f"mend the cause; {then}"
    if run.intent is not None and not error.startswith(PermanentError.__name__):
        hint = f"a start may have come through unheard: look for the job's run {run.token} first; {hint}"
    detail = {"source": "trigger", "error": error, "token": run.token, "actionHint": hint}
    event = runs.event_of(run, "RETRY_EXHAUSTED", message, detail, cause="trigger")
    ports.bus.publish([event], now=now)
    _log(ports, run, JobEvent.INFRA_TRIGGER_EXHAUSTED, error=error, now=now)
    _fail(ports, run, Reason.TRIGGER_EXHAUSTED, now=now)


def job_poll_exhausted(ports: Ports, task: Task, *, now: datetime) -> None:
    """The job was still running when its poll window closed; nobody stops it, and nobody retries it."""
    run = _running(ports, task)
    if run is None:
        return
    run_id = task.event.get("runId") or run.run_id
    message = f"the job of {run.pipeline_id} for {run.date} was still running when its poll window closed"
    hint = f"look for the job's run {run_id or run.token}; stop it before you request a rerun"
    detail = {"jobType": task.event.get("jobType"), "runId": run_id, "actionHint": hint}
    ports.bus.publish([runs.event_of(run, "JOB_POLL_EXHAUSTED", message, detail)], now=now)
    _log(ports, run, JobEvent.JOB_POLL_EXHAUSTED, run_id=run_id, now=now)


def complete_trigger(ports: Ports, task: Task, *, now: datetime) -> None:
    """Settle the trigger row by the job's outcome, and look once more at the data of a success.

    Raises:
        PermanentError: the outcome is none that is known.
    """
    outcome = str(task.event.get("outcome"))
    if outcome != "success" and outcome not in _FAILURES:
        raise PermanentError(f"{outcome!r} is no outcome of a job; known are success, {', '.join(_FAILURES)}")
    run = task.current(ports.control.get(task.trigger_key))
    if run is None:
        return
    if outcome != "success":
        reason, kind = _FAILURES[outcome]
        runs.finish(ports, run, status=Status.FAILED_FINAL, reason=reason, kind=kind, now=now)
        return
    config = _config_or_none(ports, task, now=now)
    watched = config is not None and bool(sensors.post_run_keys(config.pipeline))
    made = runs.finish(
        ports, run, status=Status.COMPLETED, reason=None, kind=Kind.POSTRUN if watched else None, now=now
    )
    completed = made.run
    if completed is None or completed.attempt != run.attempt or completed.status != Status.COMPLETED:
        ports.log.warning("the run was ended by somebody else", attempt=run.attempt)
    elif watched and config is not None:
        _look_once_more(ports, config, completed, now=now)


def infra_failure(ports: Ports, task: Task, *, now: datetime) -> None:
    """The infrastructure broke this attempt: never silent, even when its row has ended already."""
    run = task.current(ports.control.get(task.trigger_key))
    if run is None:
        return
    error = told(task.event.get("error"))
    message = f"the run of {run.pipeline_id} for {run.date} was broken by its infrastructure: {error}"
    unheard = outcomes.unheard(ports, run)
    detail = {"error": error, "execution": run.execution_name, **runs.job_left_behind(run, ended=unheard.ended)}
    ports.bus.publish([*unheard.events, runs.event_of(run, "INFRA_FAILURE", message, detail)], now=now)
    runs.finish(ports, run, status=Status.FAILED_FINAL, reason=Reason.INFRA_FAILURE, kind=unheard.kind, now=now)


def told(error: Any) -> str:
    """A caught error in words: what Step Functions caught is ``{"Error": …, "Cause": …}``, the cause mostly JSON."""
    if not isinstance(error, Mapping):
        return "no error was passed on"
    name, cause = str(error.get("Error") or "error"), error.get("Cause")
    try:
        parsed = json.loads(cause) if isinstance(cause, str) else None
    except ValueError:
        parsed = None
    if isinstance(parsed, Mapping) and parsed.get("errorMessage"):
        cause = parsed["errorMessage"]
    return f"{name}: {cause}"[:_LONGEST_ERROR] if cause else name


def _look_once_more(ports: Ports, config: Config, run: Run, *, now: datetime) -> None:
    """Tell whether there is a baseline, and compare it with the sensors as they are: drift during the job is drift."""
    pipeline = config.pipeline
    rule_keys, date = sensors.post_run_keys(pipeline), ExecutionDate.parse(run.date)
    key = baselines.key(run.pipeline_id, run.run_key, run.attempt)
    found = ports.control.get_many([key, *sensors.keys_of(pipeline, rule_keys, date)])
    baseline = baselines.of_row(found.pop(key, None))
    if baseline is None:
        kind, message = "BASELINE_CAPTURE_FAILED", f"there is no baseline of {run.pipeline_id} for {run.date}"
    else:
        kind, message = "POST_RUN_BASELINE_CAPTURED", f"the baseline of {run.pipeline_id} for {run.date} is recorded"
    ports.bus.publish([runs.event_of(run, kind, message, {"baseline": baseline})], now=now)
    if pipeline.post_run is not None:
        for drifted in baselines.compare_all(pipeline.post_run, baseline, sensors.chosen(rule_keys, date, found)):
            post_run.drifted(ports, pipeline, run, drifted, now=now)


def _running(ports: Ports, task: Task) -> Run | None:
    """The task's run while it goes on; None when it has ended, or another one stands."""
    run = task.current(ports.control.get(task.trigger_key))
    return run if run is not None and run.is_running else None


def _log(
    ports: Ports, run: Run, event: JobEvent, *, error: str | None = None, run_id: str | None = None, now: datetime
) -> None:
    entry = Entry(key=run.run_key, at=now, event=event, attempt=run.attempt, error=error, run_id=run_id, cause=event)
    job_log.append_once(ports, run.pipeline_id, entry)


def _fail(ports: Ports, run: Run, reason: Reason, *, now: datetime) -> None:
    runs.finish(ports, run, status=Status.FAILED_FINAL, reason=reason, kind=None, now=now)


def _config_or_none(ports: Ports, task: Task, *, now: datetime) -> Config | None:
    """The configuration if it can be read: a run is ended without one, too."""
    try:
        return ports.configs.get(task.pipeline_id, now)
    except ConfigError as error:
        ports.log.error("the configuration cannot be read", problem=str(error))
        return None
