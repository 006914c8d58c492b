"""What the job log says of a job's end, made known: completed, failed, to be retried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from interlock_runtime.control import dry_run, job_log, retries, runs
from interlock_runtime.control.ports import Ports, StartPorts
from interlock_runtime.control.retries import Failure
from interlock_runtime.core import job_entries
from interlock_runtime.core.events import Event
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Kind
from interlock_runtime.core.run import Run


def handle(ports: StartPorts, pipeline_id: str, entry: Entry, *, now: datetime) -> None:
    """Do what follows from a new row of the job log; whatever is no outcome has no consequence.

    Raises:
        ConfigError: the pipeline's configuration, which a failure needs, cannot be read; the failure is told.
        TransientError: the trigger row kept changing.
    """
    if not entry.is_outcome:
        return
    ports.log.also(schedule=entry.key.schedule_id, date=entry.key.date)
    run = runs.read(ports, pipeline_id, entry.key)
    if run is None:
        config = ports.configs.get(pipeline_id, now)
        if config is not None and config.pipeline.dry_run:
            dry_run.job_ended(ports, config.pipeline, entry, now=now)
        else:
            ports.log.warning("job-log row passed over: there is no such run", job_event=entry.event)
        return
    attempt = job_entries.attempt_of(entry, run)
    if attempt is None or attempt > run.attempt:
        ports.log.warning(
            "job-log row passed over: it belongs to no attempt that is known",
            job_event=entry.event,
            problem=entry.problem,
            job_run_id=entry.run_id,
            job_attempt=entry.attempt,
            attempt=run.attempt,
        )
    elif entry.event != JobEvent.SUCCESS:
        if attempt == run.attempt and not entry.by_interlock:
            ports.bus.publish([failed_event(run, entry)], now=now)
        config = ports.configs.get(pipeline_id, now)
        retries.decide(ports, config, run, attempt=attempt, failure=Failure.of(entry), now=now)
    elif attempt == run.attempt:
        ports.bus.publish([completed_event(run, entry)], now=now)
    elif entry.by_interlock:
        # It was the current one when this was logged: the record is late, and a rerun has begun meanwhile.
        ports.bus.publish([completed_event(replace(run, attempt=attempt, run_id=None), entry)], now=now)
    else:
        ports.log.info("job-log row passed over: a later attempt stands", job_attempt=attempt, attempt=run.attempt)


@dataclass(frozen=True)
class Unheard:
    """What the job log knows of the job of a run that is broken: events to publish, and the kind of its row."""

    events: tuple[Event, ...] = ()
    kind: Kind | None = None

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return bool(self.events)


def unheard(ports: Ports, run: Run) -> Unheard:
    """How the job of a broken run ended, if it did.

    Its record and its execution can be lost together, so that nobody has told it, nor decided about a retry.
    """
    if run.intent is None or not run.is_running:
        return Unheard()
    entry = job_entries.outcome_of(job_log.of_date(ports, run.pipeline_id, run.run_key), run)
    if entry is None:
        return Unheard()
    return Unheard((ended_event(run, entry),), None if entry.event == JobEvent.SUCCESS else Kind.UNDECIDED)


def ended_event(run: Run, entry: Entry) -> Event:
    """``JOB_COMPLETED`` or ``JOB_FAILED`` for the outcome of the run's attempt: the same whoever learns of it first."""
    return completed_event(run, entry) if entry.event == JobEvent.SUCCESS else failed_event(run, entry)


def completed_event(run: Run, entry: Entry) -> Event:
    """``JOB_COMPLETED``, one per attempt."""
    return runs.event_of(
        run,
        "JOB_COMPLETED",
        f"the job of {run.pipeline_id} for {run.date} succeeded",
        {"runId": entry.run_id or run.run_id, "durationMs": entry.duration},
    )


def failed_event(run: Run, entry: Entry) -> Event:
    """``JOB_FAILED``, one per attempt."""
    what = "timed out" if entry.event == JobEvent.TIMEOUT else "failed"
    return runs.event_of(
        run,
        "JOB_FAILED",
        f"the job of {run.pipeline_id} for {run.date} {what}: {entry.error or 'no reason was given'}",
        {
            "event": entry.event,
            "category": entry.category,
            "error": entry.error,
            "runId": entry.run_id or run.run_id,
            "durationMs": entry.duration,
        },
    )
