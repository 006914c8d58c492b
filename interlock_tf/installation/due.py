"""The deadlines of one execution date, and how each came out; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from interlock_runtime.core import dates
from interlock_runtime.core.deadlines import trigger_deadline
from interlock_runtime.core.expectations import is_expected, was_due
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.core.sla_deadlines import SlaDeadline
from interlock_tf.installation.facts import Facts

#: ``open``: not yet due. ``warned``: less than the expected duration is left. ``off``: nobody looks at it.
Outcome = Literal["open", "warned", "met", "missed", "off"]


@dataclass(frozen=True, kw_only=True)
class Due:
    """One deadline: ``what`` is ``sla`` (by the clock), ``relative`` (to the first sensor) or ``trigger``."""

    what: str
    limit: str
    at: datetime
    warning: datetime | None
    zone: ZoneInfo
    outcome: Outcome
    critical: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it can still be kept."""
        return self.outcome in ("open", "warned")

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "what": self.what,
            "limit": self.limit,
            "at": rfc3339(self.at),
            "warningAt": self.warning and rfc3339(self.warning),
            "timezone": self.zone.key,
            "outcome": self.outcome,
            "critical": self.critical,
        }


def due(facts: Facts, now: datetime) -> tuple[Due, ...]:
    """All deadlines of a date, the earliest first."""
    found = [_sla(facts, deadline, now) for deadline in facts.deadlines]
    if (start := _trigger(facts, now)) is not None:
        found.append(start)
    return tuple(sorted(found, key=lambda each: each.at))


def _sla(facts: Facts, deadline: SlaDeadline, now: datetime) -> Due:
    pipeline = facts.pipeline
    return Due(
        what=deadline.clock,
        limit=deadline.limit,
        at=deadline.breach,
        warning=deadline.warning if deadline.warning < deadline.breach else None,
        zone=pipeline.sla_timezone if deadline.clock == "sla" else pipeline.schedule.timezone,
        outcome=_outcome(facts, deadline, now),
        critical=deadline.critical,
    )


def _outcome(facts: Facts, deadline: SlaDeadline, now: datetime) -> Outcome:
    """The verdict on record; before it is there, what it is going to be."""
    if _is_off(facts):
        return "off"
    if (verdict := facts.verdicts.get(deadline.clock)) is not None:
        return "met" if verdict == deadline.event_type("MET") else "missed"
    run = facts.run
    if run is not None and run.status == Status.COMPLETED and run.completed_at is not None:
        return "met" if run.completed_at < deadline.breach else "missed"
    if run is None and _was_due(facts, deadline):
        return "off"
    if now >= deadline.breach:
        return "missed"
    return "warned" if now >= deadline.warning else "open"


def _was_due(facts: Facts, deadline: SlaDeadline) -> bool:
    """Whether a deadline, or the start by the clock that it waits for, was due before anybody watched."""
    since, by_clock = facts.watched.schedule, deadline.clock == "sla" and facts.earlier is None
    is_late = by_clock and since is not None and was_due(facts.pipeline, facts.date, by=since)
    return is_late or is_past(deadline.breach, facts.watched.sla)


def _trigger(facts: Facts, now: datetime) -> Due | None:
    """The trigger deadline: a start keeps it."""
    pipeline, trigger = facts.pipeline, facts.pipeline.schedule.trigger
    at = trigger_deadline(pipeline, facts.date)
    if at is None or trigger is None:
        return None
    outcome: Outcome = "open"
    if _is_off(facts):
        outcome = "off"
    elif facts.run is not None:
        outcome = "missed" if facts.run.is_expired else "met"
    elif now > at:
        outcome = "off" if is_past(at, facts.watched.schedule) else "missed"
    zone = pipeline.schedule.timezone
    return Due(what="trigger", limit=str(trigger.deadline), at=at, warning=None, zone=zone, outcome=outcome)


def is_past(due_at: datetime, since: datetime | None) -> bool:
    """Whether something was due before anybody watched; not, as long as that is not known."""
    return since is not None and due_at <= since


def _is_off(facts: Facts) -> bool:
    """Whether nobody waits for the date: excluded, of a dry run, done under another schedule, or not asked for."""
    if facts.pipeline.dry_run or dates.excluded(facts.pipeline, facts.date) is not None:
        return True
    if facts.run is not None:
        return False
    if facts.observed_at is not None or (facts.earlier is not None and facts.earlier.status == Status.COMPLETED):
        return True
    return facts.arrival is None and not is_expected(facts.pipeline, facts.date)
