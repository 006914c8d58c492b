"""How a deadline came out: met or breached. One verdict per date and clock, whichever comes first.

A verdict is a marker that is put if absent, before anything is told, so that of two that race one
wins. It holds the event to be told: whoever finds it untold, after a crash or in another
function, publishes the very same event, and only then marks it as told. Nothing follows a verdict.

It is kept as long as a finished trigger row, so that a rerun of an old date rings no bell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control import announcements
from interlock_runtime.control.ports import Ports
from interlock_runtime.core.events import EVENT_TYPES, Event
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rows import Row
from interlock_runtime.core.sla_deadlines import SlaDeadline


def reach(
    ports: Ports, deadline: SlaDeadline, *, met: bool, message: str, detail: Mapping[str, Any], now: datetime
) -> None:
    """Put the verdict unless there is one, and tell the one that stands."""
    pk, sk = deadline.verdict_key
    data = {
        "event": deadline.event_type("MET" if met else "BREACH"),
        "message": message,
        "detail": dict(detail),
        "decidedAt": rfc3339(now),
    }
    row: Row = {"PK": pk, "SK": sk, "data": data, "ttl": epoch_seconds(now + ports.retention)}
    write = ports.control.put(row, expect=ABSENT)
    tell(ports, deadline, row if write.done or write.row is None else write.row, now=now)


def tell(ports: Ports, deadline: SlaDeadline, verdict: Row, *, now: datetime) -> None:
    """Publish the verdict in a marker's row unless it was told. A relative deadline that is met is no news."""
    data = plain(verdict["data"])
    if "toldAt" in data:
        return
    if data["event"] in EVENT_TYPES:
        event = Event(
            type=data["event"],
            pipeline_id=deadline.pipeline_id,
            schedule_id=deadline.key.schedule_id,
            date=deadline.key.date,
            message=data["message"],
            detail=data["detail"],
        )
        ports.bus.publish([event], now=now)
        announcements.remember(ports, event, now=now)
    ports.control.put({**verdict, "data": {**data, "toldAt": rfc3339(now)}})
