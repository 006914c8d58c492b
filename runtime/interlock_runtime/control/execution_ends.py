"""Executions that ended badly, as Step Functions tells on the default event bus: their runs are closed at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.control import outcomes, runs
from interlock_runtime.control.ports import Ports
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.rows import RunKey, Status
from interlock_runtime.core.run import Reason, Run

DETAIL_TYPE = "Step Functions Execution Status Change"

#: The status of an execution that ran into its time-out.
TIMED_OUT = "TIMED_OUT"
#: The statuses that end a run.
STATUSES = (TIMED_OUT, "FAILED", "ABORTED")


def is_status_event(event: Mapping[str, Any]) -> bool:
    """Whether an event tells of an execution's status."""
    return event.get("detail-type") == DETAIL_TYPE


def handle(ports: Ports, event: Mapping[str, Any], *, now: datetime) -> None:
    """Close the run of an execution that ended badly, if it is still the one that its row is about.

    Raises:
        PermanentError: the event does not say which run it is about.
        TransientError: AWS did not do its part; the event is to be handled again.
    """
    detail = event.get("detail") or {}
    status, arn = detail.get("status"), str(detail.get("executionArn"))
    if status not in STATUSES:
        return
    try:
        told = json.loads(detail["input"])
        pipeline_id, key = told["pipelineId"], RunKey(told["scheduleId"], told["date"])
        attempt = told["attempt"]
    except (KeyError, TypeError, ValueError):
        raise PermanentError(f"the status event of {arn} does not hold the input of a run") from None
    ports.log.also(pipeline=pipeline_id, schedule=key.schedule_id, date=key.date, attempt=attempt)
    run = runs.read(ports, pipeline_id, key)
    if run is None or not run.is_running or not run.is_of(attempt, arn):
        ports.log.info("status event passed over: the run does not go on with this execution", execution=arn)
        return
    close(ports, run, status=status, error=detail.get("error"), cause=detail.get("cause"), now=now)


def close(
    ports: Ports, run: Run, *, status: str, error: str | None = None, cause: str | None = None, now: datetime
) -> None:
    """Tell that a run's execution ended with this status of Step Functions, and end the run."""
    if status == TIMED_OUT:
        kind, reason = "SFN_TIMEOUT", Reason.SFN_TIMEOUT
        message = f"the execution of {run.pipeline_id} for {run.date} ran into its time-out"
    else:
        kind, reason = "INFRA_FAILURE", Reason.INFRA_FAILURE
        message = f"the execution of {run.pipeline_id} for {run.date} ended as {status}"
    detail = {"status": status, "error": error, "cause": cause, "execution": run.execution_name}
    unheard = outcomes.unheard(ports, run)
    detail |= runs.job_left_behind(run, ended=unheard.ended)
    ports.bus.publish([*unheard.events, runs.event_of(run, kind, message, detail)], now=now)
    runs.finish(ports, run, status=Status.FAILED_FINAL, reason=reason, kind=unheard.kind, now=now)
