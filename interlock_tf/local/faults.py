"""Faults as data: what goes wrong, from when on, and where; and how a seed makes a day's worth of them.

A fault waits from its time on for an occasion, a call of the function that it is about (one ``to`` an
operation, if it says so) or a delivery to it, lets ``skip`` of them pass, and happens once. So
dropping one leaves the others where they are. An outage is a while in which a service answers nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.timestamps import parse_timestamp


class Group(StrEnum):
    """What a fault waits for."""

    CALL = "call"
    PARTS = "call in parts"
    DELIVERY = "delivery"
    BATCH = "batch"
    TASK = "task"
    OUTAGE = "outage"


class Kind(StrEnum):
    """What goes wrong; the table in :data:`GROUPS` says on which occasion."""

    #: The service refuses the call, and goes on refusing it as often as the SDK repeats it: throttling, a 5xx.
    REFUSED = "refused"
    #: No connection comes about, for ``seconds``.
    UNREACHABLE = "unreachable"
    #: The service does what it was asked for; the answer does not come, for ``seconds``.
    UNANSWERED = "unanswered"
    #: The same, and the SDK repeats the call: what the function hears is the answer to the second one.
    REPEATED = "repeated"
    #: The call is under way for ``seconds``, then does its work; the function's time may be up before.
    SLOW = "slow"
    #: The function's process ends before, or after, the service has done what it was asked for.
    DIES_BEFORE = "dies-before"
    DIES_AFTER = "dies-after"
    #: Of the parts of a call (events to put, keys to read), every second one is left undone.
    PARTIAL = "partial"
    #: A message or event reaches the function twice, the second time ``seconds`` later; or that much late.
    TWICE = "twice"
    LATE = "late"
    #: That the function has handled a batch of a stream or queue gets lost: the batch comes again.
    FORGOTTEN = "forgotten"
    #: A stream's batch waits for ``seconds``.
    HELD = "held"
    #: The state machine cannot invoke the function, or loses its result.
    NOT_INVOKED = "not-invoked"
    RESULT_LOST = "result-lost"
    #: For ``seconds``, the service refuses every call of every function.
    OUTAGE = "outage"


GROUPS: Mapping[Kind, Group] = {
    Kind.REFUSED: Group.CALL,
    Kind.UNREACHABLE: Group.CALL,
    Kind.UNANSWERED: Group.CALL,
    Kind.REPEATED: Group.CALL,
    Kind.SLOW: Group.CALL,
    Kind.DIES_BEFORE: Group.CALL,
    Kind.DIES_AFTER: Group.CALL,
    Kind.PARTIAL: Group.PARTS,
    Kind.TWICE: Group.DELIVERY,
    Kind.LATE: Group.DELIVERY,
    Kind.FORGOTTEN: Group.BATCH,
    Kind.HELD: Group.BATCH,
    Kind.NOT_INVOKED: Group.TASK,
    Kind.RESULT_LOST: Group.TASK,
    Kind.OUTAGE: Group.OUTAGE,
}

#: Stands among operations for a request by HTTP: to Slack, or to the service of a job.
REQUEST = "request"

#: By function: how much of the mischief it gets, and how many of its occasions may pass before.
_TARGETS: Mapping[str, tuple[int, int]] = {
    "orchestrator": (6, 30),
    "stream-router": (6, 20),
    "sla-monitor": (3, 12),
    "event-sink": (2, 12),
    "alert-dispatcher": (3, 16),
    "watchdog": (3, 40),
}
#: The functions that events and messages are delivered to, and those that are tasks of the state machine.
_DELIVERED = ("stream-router", "sla-monitor", "event-sink", "alert-dispatcher", "watchdog")
_TASKS = ("orchestrator", "sla-monitor")
#: The functions to which a kind can happen, where that is not every one.
_ONLY: Mapping[Kind, tuple[str, ...]] = {
    Kind.PARTIAL: ("orchestrator", "stream-router", "sla-monitor", "watchdog"),
    Kind.TWICE: _DELIVERED,
    Kind.LATE: _DELIVERED,
    Kind.FORGOTTEN: ("stream-router", "alert-dispatcher"),
    Kind.HELD: ("stream-router",),
    Kind.NOT_INVOKED: _TASKS,
    Kind.RESULT_LOST: _TASKS,
}
#: Calls of which there are few, and whose failing matters: many faults wait for one of these.
_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "orchestrator": ("StartJobRun", "Invoke", REQUEST, "UpdateItem", "PutItem", "PutEvents", "GetJobRun"),
    "stream-router": ("StartExecution", "UpdateItem", "PutItem", "DeleteItem", "PutEvents", "Query"),
    "sla-monitor": ("CreateSchedule", "DeleteSchedule", "PutItem", "PutEvents"),
    "event-sink": ("PutItem",),
    "alert-dispatcher": (REQUEST, "PutItem", "UpdateItem"),
    "watchdog": ("StartExecution", "CreateSchedule", "UpdateItem", "PutItem", "PutEvents"),
}
#: What may be out for a while; ``slack`` and ``jobs`` are not of AWS.
SERVICES = ("dynamodb", "events", "stepfunctions", "scheduler", "slack", "jobs")

#: Seconds, from and to: four attempts at a connection, four waits for an answer, a repetition, …
_SECONDS: Mapping[Kind, tuple[float, float]] = {
    Kind.UNREACHABLE: (2, 12),
    Kind.UNANSWERED: (5, 24),
    Kind.REPEATED: (5, 15),
    Kind.SLOW: (1, 150),
    Kind.TWICE: (0, 600),
    Kind.LATE: (1, 900),
    Kind.HELD: (1, 900),
    Kind.OUTAGE: (30, 3600),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong. ``where`` is a function's name, or for an outage a service's.

    ``to`` is the operation that the call is to, or empty for any.
    """

    at: datetime
    kind: Kind
    where: str
    to: str = ""
    skip: int = 0
    seconds: float = 0

    @property
    def group(self) -> Group:
        """What it waits for."""
        return GROUPS[self.kind]

    @property
    def duration(self) -> timedelta:
        """How long it takes, or lasts."""
        return timedelta(seconds=self.seconds)

    def describe(self) -> dict[str, Any]:
        """The fault as JSON can hold it."""
        told: dict[str, Any] = {"at": rfc3339(self.at), "fault": str(self.kind), "where": self.where}
        more = {"to": self.to, "skip": self.skip, "seconds": self.seconds}
        return told | {name: value for name, value in more.items() if value}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Fault:
        """Read a fault.

        Raises:
            ValueError: saying what is wrong, and what would be right.
        """
        at = parse_timestamp(told.get("at"))
        if at is None:
            raise ValueError(f"'at' is {told.get('at')!r}, expected a time as of RFC 3339")
        if told.get("fault") not in tuple(Kind):
            raise ValueError(f"'fault' is {told.get('fault')!r}, expected one of {', '.join(Kind)}")
        kind = Kind(told["fault"])
        places = SERVICES if kind is Kind.OUTAGE else tuple(_TARGETS)
        if told.get("where") not in places:
            raise ValueError(f"'where' is {told.get('where')!r}, expected one of {', '.join(places)}")
        skip, seconds = told.get("skip", 0), told.get("seconds", 0)
        if not isinstance(skip, int) or not isinstance(seconds, int | float) or skip < 0 or seconds < 0:
            raise ValueError("'skip' and 'seconds' are numbers from 0")
        to = told.get("to", "")
        if not isinstance(to, str) or (to and GROUPS[kind] is not Group.CALL):
            raise ValueError(f"'to' is {to!r}, expected the operation of a call, for a fault that happens to calls")
        return cls(at=at, kind=kind, where=told["where"], to=to, skip=skip, seconds=seconds)


