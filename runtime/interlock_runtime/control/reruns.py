"""Requests for another run: by a person, by a tool, or by Interlock itself after drift or late data.

A request is checked in a fixed order, and the first check that speaks decides. The decision is
on record before anything else happens: an acceptance in the trigger row, a rejection in the job
log. A replay finds it there, by the request's cause, and only does what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from interlock_runtime.aws.tables import ABSENT, Key
from interlock_runtime.control import announcements, arrivals, budgets, causes, dry_run, job_log, runs, sensors
from interlock_runtime.control.configs import Config
from interlock_runtime.control.job_log import Entry, JobEvent
from interlock_runtime.control.ports import Ports, StartPorts
from interlock_runtime.control.run import Reason, Run, read_run
from interlock_runtime.control.sensors import Sensors
from interlock_runtime.core import dates, rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import KIND, Kind, RunKey
from interlock_runtime.core.timestamps import parse_timestamp

#: ``requestedBy`` of the requests that Interlock makes.
INTERLOCK = "interlock"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request row. ``written`` is the date as the row's key has it, ``written_at`` when the row was written.

    ``unchanged`` is the condition under which the row is still this request, and not a newer one.
    """

    pipeline_id: str
    written: RunKey
    reason: str
    cause: str
    requested_by: str | None
    unchanged: Mapping[str, Any]
    written_at: datetime

    @classmethod
    def of_row(cls, row: Mapping[str, Any], *, event_id: str | None, written_at: datetime) -> Request | None:
        """Read a request; None when the row's key is of another form."""
        pipeline_id = rows.pipeline_of(row.get("PK"))
        written = rows.run_key(str(row.get("SK")), rows.RERUN_REQUEST_PREFIX)
        if pipeline_id is None or written is None:
            return None
        by, at = row.get("requestedBy"), row.get("requestedAt")
        # What is no time may not compare, and a row that stays would stand in the way of every later request.
        comparable = "requestedAt" not in row or parse_timestamp(at) is not None
        return cls(
            pipeline_id=pipeline_id,
            written=written,
            reason=budgets.requested_reason(row.get("reason")),
            cause=causes.request(row, event_id),
            requested_by=by if isinstance(by, str) else None,
            unchanged={"requestedAt": at} if comparable else {},
            written_at=written_at,
        )

    @property
    def tells_of_drift(self) -> bool:
        """Whether Interlock itself has compared the data, and found that it is not what the run used."""
        return self.reason == Reason.DATA_DRIFT and self.requested_by == INTERLOCK

    @property
    def key(self) -> Key:
        """The key of the request's own row."""
        return rows.pk(self.pipeline_id), rows.rerun_request(self.written.schedule_id, self.written.date)


class Check(StrEnum):
    """The checks of a request, in their order."""

    EXCLUDED = "excluded"
    BUDGET = "budget"
    CIRCUIT_BREAKER = "circuit breaker"
    IN_PROGRESS = "run in progress"
    #: The request can mean no run at all: an unknown pipeline, another schedule, no execution date.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rejection:
    """Which check refused a request, and why in words."""

    check: Check
    why: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the checks look at. ``entries`` are those of the job log; ``sensors`` those of all rule keys.

    ``observed``: a dry run has seen the date's start.
    """

    run: Run | None
    observed: bool
    past: tuple[budgets.Rerun, ...]
    entries: tuple[Entry, ...]
    sensors: Sensors


def ask(ports: Ports, pipeline: Pipeline, date: str, *, reason: Reason, cause: str, now: datetime) -> None:
    """Request another run on Interlock's own behalf, unless a request for that date is waiting already."""
    key = rows.rerun_request(pipeline.schedule_id, date)
    row = {
        "PK": rows.pk(pipeline.id),
        "SK": key,
        "reason": str(reason),
        "requestedAt": rfc3339(now),
        "requestedBy": INTERLOCK,
        "cause": cause,
        KIND: str(Kind.REQUEST),
    }
    if not ports.control.put(row, expect=ABSENT).done:
        ports.log.info("another request is waiting for that date, and will do", reason=reason, cause=cause)


