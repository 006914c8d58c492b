"""Everything about one execution date: the answer to ``explain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_runtime.core import baselines, budgets, dates, expectations, rows
from interlock_runtime.core.baselines import Baseline, Drifted
from interlock_runtime.core.budgets import Budget, Rerun
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.expectations import Start
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.rerun_requests import Facts as RequestFacts
from interlock_runtime.core.rerun_requests import Rejection, Request, judge
from interlock_runtime.core.rows import Row, RunKey
from interlock_runtime.core.run import Reason
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.installation import facts as dates_facts
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.facts import Facts
from interlock_tf.installation.overview import overview
from interlock_tf.installation.reasons import reasons
from interlock_tf.installation.standings import Standing
from interlock_tf.installation.tables import Bounds


@dataclass(frozen=True, kw_only=True)
class Again:
    """One row of the rerun table."""

    attempt: int
    reason: str
    cause: str
    at: datetime | None

    @classmethod
    def of_row(cls, row: Row) -> Again:
        """Read a row; an attempt of -1 is none that Interlock has written."""
        number = str(row["SK"]).rpartition("#")[2]
        attempt = int(number) if number.isascii() and number.isdigit() else -1
        at = parse_timestamp(row.get("triggeredAt"))
        return cls(attempt=attempt, reason=str(row.get("reason")), cause=str(row.get("cause")), at=at)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        at = self.at and rfc3339(self.at)
        return {"attempt": self.attempt, "reason": self.reason, "cause": self.cause, "triggeredAt": at}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One date, with its history.

    ``refusal`` is why a rerun request of a person would be refused now. ``baseline`` is what the
    attempt saw of the post-run sensors; None when nothing is recorded.
    """

    standing: Standing
    entries: tuple[Entry, ...]
    reruns: tuple[Again, ...]
    refusal: Rejection | None
    next_start: Start | None
    baseline: Baseline | None

    @property
    def drifts(self) -> tuple[Drifted, ...]:
        """The sensors that are no longer as the attempt saw them."""
        facts, post_run = self.standing.facts, self.standing.facts.pipeline.post_run
        return () if post_run is None else baselines.compare_all(post_run, self.baseline, facts.sensors)

    @property
    def why(self) -> tuple[str, ...]:
        """Why it ran, or did not."""
        return reasons(self.standing, self.entries, self.past)

    @property
    def past(self) -> tuple[Rerun, ...]:
        """The reruns, as budgets count them."""
        return tuple(Rerun(each.reason, each.cause) for each in self.reruns)

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """How many reruns of each kind there were, and how many there may be."""
        pipeline, past = self.standing.facts.pipeline, self.past
        return (
            budgets.of_retries(pipeline, None, past),
            budgets.of_retries(pipeline, "PERMANENT", past),
            budgets.of_requests(pipeline, Reason.DATA_DRIFT, past),
            budgets.of_requests(pipeline, Reason.MANUAL, past),
        )

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        standing, pipeline = self.standing, self.standing.facts.pipeline
        return {
            "at": rfc3339(standing.now),
            "pipeline": pipeline.id,
            "owner": pipeline.pipeline.owner,
            "timezone": pipeline.schedule.timezone.key,
            "dryRun": pipeline.dry_run,
            "excluded": dates.excluded(pipeline, standing.facts.date),
            **standing.describe(),
            "why": list(self.why),
            "trigger": standing.trigger and standing.trigger.describe(),
            "validation": standing.validation.describe(),
            "postRun": standing.post_run and standing.post_run.describe(),
            "baseline": self.baseline,
            "drift": [each.describe() for each in self.drifts],
            "jobLog": [_entry(each) for each in self.entries],
            "reruns": [each.describe() for each in self.reruns],
            "budgets": [{"name": each.name, "allowed": each.allowed, "used": each.used} for each in self.budgets],
            "rerunRequest": {
                "accepted": self.refusal is None,
                "check": self.refusal and str(self.refusal.check),
                "why": self.refusal and self.refusal.why,
            },
            "nextStart": self.next_start and {"at": rfc3339(self.next_start.at), "date": str(self.next_start.date)},
        }


def explain(installation: Installation, pipeline_id: str, written_date: str | None) -> Explanation:
    """Explain a date of a pipeline; without one, the last that ran, or the one that should have by now.

    Raises:
        ConfigError: there is no such pipeline, or it has no such date.
    """
    pipeline = installation.pipeline(pipeline_id)
    date = date_of(pipeline, written_date) if written_date else default_date(installation, pipeline)
    return explained(installation, pipeline, date)