def random_faults(random: Random, *, start: datetime, until: datetime, busy: Sequence[datetime]) -> Iterator[Fault]:
    """Some faults between two instants, most of them around the ``busy`` ones; all are over at ``until``.

    No more than two outages, each of an hour at most.
    """
    span = (until - start).total_seconds()

    def instant() -> datetime:
        if busy and random.random() < 0.7:
            at = random.choice(busy) + timedelta(seconds=random.uniform(-600, 5400))
            return min(max(at, start), until)
        return start + timedelta(seconds=random.uniform(0, span))

    kinds = [kind for kind in Kind if kind is not Kind.OUTAGE]
    for _ in range(random.choice((3, 10, 25, 50, 100))):
        kind = random.choice(kinds)
        functions = _ONLY.get(kind, tuple(_TARGETS))
        (where,) = random.choices(functions, [_TARGETS[each][0] for each in functions])
        is_call = GROUPS[kind] is Group.CALL
        to = random.choice(_OPERATIONS[where]) if is_call and random.random() < 0.6 else ""
        skip = random.randrange(_TARGETS[where][1]) if is_call and not to else random.choice((0, 0, 1, 3))
        seconds = _seconds(random, kind)
        yield Fault(at=_whole(instant()), kind=kind, where=where, to=to, skip=skip, seconds=seconds)
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        seconds = _seconds(random, Kind.OUTAGE)
        at = min(instant(), until - timedelta(seconds=seconds))
        yield Fault(at=_whole(at), kind=Kind.OUTAGE, where=random.choice(SERVICES), seconds=seconds)


def _seconds(random: Random, kind: Kind) -> float:
    if kind not in _SECONDS:
        return 0
    low, high = _SECONDS[kind]
    # Most are short: as many below a tenth of the longest as above.
    return float(round(low + (high - low) * random.random() ** 3.3))


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
