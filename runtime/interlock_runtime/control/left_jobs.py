"""Jobs that were started while their run was ended or superseded: nobody watches them, so somebody has to know.

Whoever ended the run has told so, by the job's token at least, since the intent stands on the row
before a job is started. What is added here is the job service's own name of the run.
"""

from __future__ import annotations

from datetime import datetime

from interlock_runtime.control import job_log, runs
from interlock_runtime.control.ports import Ports
from interlock_runtime.core import job_entries
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.run import Run
from interlock_runtime.core.timestamps import parse_timestamp

#: Tells this occurrence of ``INFRA_FAILURE`` from that of the execution's end.
_CAUSE = "job-left-behind"


def tell(ports: Ports, run: Run, *, standing: Run | None = None, now: datetime) -> None:
    """Log and tell that the job of ``run`` was started, or may have been, when its attempt was over.

    Nothing is told of a job whose end is in the job log. ``standing`` is what the row says now; a
    newer attempt in it is left alone. Safe to repeat: it is told once per attempt.
    """
    if job_entries.outcome_of(job_log.of_date(ports, run.pipeline_id, run.run_key), run) is not None:
        return
    newer = standing.attempt if standing is not None and standing.attempt != run.attempt else None
    detail = {"execution": run.execution_name, **runs.job_left_behind(run, newer=newer)}
    message = f"the job of {run.pipeline_id} for {run.date} was started when its run was over: nobody watches it"
    ports.bus.publish([runs.event_of(run, "INFRA_FAILURE", message, detail, cause=_CAUSE)], now=now)
    entry = Entry(
        key=run.run_key,
        at=parse_timestamp((run.intent or {}).get("at")) or now,
        event=JobEvent.INFRA_TRIGGER_FAILURE,
        attempt=run.attempt,
        run_id=run.run_id,
        error=message,
        cause=_CAUSE,
    )
    job_log.append(ports, run.pipeline_id, entry)