def judge(pipeline: Pipeline, date: ExecutionDate, *, request: Request, facts: Facts) -> Rejection | None:
    """Why a request is refused, or None; pure. Where nothing ran yet, it is a start, and spends no budget.

    Drift needs no newer ``updatedAt`` to pass the circuit breaker: data that changed while the job
    ran was updated before the job's success was logged, and still is not what the job read.
    """
    if (excluded := dates.excluded(pipeline, date)) is not None:
        return Rejection(Check.EXCLUDED, excluded)
    if not facts.observed and (facts.run is None or facts.run.is_expired):
        return None
    budget = budgets.of_requests(pipeline, request.reason, facts.past)
    if budget.is_spent:
        return Rejection(Check.BUDGET, f"the budget is spent: {budget}")
    if not request.tells_of_drift and (nothing_new := _nothing_new(facts)) is not None:
        return Rejection(Check.CIRCUIT_BREAKER, nothing_new)
    if facts.run is not None and facts.run.is_running:
        return Rejection(Check.IN_PROGRESS, "run in progress")
    return None


def handle(ports: StartPorts, request: Request, *, now: datetime) -> None:
    """Accept or reject a request, and delete it.

    Raises:
        ConfigError: the pipeline's configuration cannot be read; the request stays.
        TransientError: the trigger row kept changing.
    """
    ports.log.also(schedule=request.written.schedule_id, date=request.written.date)
    config = ports.configs.get(request.pipeline_id, now)
    if config is None:
        unknown = Rejection(Check.UNKNOWN, f"there is no pipeline {request.pipeline_id!r}")
        _reject(ports, config, request, request.written, unknown, now=now)
    elif isinstance(date := _date(config.pipeline, request), Rejection):
        _reject(ports, config, request, request.written, date, now=now)
    elif config.pipeline.dry_run:
        _rehearse(ports, config.pipeline, request, date, now=now)
    else:
        _settle(ports, config, request, date, now=now)
    ports.control.delete(request.key, expect=request.unchanged)


def _settle(ports: StartPorts, config: Config, request: Request, date: ExecutionDate, *, now: datetime) -> None:
    key = RunKey(config.pipeline.schedule_id, str(date))
    for _ in range(runs.ROUNDS):
        facts = _facts(ports, config.pipeline, date)
        if facts.run is not None and facts.run.cause == request.cause:
            runs.launch(ports, facts.run, now=now)
            return
        if (decided := _on_record(facts, request)) is not None:
            if decided.event == JobEvent.RERUN_REJECTED:
                recorded = Rejection(Check(decided.category or Check.UNKNOWN), decided.error or "")
                _tell(ports, config, request, key, recorded, now=now)
            return
        rejection = judge(config.pipeline, date, request=request, facts=facts)
        if rejection is not None:
            _reject(ports, config, request, key, rejection, now=now)
            return
        made = _claim(ports, config, request, key, facts.run, now=now)
        if made.made and made.run is not None:
            runs.launch(ports, made.run, now=now)
            return
    raise TransientError(f"the trigger row of {request.pipeline_id} {key.date} kept changing")


def _rehearse(ports: StartPorts, pipeline: Pipeline, request: Request, date: ExecutionDate, *, now: datetime) -> None:
    """Tell what would become of the request if the pipeline were no dry run."""
    rejection = judge(pipeline, date, request=request, facts=_facts(ports, pipeline, date))
    refused = None if rejection is None else rejection.why
    dry_run.requested(ports, pipeline, str(date), reason=request.reason, cause=request.cause, refused=refused, now=now)


def _claim(
    ports: StartPorts, config: Config, request: Request, key: RunKey, run: Run | None, *, now: datetime
) -> runs.Transition:
    if run is not None and not run.is_expired:
        return runs.again(ports, config, run, cause=request.cause, reason=request.reason, now=now)
    arrival = arrivals.read(ports, request.pipeline_id, key.date)
    return runs.begin(
        ports, config, key.date, cause=request.cause, reason=request.reason, arrival=arrival, now=now, expired=run
    )