def explained(installation: Installation, pipeline: Pipeline, date: ExecutionDate) -> Explanation:
    """Everything about a date."""
    found = installation.control.get_many(dates_facts.keys(pipeline, date))
    facts = Facts.of(pipeline, date, found)
    entries, reruns = history(installation, pipeline, facts.key)
    return Explanation(
        standing=Standing.of(facts, installation.now),
        entries=entries,
        reruns=reruns,
        refusal=refusal(facts, entries, reruns, reason=Reason.MANUAL, now=installation.now),
        next_start=expectations.next_start(pipeline, installation.now),
        baseline=_baseline(installation, facts),
    )


def history(installation: Installation, pipeline: Pipeline, key: RunKey) -> tuple[tuple[Entry, ...], tuple[Again, ...]]:
    """The job log and the reruns of a date, each in the order of their occurrence."""
    partition = rows.pk(pipeline.id)
    logged = installation.joblog.query(partition, Bounds(begins_with=rows.job_prefix(key.schedule_id, key.date)))
    again = installation.rerun.query(partition, Bounds(begins_with=rows.rerun_prefix(key.schedule_id, key.date)))
    entries = tuple(entry for row in logged if (entry := Entry.of_row(row)) is not None)
    return entries, tuple(sorted(map(Again.of_row, again), key=lambda each: each.attempt))


def refusal(
    facts: Facts, entries: Sequence[Entry], reruns: Sequence[Again], *, reason: str, now: datetime
) -> Rejection | None:
    """Why stream-router would refuse a request with this reason as everything is now, or None."""
    request = Request(
        pipeline_id=facts.pipeline.id,
        written=facts.key,
        reason=budgets.requested_reason(reason),
        cause="",
        requested_by=None,
        unchanged={},
        written_at=now,
    )
    known = RequestFacts(
        run=facts.run,
        observed=facts.pipeline.dry_run and facts.observed_at is not None,
        past=tuple(Rerun(each.reason, each.cause) for each in reruns),
        entries=tuple(entries),
        sensors=facts.sensors,
    )
    return judge(facts.pipeline, facts.date, request=request, facts=known)


def _baseline(installation: Installation, facts: Facts) -> Baseline | None:
    """What the attempt saw of the post-run sensors, or a dry run when it would have begun."""
    if facts.pipeline.post_run is None or (facts.run is None and facts.observed_at is None):
        return None
    attempt = 0 if facts.run is None else facts.run.attempt
    return baselines.of_row(installation.control.get(baselines.key(facts.pipeline.id, facts.key, attempt)))


def date_of(pipeline: Pipeline, text: str, *, option: str = "DATE") -> ExecutionDate:
    """The execution date that a person wrote.

    Raises:
        ConfigError: it is none, or none of this pipeline.
    """
    try:
        date = ExecutionDate.parse(text)
    except ValueError as error:
        raise ConfigError(Problem(path=option, message=str(error))) from None
    hourly = dates.granularity(pipeline) is Granularity.HOURLY
    if hourly != (date.hour is not None):
        kind, example = ("hours", f"{date.day}T10") if hourly else ("days", f"{date.day}")
        message = f"{text!r}: the execution dates of {pipeline.id} are {kind}, such as {example}"
        raise ConfigError(Problem(path=option, message=message))
    return date


def default_date(installation: Installation, pipeline: Pipeline) -> ExecutionDate:
    """The date that one most likely wants to know about.

    That is one whose start was due and did not come; else today's, when it is excluded; else the last
    that began; else the one that is to come; else today's.
    """
    (status,) = overview(installation, [pipeline.id]).pipelines
    opening, last, today = status.opening, status.last, dates.of_instant(pipeline, installation.now)
    start = None if opening is None else expectations.start_of(pipeline, opening.facts.date)
    if opening is not None and start is not None and start < installation.now:
        return opening.facts.date
    if dates.excluded(pipeline, today) is not None and (last is None or last.facts.date < today):
        return today
    if last is not None:
        return last.facts.date
    return today if opening is None else opening.facts.date


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": rfc3339(entry.at),
        "event": entry.event,
        "attempt": entry.attempt,
        "runId": entry.run_id,
        "durationMs": entry.duration,
        "category": entry.category,
        "error": entry.error,
        "cause": entry.cause,
        "byInterlock": entry.by_interlock,
    }
