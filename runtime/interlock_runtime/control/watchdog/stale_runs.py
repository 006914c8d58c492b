"""Check 1, stale runs: rows that say RUNNING about executions that never were, or are long over.

Where the job log knows how the job ended, that is told, too, and a failure is left to be decided about.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from interlock_runtime.control import outcomes, runs
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog.candidates import config_of, is_passed_over
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Row, Status
from interlock_runtime.core.run import Reason, Run, read_run

#: How long whoever began a run may take to start its execution.
LAUNCH_WITHIN = timedelta(minutes=2)


def look(ports: WatchdogPorts, row: Row, now: datetime) -> Look[None]:
    """Start the execution of a run that has none; end a run whose execution is long over."""
    candidate = Run.of_row(row)
    if not _never_launched(candidate, now) and not _is_stale(candidate, now):
        return
    config = yield from config_of(candidate.pipeline_id)
    if config is not None and is_passed_over(config, candidate.date):
        return
    run = read_run((yield [candidate.key]).get(candidate.key))
    if run is None:
        return
    if _never_launched(run, now):
        ports.log.warning("the execution of the run was never started; it is started now", attempt=run.attempt)
        runs.launch(ports, run, now=now)
    elif _is_stale(run, now):
        _end_if_over(ports, run, now=now)


def _never_launched(run: Run, now: datetime) -> bool:
    return run.is_running and not run.is_launched and run.started_at + LAUNCH_WITHIN <= now


def _is_stale(run: Run, now: datetime) -> bool:
    return run.is_running and run.is_launched and run.stale_at is not None and run.stale_at < now


def _end_if_over(ports: WatchdogPorts, run: Run, *, now: datetime) -> None:
    execution = ports.executions.describe(run.execution_arn or "")
    if execution is not None and execution.is_running:
        ports.log.warning("the run is stale, but its execution still runs", execution=execution.arn)
        return
    unheard = outcomes.unheard(ports, run)
    status = "unknown to Step Functions" if execution is None else execution.status
    message = f"the run of {run.pipeline_id} for {run.date} was to end by itself, and its execution is {status}"
    detail = {
        "status": status,
        "execution": run.execution_name,
        "staleAt": run.stale_at and rfc3339(run.stale_at),
        **runs.job_left_behind(run, ended=unheard.ended),
    }
    ports.bus.publish([*unheard.events, runs.event_of(run, "SFN_TIMEOUT", message, detail)], now=now)
    runs.finish(ports, run, status=Status.FAILED_FINAL, reason=Reason.SFN_TIMEOUT, kind=unheard.kind, now=now)
