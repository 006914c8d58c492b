"""Whether a failed job is run again, and what follows when it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from interlock_runtime.control import announcements, runs
from interlock_runtime.control.ports import StartPorts
from interlock_runtime.core import budgets, causes, dates, rows
from interlock_runtime.core.budgets import Budget, Rerun
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason, Run


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How an attempt's job failed: ``event`` is ``fail`` or ``timeout``."""

    event: str = JobEvent.FAIL
    category: str | None = None
    error: str | None = None

    @classmethod
    def of(cls, entry: Entry | None) -> Failure:
        """The failure in a job-log entry; of an unknown kind when there is none."""
        if entry is None:
            return cls()
        return cls(event=entry.event, category=entry.category, error=entry.error)

    @property
    def reason(self) -> Reason:
        """The reason that the row gets when nobody tries again."""
        return Reason.TIMEOUT if self.event == JobEvent.TIMEOUT else Reason.FAIL


@dataclass(frozen=True)
class Verdict:
    """Retry, or not: then ``excluded`` says why the date does not run, or ``budget`` what is spent."""

    retry: bool
    budget: Budget | None = None
    excluded: str | None = None


def judge(pipeline: Pipeline, date: ExecutionDate, *, failure: Failure, past: Iterable[Rerun]) -> Verdict:
    """Whether a failure is retried; pure."""
    reason = dates.excluded(pipeline, date)
    if reason is not None:
        return Verdict(False, excluded=reason)
    budget = budgets.of_retries(pipeline, failure.category, past)
    return Verdict(not budget.is_spent, budget=budget)


def decide(
    ports: StartPorts, config: Config | None, run: Run, *, attempt: int, failure: Failure, now: datetime
) -> None:
    """Retry the failed ``attempt``, or tell that it is not retried; ``run`` is the row as it was read.

    However the attempt ended before, the job's own word counts: one that outlived its poll window
    and then reports that it failed lives no more. Safe to repeat. Nothing is retried for a pipeline
    that was removed (no ``config``) or has become a dry run.

    Raises:
        TransientError: the row kept changing.
    """
    cause = causes.job_failure(attempt)
    for _ in range(runs.ROUNDS):
        if run.attempt != attempt:
            if run.cause == cause:
                runs.launch(ports, run, now=now)
            else:
                ports.log.info("failure passed over: another attempt stands", failed=attempt, attempt=run.attempt)
            return
        if run.status == Status.COMPLETED:
            ports.log.warning("failure passed over: the attempt has completed", attempt=attempt)
            return
        verdict = _verdict(ports, config, run, failure)
        if verdict.retry and config is not None:
            made = runs.again(ports, config, run, cause=cause, reason=Reason.JOB_FAIL_RETRY, now=now)
            if made.made and made.run is not None:
                runs.launch(ports, made.run, now=now)
        else:
            _give_up(ports, config, run, failure=failure, verdict=verdict, now=now)
            made = runs.decide(ports, run, reason=failure.reason, now=now)
        if made.made or made.run is None:
            return
        run = made.run
    raise TransientError(f"the trigger row of {run.pipeline_id} {run.date} kept changing")


def _verdict(ports: StartPorts, config: Config | None, run: Run, failure: Failure) -> Verdict:
    if config is None or config.pipeline.dry_run:
        return Verdict(False)
    past = budgets.reruns(ports.rerun.query(rows.pk(run.pipeline_id), rows.rerun_prefix(run.schedule_id, run.date)))
    return judge(config.pipeline, ExecutionDate.parse(run.date), failure=failure, past=past)


def _give_up(
    ports: StartPorts, config: Config | None, run: Run, *, failure: Failure, verdict: Verdict, now: datetime
) -> None:
    if verdict.excluded is not None and config is not None:
        announcements.excluded(ports, config.pipeline, run.date, reason=verdict.excluded, now=now)
        return
    ports.bus.publish([exhausted_event(run, failure=failure, budget=verdict.budget)], now=now)


def exhausted_event(run: Run, *, failure: Failure, budget: Budget | None) -> Event:
    """``RETRY_EXHAUSTED`` for an attempt whose job failed."""
    why = f"{budget}" if budget else "the pipeline was removed, or has become a dry run"
    return runs.event_of(
        run,
        "RETRY_EXHAUSTED",
        f"the job of {run.pipeline_id} for {run.date} failed and is not retried: {why}",
        {
            "source": "job",
            "event": failure.event,
            "category": failure.category,
            "error": failure.error,
            "used": budget and budget.used,
            "allowed": budget and budget.allowed,
            "actionHint": "mend the cause, then write a rerun request",
        },
        cause="job",
    )
