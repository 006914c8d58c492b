"""Every event that Interlock knows, in one table, and the shape of an event.

The alert rule on the bus, the dispatcher's severity marks and the table in the documentation
are generated from :data:`EVENT_TYPES`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from interlock_runtime.core.numbers import plain

#: The ``source`` of every event on the bus.
SOURCE = "interlock"

#: ``pipelineId`` of the events about no pipeline: those about this installation of Interlock itself.
INFRASTRUCTURE = "INFRASTRUCTURE"


class Severity(StrEnum):
    """How loudly an event should be told."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class EventType:
    """One row of the table.

    ``alerts``: routed to the alert queue by the rule on the bus. ``marked``: an alert about an
    absence or a deadline, remembered by a ``MARKER#alert#…`` row once it was sent, so that a
    later pass does not send it again.
    """

    name: str
    severity: Severity
    meaning: str
    alerts: bool = True
    marked: bool = False


def _table(*rows: EventType) -> Mapping[str, EventType]:
    return {row.name: row for row in rows}


_I, _N, _W, _C = Severity.INFO, Severity.NOTICE, Severity.WARNING, Severity.CRITICAL

#: All event types by name. ``INFRA_ALARM`` reaches Slack by a rule of its own; ``DATA_DRIFT`` is
#: reserved: routed, published by nobody.
EVENT_TYPES: Mapping[str, EventType] = _table(
    EventType("VALIDATION_PASSED", _I, "every constraint holds; the job may start", alerts=False),
    EventType("VALIDATION_EXHAUSTED", _W, "the constraints did not hold within the evaluation window"),
    EventType("JOB_TRIGGERED", _I, "the job was started", alerts=False),
    EventType("JOB_COMPLETED", _I, "the job succeeded"),
    EventType("JOB_FAILED", _W, "the job failed or timed out"),
    EventType("RETRY_EXHAUSTED", _C, "no retry is left; the run has failed for good"),
    EventType("JOB_POLL_EXHAUSTED", _C, "the job was still running when the poll window closed"),
    EventType("INFRA_FAILURE", _C, "a run was broken by its infrastructure, not by its data"),
    EventType("INFRA_ALARM", _C, "a CloudWatch alarm of this installation changed state", alerts=False),
    EventType("SFN_TIMEOUT", _C, "the execution ran into its time-out"),
    EventType("SCHEDULE_MISSED", _C, "a cron schedule was due and no run exists", marked=True),
    EventType("IRREGULAR_SCHEDULE_MISSED", _C, "an include date was due and no run exists", marked=True),
    EventType("SENSOR_DEADLINE_EXPIRED", _C, "the trigger condition was not met before its deadline", marked=True),
    EventType("PIPELINE_EXCLUDED", _I, "the date is excluded by the pipeline's calendar", marked=True),
    EventType("TRIGGER_RECOVERED", _W, "a start that had been lost was made good"),
    EventType("LATE_DATA_ARRIVAL", _W, "data arrived after the run had finished"),
    EventType("RERUN_ACCEPTED", _N, "a rerun was accepted and starts"),
    EventType("RERUN_REJECTED", _W, "a rerun was refused"),
    EventType("BASELINE_CAPTURE_FAILED", _W, "the baseline for drift could not be recorded"),
    EventType("POST_RUN_BASELINE_CAPTURED", _I, "the baseline for drift was recorded", alerts=False),
    EventType("POST_RUN_PASSED", _I, "the rules after the run hold", alerts=False),
    EventType("POST_RUN_FAILED", _C, "a rule after the run does not hold"),
    EventType("POST_RUN_DRIFT", _C, "the data changed after the run used it"),
    EventType("POST_RUN_DRIFT_INFLIGHT", _W, "the data changed while the run was using it"),
    EventType("POST_RUN_SENSOR_MISSING", _W, "no sensor arrived after the run, within its time-out", marked=True),
    EventType("DATA_DRIFT", _W, "reserved; published by nobody"),
    EventType("SLA_WARNING", _W, "the deadline is near and the run has not finished", marked=True),
    EventType("SLA_BREACH", _C, "the deadline passed and the run had not finished", marked=True),
    EventType("SLA_MET", _I, "the run finished before its deadline", marked=True),
    EventType("RELATIVE_SLA_WARNING", _W, "the time allowed since the first sensor is nearly used up", marked=True),
    EventType("RELATIVE_SLA_BREACH", _C, "the time allowed since the first sensor is used up", marked=True),
    EventType("WATCHDOG_DEGRADED", _C, "a check of the watchdog itself failed"),
    EventType("DRY_RUN_WOULD_TRIGGER", _N, "dry run: the job would have been started"),
    EventType("DRY_RUN_LATE_DATA", _W, "dry run: data arrived after the run would have started"),
    EventType("DRY_RUN_SLA_PROJECTION", _I, "dry run: whether the deadline would be met"),
    EventType("DRY_RUN_DRIFT", _W, "dry run: the data changed after the run would have used it"),
    EventType("DRY_RUN_COMPLETED", _I, "dry run: the observation of this date is complete"),
    EventType("DRY_RUN_WOULD_RERUN", _N, "dry run: a rerun would have been accepted"),
    EventType("DRY_RUN_RERUN_REJECTED", _W, "dry run: a rerun would have been refused"),
    EventType("DRY_RUN_WOULD_RETRY", _N, "dry run: a failed job would have been retried"),
    EventType("DRY_RUN_RETRY_EXHAUSTED", _W, "dry run: no retry would have been left"),
)

#: The names that the rule on the bus sends to the alert queue, in the table's order.
ALERT_EVENTS: tuple[str, ...] = tuple(row.name for row in EVENT_TYPES.values() if row.alerts)

#: The field of the one line that the dispatcher logs for each alert; it holds the event type, and
#: the dashboard counts alerts by it.
ALERT_LOG_FIELD = "alert"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, or should have.

    ``date`` is the execution date (``2026-03-03`` or ``2026-03-03T10``), or None for an event
    about no date. ``cause`` tells two events of the same type, pipeline, schedule, date and
    attempt apart; it is the same whenever the same occurrence is handled again.
    """

    type: str
    pipeline_id: str
    schedule_id: str | None
    date: str | None
    message: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    attempt: int | None = None
    cause: str = ""
    correlation_id: str | None = None

    def __post_init__(self) -> None:
        if self.type not in EVENT_TYPES:
            raise ValueError(f"{self.type!r} is not an event type")

    @property
    def dedupe_key(self) -> str:
        """The same for every publication of the same occurrence; consumers deduplicate by it."""
        parts = (self.type, self.pipeline_id, self.schedule_id, self.date, self.attempt, self.cause)
        return "|".join("" if part is None else str(part) for part in parts)

    def payload(self, now: datetime) -> dict[str, Any]:
        """The ``detail`` of the EventBridge event; ``now`` becomes its ``timestamp`` (RFC 3339, UTC)."""
        return {
            "pipelineId": self.pipeline_id,
            "scheduleId": self.schedule_id,
            "date": self.date,
            "message": self.message,
            "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "detail": plain(self.detail),
            "attempt": self.attempt,
            "correlationId": self.correlation_id or f"{self.pipeline_id}/{self.schedule_id}/{self.date}",
            "dedupeKey": self.dedupe_key,
        }

    def entry(self, *, bus: str, now: datetime) -> dict[str, Any]:
        """The event as an entry of ``PutEvents``."""
        return {
            "Source": SOURCE,
            "DetailType": self.type,
            "EventBusName": bus,
            "Time": now,
            "Detail": json.dumps(self.payload(now), separators=(",", ":"), ensure_ascii=False),
        }
