"""Dry run: what a pipeline would have done, told as events; nothing is started, nothing claimed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control import job_log
from interlock_runtime.control.ports import Metric, Ports
from interlock_runtime.core import baselines, budgets, dates, deadlines, rows, sensors
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import RECORD_PRECISION, epoch_seconds, millis, rfc3339
from interlock_runtime.core.job_entries import Entry, JobEvent
from interlock_runtime.core.rows import Key, Row, RunKey
from interlock_runtime.core.rules import Sensor, evaluate
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.timestamps import parse_timestamp

#: How long it is remembered that a date would have been started.
KEEP = timedelta(days=7)

#: The attempt that would have been the first.
_ATTEMPT = 0


def triggered(
    ports: Ports,
    pipeline: Pipeline,
    date: ExecutionDate,
    *,
    cause: str,
    at: datetime,
    by_sensor: bool = True,
    now: datetime,
) -> None:
    """Something would have started the date's run at ``at``: observe it, once, or tell that it comes late.

    After the trigger deadline nothing would have been started, and nothing is told. A sensor counts
    from its write, a tick from when it is handled, as for a real start.
    """
    key = _marker_key(pipeline, date)
    marker = ports.control.get(key)
    if marker is not None and _cause(marker) != cause:
        _came_late(ports, pipeline, date, marker, cause=cause, at=at, by_sensor=by_sensor, now=now)
        return
    deadline = deadlines.trigger_deadline(pipeline, date)
    if marker is None and deadline is not None and (at if by_sensor else now) > deadline:
        ports.log.info("dry run: nothing would be started after the trigger deadline", deadline=rfc3339(deadline))
        return
    rule_keys = (*sensors.validation_keys(pipeline), *sensors.post_run_keys(pipeline))
    seen = sensors.read(ports.control.get_many, pipeline, rule_keys, date)
    rules = pipeline.validation
    verdict = evaluate(rules.rules, mode=rules.trigger, sensors=seen, now=now)
    ports.metrics.count(Metric.RULES_EVALUATED, len(verdict.results))
    if marker is None:
        if not verdict.passed:
            ports.log.info("dry run: the constraints do not hold yet", reasons=verdict.reasons)
            return
        data = {"triggeredAt": rfc3339(now), "cause": cause}
        row = {"PK": key[0], "SK": key[1], "data": data, "ttl": epoch_seconds(now + KEEP)}
        write = ports.control.put(row, expect=ABSENT)
        marker = row if write.done or write.row is None else write.row
        if _cause(marker) != cause:
            _came_late(ports, pipeline, date, marker, cause=cause, at=at, by_sensor=by_sensor, now=now)
            return
    if pipeline.post_run is not None:
        run = RunKey(pipeline.schedule_id, str(date))
        baseline = baselines.row_of(pipeline.id, run, _ATTEMPT, post_run=pipeline.post_run, sensors=seen, now=now)
        ports.control.put(baseline, expect=ABSENT)
    observed_at = _triggered_at(marker) or now
    ports.bus.publish(observation(pipeline, date, at=observed_at, arrival=at, verdict=verdict.describe()), now=now)


def observation(
    pipeline: Pipeline, date: ExecutionDate, *, at: datetime, arrival: datetime, verdict: Mapping[str, Any]
) -> list[Event]:
    """The events of a run that would have been started at ``at``, after a first sensor at ``arrival``."""
    message = f"dry run: the job of {pipeline.id} for {date} would have been started"
    events = [_event(pipeline, date, "DRY_RUN_WOULD_TRIGGER", message, {"triggeredAt": rfc3339(at), **verdict})]
    projection = project(pipeline, date, at=at, arrival=arrival)
    if projection is not None:
        met = "met" if projection["status"] == "met" else "missed"
        message = f"dry run: the deadline of {pipeline.id} for {date} would be {met}"
        events.append(_event(pipeline, date, "DRY_RUN_SLA_PROJECTION", message, projection))
    status = projection["status"] if projection else "n/a"
    message = f"dry run: the observation of {pipeline.id} for {date} is complete"
    events.append(_event(pipeline, date, "DRY_RUN_COMPLETED", message, {"slaStatus": status}))
    return events


def project(pipeline: Pipeline, date: ExecutionDate, *, at: datetime, arrival: datetime) -> dict[str, Any] | None:
    """Whether a job started at ``at`` would meet the earliest deadline; None when that cannot be told."""
    clocks = (deadlines.absolute(pipeline, date), deadlines.relative(pipeline, arrival))
    breach = min((clock.breach for clock in clocks if clock is not None), default=None)
    if breach is None or pipeline.sla is None or pipeline.sla.expected_duration is None:
        return None
    completion = at + pipeline.sla.expected_duration
    return {
        "status": "met" if completion <= breach else "breach",
        "estimatedCompletion": rfc3339(completion),
        "deadline": rfc3339(breach),
        "marginSeconds": round((breach - completion).total_seconds()),
    }


def post_run_sensor(
    ports: Ports, pipeline: Pipeline, date: ExecutionDate, sensor: Sensor, *, written_at: datetime, now: datetime
) -> None:
    """A sensor of the post-run rules was written: tell when it drifted from the observation's baseline."""
    row = ports.control.get(baselines.key(pipeline.id, RunKey(pipeline.schedule_id, str(date)), _ATTEMPT))
    if pipeline.post_run is None or baselines.saw_what_followed(row, written_at=written_at):
        return
    if (found := baselines.compare(pipeline.post_run, baselines.of_row(row), sensor, date=date)) is None:
        return
    told = found.describe()
    message = f"dry run: {found.sensor_key} changed after {pipeline.id} would have used it for {date}"
    event = _event(pipeline, date, "DRY_RUN_DRIFT", message, told, cause=found.cause(_ATTEMPT))
    ports.bus.publish([event], now=now)


