"""The deadlines that a date may have: an absolute one, a relative one, or both side by side.

When they are due is a pure function of the pipeline, the execution date and the first arrival.
An entry in Scheduler carries a whole deadline, so that its bell can be rung without anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_runtime.core import deadlines, names, rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.deadlines import Clock
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.names import SlaClock, SlaMoment
from interlock_runtime.core.rows import Key, RunKey
from interlock_runtime.core.run import keys_before, trigger_key
from interlock_runtime.core.scalars import format_duration
from interlock_runtime.core.timestamps import parse_timestamp

#: ``mode`` of the message with which an entry invokes the function.
FIRE_ALERT = "fire-alert"

#: What the types of a clock's events begin with.
_EVENTS: Mapping[SlaClock, str] = {"sla": "SLA", "relative": "RELATIVE_SLA"}


@dataclass(frozen=True, kw_only=True)
class SlaDeadline:
    """One deadline of one date.

    ``limit`` is what the document says: ``10:30``, ``:15``, or a duration. ``arrived_at`` is the
    first arrival, which only a relative deadline has.
    """

    pipeline_id: str
    key: RunKey
    clock: SlaClock
    limit: str
    warning: datetime
    breach: datetime
    critical: bool = False
    arrived_at: datetime | None = None

    @classmethod
    def of_message(cls, message: Mapping[str, Any]) -> SlaDeadline:
        """The deadline in an entry's message.

        Raises:
            PermanentError: something is missing; the text says what.
        """
        texts = {name: message.get(name) for name in ("pipelineId", "scheduleId", "date", "clock", "deadline")}
        instants = {name: parse_timestamp(message.get(name)) for name in ("warningAt", "breachAt")}
        wrong = [name for name, value in texts.items() if not isinstance(value, str)]
        wrong += [name for name, value in instants.items() if value is None]
        if wrong or texts["clock"] not in _EVENTS or message.get("moment") not in ("warning", "breach"):
            wanted = f"{', '.join((*texts, *instants))}, clock sla or relative, and moment warning or breach"
            raise PermanentError(f"a message to {FIRE_ALERT} has {wanted}; missing here: {', '.join(wrong) or 'none'}")
        return cls(
            pipeline_id=message["pipelineId"],
            key=RunKey(message["scheduleId"], message["date"]),
            clock=message["clock"],
            limit=message["deadline"],
            warning=instants["warningAt"],  # type: ignore[arg-type]
            breach=instants["breachAt"],  # type: ignore[arg-type]
            critical=message.get("critical") is True,
            arrived_at=parse_timestamp(message.get("arrivedAt")),
        )

    def message(self, moment: SlaMoment) -> dict[str, Any]:
        """The message with which the entry for ``moment`` invokes the function."""
        return {
            "mode": FIRE_ALERT,
            "pipelineId": self.pipeline_id,
            "scheduleId": self.key.schedule_id,
            "date": self.key.date,
            "clock": self.clock,
            "moment": moment,
            "deadline": self.limit,
            "warningAt": rfc3339(self.warning),
            "breachAt": rfc3339(self.breach),
            "critical": self.critical,
            "arrivedAt": self.arrived_at and rfc3339(self.arrived_at),
        }

    def at(self, moment: SlaMoment) -> datetime:
        """When the bell for ``moment`` rings."""
        return self.warning if moment == "warning" else self.breach

    @property
    def moments(self) -> tuple[SlaMoment, ...]:
        """The bells: a warning only when it is before the breach."""
        return ("warning", "breach") if self.warning < self.breach else ("breach",)

    def entry(self, moment: SlaMoment) -> str:
        """The name of Scheduler's entry for ``moment``."""
        at = self.at(moment)
        schedule_id, date = self.key.schedule_id, self.key.date
        return names.sla_schedule_name(self.pipeline_id, schedule_id, date, clock=self.clock, moment=moment, at=at)

    def event_type(self, what: str) -> str:
        """The event of this clock that says ``what``: WARNING, BREACH or MET."""
        return f"{_EVENTS[self.clock]}_{what}"

    @property
    def trigger_key(self) -> Key:
        """The key of the trigger row of the date."""
        return trigger_key(self.pipeline_id, self.key)

    @property
    def verdict_key(self) -> Key:
        """The key of the marker that says how it came out."""
        return _verdict_key(self.pipeline_id, self.key, self.clock)

    @property
    def entries_key(self) -> Key:
        """The key of the marker that says that Scheduler holds the entries."""
        return _entries_key(self.pipeline_id, self.key, self.clock)

    @property
    def keys(self) -> tuple[Key, Key, Key]:
        """The keys of the rows that say how it stands."""
        return self.trigger_key, self.verdict_key, self.entries_key

    @property
    def keys_before(self) -> frozenset[Key]:
        """The keys of what the date may have had before the schedule was changed."""
        return keys_before(self.pipeline_id, self.key)


def absolute(pipeline: Pipeline, date: ExecutionDate) -> SlaDeadline | None:
    """The deadline of ``sla.deadline`` for a date, or None when there is none."""
    clock = deadlines.absolute(pipeline, date)
    if clock is None or pipeline.sla is None:
        return None
    return _deadline(pipeline, date, clock, kind="sla", limit=str(pipeline.sla.deadline))


def relative(pipeline: Pipeline, date: ExecutionDate, arrival: datetime | None) -> SlaDeadline | None:
    """The deadline of ``sla.maxDuration`` after the first arrival, or None when there is none, or none arrived."""
    clock = None if arrival is None else deadlines.relative(pipeline, arrival)
    if clock is None or pipeline.sla is None or pipeline.sla.max_duration is None:
        return None
    limit = format_duration(pipeline.sla.max_duration)
    return _deadline(pipeline, date, clock, kind="relative", limit=limit, arrived_at=arrival)


def keys_of_date(pipeline_id: str, key: RunKey) -> list[Key]:
    """The keys of the rows that say how both deadlines of a date stand, whichever it has."""
    markers = [make(pipeline_id, key, clock) for clock in _EVENTS for make in (_verdict_key, _entries_key)]
    return [trigger_key(pipeline_id, key), *markers]


def of_date(pipeline: Pipeline, date: ExecutionDate, arrival: datetime | None) -> tuple[SlaDeadline, ...]:
    """The deadlines of a date: none, one or two."""
    both = (absolute(pipeline, date), relative(pipeline, date, arrival))
    return tuple(deadline for deadline in both if deadline is not None)


def _deadline(
    pipeline: Pipeline,
    date: ExecutionDate,
    clock: Clock,
    *,
    kind: SlaClock,
    limit: str,
    arrived_at: datetime | None = None,
) -> SlaDeadline:
    return SlaDeadline(
        pipeline_id=pipeline.id,
        key=RunKey(pipeline.schedule_id, str(date)),
        clock=kind,
        limit=limit,
        warning=clock.warning,
        breach=clock.breach,
        critical=pipeline.sla is not None and pipeline.sla.critical,
        arrived_at=arrived_at,
    )


def _verdict_key(pipeline_id: str, key: RunKey, clock: SlaClock) -> Key:
    return rows.pk(pipeline_id), rows.verdict_marker(clock, key.schedule_id, key.date)


def _entries_key(pipeline_id: str, key: RunKey, clock: SlaClock) -> Key:
    return rows.pk(pipeline_id), rows.entries_marker(clock, key.schedule_id, key.date)
