"""Check 9, undecided: failures and requests that nobody has decided about, since their stream record was lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from interlock_runtime.control import job_log, reruns, retries
from interlock_runtime.control.looks import Later, Look
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.retries import Failure
from interlock_runtime.control.watchdog.candidates import config_of
from interlock_runtime.core import job_entries
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import JobEvent
from interlock_runtime.core.rerun_requests import NOTICED_AT, Request
from interlock_runtime.core.rows import Kind, Row
from interlock_runtime.core.run import Run, read_run
from interlock_runtime.core.timestamps import parse_timestamp

#: How long the router has to decide.
DECIDED_WITHIN = timedelta(minutes=10)


def look_at_failure(ports: WatchdogPorts, row: Row, now: datetime) -> Look[None]:
    """Decide whether a failed run is retried."""
    candidate = Run.of_row(row)
    if candidate.completed_at is not None and now < candidate.completed_at + DECIDED_WITHIN:
        return
    config = yield from config_of(candidate.pipeline_id)
    run = read_run((yield [candidate.key]).get(candidate.key))
    if run is None or run.kind != Kind.UNDECIDED:
        return
    entries = job_log.of_date(ports, run.pipeline_id, run.run_key)
    failure = Failure.of(job_entries.outcome_of((each for each in entries if each.event != JobEvent.SUCCESS), run))
    ports.log.warning("nobody has decided about the failed run; it is decided now", attempt=run.attempt)
    retries.decide(ports, config, run, attempt=run.attempt, failure=failure, now=now)


def look_at_request(ports: WatchdogPorts, row: Row, now: datetime) -> Look[None]:
    """Accept or reject a request.

    One that does not say when it was made may be new: it gets a second look, and ten minutes if
    Interlock has only just met it. Then it is given a time, by which this request is known again,
    whoever handles it.
    """
    key, requested_at = (row["PK"], row["SK"]), parse_timestamp(row.get("requestedAt"))
    waits_since = requested_at or parse_timestamp(row.get(NOTICED_AT))
    if waits_since is not None and now < waits_since + DECIDED_WITHIN:
        return
    found = yield [key] if requested_at is not None else Later((key,))
    current = found.get(key)
    if current is not None and requested_at is None:
        # What is there and is no time may not compare.
        expect = {"PK": key[0]} if "requestedAt" in current else {"PK": key[0], "requestedAt": None}
        dated = ports.control.update(key, {"requestedAt": rfc3339(now)}, expect=expect)
        current = dated.row if dated.done else None
    request = current and Request.of_row(current, event_id=None, written_at=requested_at or now)
    if request:
        ports.log.warning("nobody has decided about the request; it is decided now", reason=request.reason)
        reruns.handle(ports, request, now=now)