def requested(
    ports: Ports, pipeline: Pipeline, date: str, *, reason: str, cause: str, refused: str | None, now: datetime
) -> None:
    """A rerun was requested; ``refused`` says why it would have been rejected."""
    if refused is None:
        message = f"dry run: the rerun of {pipeline.id} for {date} would have been accepted"
        event = _event(pipeline, date, "DRY_RUN_WOULD_RERUN", message, {"reason": reason}, cause=cause)
    else:
        message = f"dry run: the rerun of {pipeline.id} for {date} would have been refused: {refused}"
        detail = {"reason": reason, "rejectedBecause": refused}
        event = _event(pipeline, date, "DRY_RUN_RERUN_REJECTED", message, detail, cause=cause)
    ports.bus.publish([event], now=now)


def job_ended(ports: Ports, pipeline: Pipeline, entry: Entry, *, now: datetime) -> None:
    """An outside job reported its end: tell whether a failure would have been retried.

    There are no reruns to count, so each earlier failure of the date counts as one retry.
    """
    if entry.event == JobEvent.SUCCESS:
        return
    try:
        date = ExecutionDate.parse(entry.key.date)
    except ValueError as error:
        ports.log.warning("job-log row passed over", problem=str(error))
        return
    earlier = [
        each
        for each in job_log.of_date(ports, pipeline.id, entry.key)
        if each.is_outcome and each.event != JobEvent.SUCCESS and each.at < entry.at
    ]
    budget = budgets.retry_budget(pipeline, entry.category, used=len(earlier))
    excluded = dates.excluded(pipeline, date)
    detail = {
        "event": entry.event,
        "category": entry.category,
        "error": entry.error,
        "used": budget.used,
        "allowed": budget.allowed,
    }
    cause = f"job:{millis(entry.at)}"
    if budget.is_spent or excluded is not None:
        message = f"dry run: the failed job of {pipeline.id} for {date} would not be retried: {excluded or budget}"
        event = _event(pipeline, date, "DRY_RUN_RETRY_EXHAUSTED", message, detail, cause=cause)
    else:
        message = f"dry run: the failed job of {pipeline.id} for {date} would be retried: {budget}"
        event = _event(pipeline, date, "DRY_RUN_WOULD_RETRY", message, detail, cause=cause)
    ports.bus.publish([event], now=now)


def _came_late(
    ports: Ports,
    pipeline: Pipeline,
    date: ExecutionDate,
    marker: Row,
    *,
    cause: str,
    at: datetime,
    by_sensor: bool,
    now: datetime,
) -> None:
    """Tell that a sensor was written after the run would have started."""
    triggered_at = _triggered_at(marker)
    if not by_sensor or triggered_at is None or at + RECORD_PRECISION <= triggered_at:
        return
    late_by = format_duration(timedelta(seconds=max(0, round((at - triggered_at).total_seconds()))))
    message = f"dry run: data of {pipeline.id} for {date} arrived after the run would have started"
    detail = {"triggeredAt": rfc3339(triggered_at), "writtenAt": rfc3339(at), "lateBy": late_by}
    ports.bus.publish([_event(pipeline, date, "DRY_RUN_LATE_DATA", message, detail, cause=cause)], now=now)


def _event(
    pipeline: Pipeline,
    date: ExecutionDate | str,
    kind: str,
    message: str,
    detail: Mapping[str, Any],
    *,
    cause: str = "",
) -> Event:
    return Event(
        type=kind,
        pipeline_id=pipeline.id,
        schedule_id=pipeline.schedule_id,
        date=str(date),
        message=message,
        detail=detail,
        cause=cause,
    )


def _marker_key(pipeline: Pipeline, date: ExecutionDate) -> Key:
    return rows.pk(pipeline.id), rows.dry_run(pipeline.schedule_id, str(date))


def _cause(marker: Row) -> Any:
    data = marker.get("data")
    return data.get("cause") if isinstance(data, dict) else None


def _triggered_at(marker: Row) -> datetime | None:
    data = marker.get("data")
    return parse_timestamp(data.get("triggeredAt")) if isinstance(data, dict) else None