def _facts(ports: Ports, pipeline: Pipeline, date: ExecutionDate) -> Facts:
    key = RunKey(pipeline.schedule_id, str(date))
    rule_keys = sensors.all_keys(pipeline)
    trigger = (rows.pk(pipeline.id), rows.trigger(key.schedule_id, key.date))
    observation = (rows.pk(pipeline.id), rows.dry_run(key.schedule_id, key.date))
    found = ports.control.get_many([trigger, observation, *sensors.keys_of(pipeline, rule_keys, date)])
    return Facts(
        run=read_run(found.pop(trigger, None)),
        observed=pipeline.dry_run and found.pop(observation, None) is not None,
        past=budgets.reruns(ports, pipeline.id, key),
        entries=job_log.of_date(ports, pipeline.id, key),
        sensors=sensors.chosen(rule_keys, date, found),
    )


def _nothing_new(facts: Facts) -> str | None:
    """Why there is no reason to run again, when the job succeeded and no sensor has changed since."""
    last = job_log.last_outcome(facts.entries)
    if last is None or last.event != JobEvent.SUCCESS:
        return None
    found = (parse_timestamp(sensor.fields.get("updatedAt")) for sensor in facts.sensors.values() if sensor)
    updates = [update for update in found if update is not None]
    if not updates or max(updates) > last.at:
        return None
    return (
        f"the job succeeded at {rfc3339(last.at)}, and no sensor was updated after that"
        f" (the latest at {rfc3339(max(updates))})"
    )


def _on_record(facts: Facts, request: Request) -> Entry | None:
    """The earlier decision about this request, when it was handled before."""
    decisions = (JobEvent.RERUN_ACCEPTED, JobEvent.RERUN_REJECTED)
    ours = (each for each in facts.entries if each.by_interlock and each.event in decisions)
    return next((each for each in ours if each.cause == request.cause), None)


def _date(pipeline: Pipeline, request: Request) -> ExecutionDate | Rejection:
    """The execution date that a request means, or why it means none."""
    if request.written.schedule_id != pipeline.schedule_id:
        return Rejection(
            Check.UNKNOWN,
            f"{pipeline.id} has the schedule {pipeline.schedule_id!r}, not {request.written.schedule_id!r}",
        )
    try:
        date = ExecutionDate.parse(request.written.date)
    except ValueError as error:
        return Rejection(Check.UNKNOWN, str(error))
    return dates.coerce(pipeline, date, at=request.written_at)


def _reject(
    ports: StartPorts, config: Config | None, request: Request, key: RunKey, rejection: Rejection, *, now: datetime
) -> None:
    """Record a rejection, then tell it; the record keeps its reason for a replay."""
    ports.log.info("rerun request rejected", check=rejection.check, why=rejection.why, reason=request.reason)
    entry = Entry(
        key=key,
        at=request.written_at,
        event=JobEvent.RERUN_REJECTED,
        cause=request.cause,
        error=rejection.why,
        category=rejection.check,
    )
    job_log.append(ports, request.pipeline_id, entry)
    _tell(ports, config, request, key, rejection, now=now)


def _tell(
    ports: StartPorts, config: Config | None, request: Request, key: RunKey, rejection: Rejection, *, now: datetime
) -> None:
    if rejection.check is Check.EXCLUDED and config is not None:
        announcements.excluded(ports, config.pipeline, key.date, reason=rejection.why, now=now)
    else:
        ports.bus.publish([_rejected_event(request, key, rejection.why)], now=now)


def _rejected_event(request: Request, key: RunKey, why: str) -> Event:
    return Event(
        type="RERUN_REJECTED",
        pipeline_id=request.pipeline_id,
        schedule_id=key.schedule_id,
        date=key.date,
        message=f"the rerun of {request.pipeline_id} for {key.date} was refused: {why}",
        detail={"reason": request.reason, "rejectedBecause": why, "requestedBy": request.requested_by},
        cause=request.cause,
    )
