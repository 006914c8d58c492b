"""Rerun requests of people: put as documented, and followed until they are decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core import causes, rows
from interlock_runtime.core.budgets import requested_reason
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import JobEvent
from interlock_runtime.core.rerun_requests import INTERLOCK, Check, Rejection
from interlock_runtime.core.rows import KIND, Kind, Row, RunKey
from interlock_runtime.core.run import Run, trigger_key
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.explanation import explained, history, refusal
from interlock_tf.installation.facts import run_of
from interlock_tf.installation.history import history as published

#: Refusals that nothing can change before stream-router comes to the same: it reads the same document and records.
_CERTAIN = (Check.EXCLUDED, Check.BUDGET)

#: Seconds between two looks for the answer.
_PAUSE = 2.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that was put. ``doubt`` is why it would be refused if it were decided at once."""

    pipeline: Pipeline
    date: ExecutionDate
    row: Row
    doubt: Rejection | None

    @property
    def key(self) -> RunKey:
        """The schedule and the date."""
        return RunKey(self.pipeline.schedule_id, str(self.date))

    @property
    def cause(self) -> str:
        """The cause by which the runtime knows the request."""
        return causes.request(self.row, None)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a request: an event, and in words why."""

    event: str
    why: str
    attempt: int | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the date is not run again."""
        return self.event.endswith(("REJECTED", "EXCLUDED"))

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {"event": self.event, "why": self.why, "attempt": self.attempt}


def ask(installation: Installation, pipeline: Pipeline, date: ExecutionDate, *, reason: str, by: str) -> Asked:
    """Put a request.

    Raises:
        ConfigError: it is sure to be refused, or another one is waiting.
    """
    if not reason.strip():
        raise ConfigError(Problem(path="--reason", message="is empty; say why the date shall run again"))
    if requested_reason(reason) != reason:
        raise ConfigError(Problem(path="--reason", message=f"{reason!r} is a reason that only Interlock itself gives"))
    if by == INTERLOCK:
        raise ConfigError(Problem(path="--by", message=f"{by!r} stands for Interlock itself"))
    found = explained(installation, pipeline, date)
    facts = found.standing.facts
    reruns, now = found.reruns, installation.now
    doubt = refusal(facts, found.entries, reruns, reason=reason, now=now)
    if doubt is not None and doubt.check in _CERTAIN and not pipeline.dry_run:
        raise ConfigError(Problem(message=f"{pipeline.id} is not run again for {date}: {doubt.why}"))
    row = {
        "PK": rows.pk(pipeline.id),
        "SK": rows.rerun_request(pipeline.schedule_id, str(date)),
        "reason": reason,
        "requestedAt": rfc3339(now),
        "requestedBy": by,
        KIND: str(Kind.REQUEST),
    }
    if not installation.control.put(row, only_if_absent=True):
        waiting = facts.request
        who = f" of {waiting.requested_by}" if waiting is not None and waiting.requested_by else ""
        message = f"a request{who} for {pipeline.id} {date} is waiting already, and will be decided first"
        raise ConfigError(Problem(message=message))
    return Asked(pipeline=pipeline, date=date, row=row, doubt=doubt)


def follow(
    installation: Installation,
    asked: Asked,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer | None:
    """Wait for the answer, as the tables have it; None when there is none in time."""
    end = clock() + seconds
    while (answer := _answer(installation, asked)) is None:
        if (left := end - clock()) <= 0:
            return None
        sleep(min(_PAUSE, left))
    return answer


def _answer(installation: Installation, asked: Asked) -> Answer | None:
    if asked.pipeline.dry_run:
        return _rehearsed(installation, asked)
    row = installation.control.get(trigger_key(asked.pipeline.id, asked.key))
    run, _ = run_of(row)
    if run is not None and run.cause == asked.cause:
        return _accepted(run.attempt, run)
    entries, _ = history(installation, asked.pipeline, asked.key)
    for entry in entries:
        if entry.by_interlock and entry.cause == asked.cause:
            if entry.event == JobEvent.RERUN_ACCEPTED:
                return _accepted(entry.attempt, None)
            if entry.event == JobEvent.RERUN_REJECTED:
                event = "PIPELINE_EXCLUDED" if entry.category == Check.EXCLUDED else "RERUN_REJECTED"
                return Answer(event=event, why=entry.error or "no reason is recorded")
    return None


def _accepted(attempt: int | None, run: Run | None) -> Answer:
    started = "" if run is None or not run.is_launched else f", and execution {run.execution_name} was started"
    return Answer(event="RERUN_ACCEPTED", why=f"attempt {attempt} was claimed{started}", attempt=attempt)


def _rehearsed(installation: Installation, asked: Asked) -> Answer | None:
    """What a dry run tells, which only its events say."""
    kinds = ("DRY_RUN_WOULD_RERUN", "DRY_RUN_RERUN_REJECTED")
    found = published(installation, asked.pipeline.id, since=installation.now, types=kinds, limit=10)
    for event in reversed(found):
        if event.text("date") == asked.key.date:
            return Answer(event=event.text("eventType"), why=event.text("message"))
    return None
