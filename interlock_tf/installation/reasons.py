"""Why a date ran, or did not, in sentences; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock_runtime.core import budgets, causes, dates, job_entries
from interlock_runtime.core.budgets import Rerun
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.rows import Kind
from interlock_runtime.core.run import Reason, Run
from interlock_tf.installation.standings import Standing, State
from interlock_tf.installation.times import local


def reasons(standing: Standing, entries: Sequence[Entry], past: Sequence[Rerun]) -> tuple[str, ...]:
    """Why it stands so; ``entries`` are those of the date's job log, ``past`` its reruns."""
    return tuple(_reasons(standing, entries, past))


def _reasons(standing: Standing, entries: Sequence[Entry], past: Sequence[Rerun]) -> Iterator[str]:
    facts, pipeline = standing.facts, standing.facts.pipeline
    zone = pipeline.schedule.timezone
    if (excluded := dates.excluded(pipeline, facts.date)) is not None:
        yield f"no run is started by itself: {excluded}"
    if pipeline.dry_run:
        yield "no job is started: the pipeline is a dry run"
        if facts.observed_at is not None:
            yield f"its job would have been started at {local(facts.observed_at, zone)}"
    if facts.run is not None:
        yield from _of_run(standing, facts.run, entries, past)
    waits = standing.waits_for
    if standing.state is State.WAITING and not standing.validation.passed:
        some = "at least one" if standing.validation.mode == "ANY" else "all"
        yield f"the job is not started before {some} of its constraints hold"
    yield from (f"it waits for {wait}" if _is_noun(wait) else wait for wait in waits)


def _of_run(standing: Standing, run: Run, entries: Sequence[Entry], past: Sequence[Rerun]) -> Iterator[str]:
    zone = standing.facts.pipeline.schedule.timezone
    if run.is_expired:
        yield "nothing started it before its trigger deadline; a rerun request still does"
        return
    attempt = f"attempt {run.attempt}" + (f" ({run.reason})" if run.is_running and run.reason else "")
    yield f"{attempt} was started at {local(run.started_at, zone)} by {causes.told(run.cause)}"
    if standing.state is State.COMPLETED and run.completed_at is not None:
        yield f"its job succeeded, and the date was complete at {local(run.completed_at, zone)}"
    if standing.state is State.FAILED:
        yield _failure(standing, run, entries)
        if run.reason in (Reason.FAIL, Reason.TIMEOUT) and run.kind != Kind.UNDECIDED:
            yield _no_retry(standing, run, entries, past)
    if run.is_running and run.stale_at is not None and run.stale_at <= standing.now:
        yield f"it should have ended by {local(run.stale_at, zone)}; the watchdog closes it once its execution is over"


def _failure(standing: Standing, run: Run, entries: Sequence[Entry]) -> str:
    """What went wrong, with what the job log has about it."""
    own = [each for each in entries if job_entries.attempt_of(each, run) == run.attempt]
    error = next((each.error for each in reversed(own) if each.error), None)
    told = f": {error}" if error else ""
    if run.reason == Reason.VALIDATION_EXHAUSTED:
        return f"its constraints did not hold within the evaluation window{told}"
    if run.reason == Reason.TRIGGER_EXHAUSTED:
        trigger = standing.facts.pipeline.schedule.trigger
        then = f"the next write of sensor {trigger.key} tries again" if trigger else "a rerun request tries again"
        return f"its job could not be started{told}; {then}"
    if run.reason == Reason.JOB_POLL_EXHAUSTED:
        named = f" {run.run_id}" if run.run_id else ""
        return f"its job{named} was still running when the poll window closed, and may still live"
    if run.reason == Reason.INFRA_FAILURE:
        return f"its execution was broken by the infrastructure{told}{_left_job(run)}"
    if run.reason == Reason.SFN_TIMEOUT:
        return f"its execution ran into the time-out{_left_job(run)}"
    outcome = job_entries.outcome_of(entries, run)
    how = "timed out" if run.reason == Reason.TIMEOUT else "failed"
    category = f" ({outcome.category})" if outcome is not None and outcome.category else ""
    return f"its job {how}{category}{told}"


def _left_job(run: Run) -> str:
    """That a job was started, or may have been, which nobody watches any more."""
    return "" if run.intent is None else f"; its job {run.run_id or run.token} may still live"


def _no_retry(standing: Standing, run: Run, entries: Sequence[Entry], past: Sequence[Rerun]) -> str:
    outcome = job_entries.outcome_of(entries, run)
    budget = budgets.of_retries(standing.facts.pipeline, outcome.category if outcome else None, past)
    return f"it is not retried: {budget}"


def _is_noun(wait: str) -> bool:
    """Whether a wait names what is waited for; the reason of a rule is a sentence of its own."""
    return not wait.startswith("sensor ")
