"""Requests for another run: by a person, by a tool, or by Interlock itself after drift or late data.

A request is checked in a fixed order, and the first check that speaks decides. The decision is
on record before anything else happens: an acceptance in the trigger row, a rejection in the job
log. A replay finds it there, by the request's cause, and only does what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control import announcements, arrivals, dry_run, job_log, runs, sla_alerts
from interlock_runtime.control.ports import Ports, StartPorts
from interlock_runtime.core import budgets, rows, sensors
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rerun_requests import (
    INTERLOCK,
    NOTICED_AT,
    Check,
    Facts,
    Rejection,
    Request,
    date_of,
    judge,
)
from interlock_runtime.core.rows import KIND, Key, Kind, Row, RunKey
from interlock_runtime.core.run import Reason, Run, read_run


def ask(ports: Ports, pipeline: Pipeline, date: str, *, reason: Reason, cause: str, now: datetime) -> None:
    """Request another run on Interlock's own behalf, unless a request for that date is waiting already.

    For drift the request takes the place of one for late data. Somebody else's is put on the
    index, so that the watchdog finds it should its stream record be lost.

    Raises:
        TransientError: the request row kept changing.
    """
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
    expect = ABSENT
    for _ in range(runs.ROUNDS):
        write = ports.control.put(row, expect=expect)
        if write.done:
            return
        waiting = write.row and Request.of_row(write.row, event_id=None, written_at=now)
        if not waiting or write.row is None:
            expect = ABSENT  # it was decided about just now
        elif reason is Reason.DATA_DRIFT and waiting.gives_way:
            expect = waiting.unchanged
        else:
            ports.log.info("another request is waiting for that date, and will do", reason=reason, cause=cause)
            if KIND not in write.row:
                noticed = {KIND: str(Kind.REQUEST), NOTICED_AT: rfc3339(now)}
                ports.control.update(waiting.key, noticed, expect={"PK": row["PK"], KIND: None})
            return
    raise TransientError(f"the request for {pipeline.id} {date} kept changing")


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
    elif isinstance(date := date_of(config.pipeline, request), Rejection):
        _reject(ports, config, request, request.written, date, now=now)
    elif config.pipeline.dry_run:
        _rehearse(ports, config.pipeline, request, date, now=now)
    else:
        _settle(ports, config, request, date, now=now)
    ports.control.delete(request.key, expect=request.unchanged)


def _settle(ports: StartPorts, config: Config, request: Request, date: ExecutionDate, *, now: datetime) -> None:
    key = RunKey(config.pipeline.schedule_id, str(date))
    for _ in range(runs.ROUNDS):
        facts, found = _facts(
            ports, config.pipeline, date, request.key, *sla_alerts.keys_to_conclude(config.pipeline, key)
        )
        if facts.run is not None and facts.run.cause == request.cause:
            runs.launch(ports, facts.run, now=now)
            return
        if (decided := _on_record(facts, request)) is not None:
            if decided.event == JobEvent.RERUN_REJECTED:
                recorded = Rejection(Check(decided.category or Check.UNKNOWN), decided.error or "")
                _tell(ports, config, request, key, recorded, now=now)
            return
        if request.gives_way and not request.is_in(found.get(request.key)):
            ports.log.info("request passed over: drift has taken its place", reason=request.reason)
            return
        rejection = judge(config.pipeline, date, request=request, facts=facts)
        if rejection is not None:
            _reject(ports, config, request, key, rejection, now=now)
            return
        if facts.run is not None:
            sla_alerts.conclude(ports, config.pipeline, facts.run, found, now=now)
        made = _claim(ports, config, request, key, facts.run, now=now)
        if made.made and made.run is not None:
            runs.launch(ports, made.run, now=now)
            return
    raise TransientError(f"the trigger row of {request.pipeline_id} {key.date} kept changing")


def _rehearse(ports: StartPorts, pipeline: Pipeline, request: Request, date: ExecutionDate, *, now: datetime) -> None:
    """Tell what would become of the request if the pipeline were no dry run."""
    facts, _ = _facts(ports, pipeline, date)
    rejection = judge(pipeline, date, request=request, facts=facts)
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


def _facts(ports: Ports, pipeline: Pipeline, date: ExecutionDate, *others: Key) -> tuple[Facts, Mapping[Key, Row]]:
    """What the checks look at, and the rows it was read from, those under the ``others`` among them."""
    key = RunKey(pipeline.schedule_id, str(date))
    rule_keys = sensors.all_keys(pipeline)
    trigger = (rows.pk(pipeline.id), rows.trigger(key.schedule_id, key.date))
    observation = (rows.pk(pipeline.id), rows.dry_run(key.schedule_id, key.date))
    found = ports.control.get_many([trigger, observation, *others, *sensors.keys_of(pipeline, rule_keys, date)])
    facts = Facts(
        run=read_run(found.get(trigger)),
        observed=pipeline.dry_run and observation in found,
        past=budgets.reruns(ports.rerun.query(rows.pk(pipeline.id), rows.rerun_prefix(key.schedule_id, key.date))),
        entries=job_log.of_date(ports, pipeline.id, key),
        sensors=sensors.chosen(rule_keys, date, found),
    )
    return facts, found


def _on_record(facts: Facts, request: Request) -> Entry | None:
    """The earlier decision about this request, when it was handled before."""
    decisions = (JobEvent.RERUN_ACCEPTED, JobEvent.RERUN_REJECTED)
    ours = (each for each in facts.entries if each.by_interlock and each.event in decisions)
    return next((each for each in ours if each.cause == request.cause), None)


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
