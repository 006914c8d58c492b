"""The record of everything that was published: each event once, whatever it looks like."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control.ports import Log, Metric, Metrics, Table
from interlock_runtime.core import rows
from interlock_runtime.core.instants import epoch_seconds, millis
from interlock_runtime.core.item_limits import ITEM_BYTES, cut, item_bytes, storable
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.core.rows import Row

#: How long it is remembered that an event was stored. Nothing is delivered again after so long.
KEEP_SEEN = timedelta(days=30)

#: How long a text may be in an event that is too long as a whole; in bytes.
_LONGEST_TEXT = 16 * 1024


@dataclass(frozen=True, kw_only=True)
class EventLogPorts:
    """What storing needs. ``retention`` is how long an event is kept."""

    events: Table
    log: Log
    metrics: Metrics
    retention: timedelta


def store(ports: EventLogPorts, event: ReceivedEvent, *, now: datetime) -> None:
    """Store an event unless it is stored already.

    The sort key is claimed under the event's dedupe key before the event is put there. Whoever
    comes again finds the claim and puts to the same key, where either the event is or, when
    somebody died in between, it belongs.

    Raises:
        TransientError: DynamoDB did not do its part; the event is to be delivered again.
    """
    ports.metrics.count(Metric.RECORDS_PROCESSED)
    if event.problem:
        ports.log.warning("the event is not as Interlock publishes it; it is kept raw", problem=event.problem)
    sort_key = _claim(ports, event, now=now)
    made = ports.events.put(_row(event, sort_key, ttl=epoch_seconds(now + ports.retention)), expect=ABSENT)
    ports.log.debug("event stored" if made.done else "event passed over: it is stored already", sort_key=sort_key)


def _claim(ports: EventLogPorts, event: ReceivedEvent, *, now: datetime) -> str:
    """The sort key under which the event is stored, by whoever came first."""
    sort_key = rows.event(millis(event.published_at or now), event.type, event.dedupe_key)
    claim = ports.events.put(
        {
            "PK": rows.pk(event.pipeline_id),
            "SK": rows.seen(event.dedupe_key),
            "storedAs": sort_key,
            "ttl": epoch_seconds(now + KEEP_SEEN),
        },
        expect=ABSENT,
    )
    return sort_key if claim.done or claim.row is None else str(claim.row["storedAs"])


def _row(event: ReceivedEvent, sort_key: str, *, ttl: int) -> Row:
    known = {
        "PK": rows.pk(event.pipeline_id),
        "SK": sort_key,
        "eventType": event.type,
        "pipelineId": event.pipeline_id,
        "scheduleId": event.schedule_id,
        "date": event.date,
        "attempt": event.attempt,
        "message": event.message,
        "detail": event.detail,
        "timestamp": int(sort_key.partition("#")[0]),
        "correlationId": event.correlation_id,
        "dedupeKey": event.dedupe_key,
        "problem": event.problem,
        "raw": event.raw,
        "ttl": ttl,
    }
    return _fitted({name: storable(value) for name, value in known.items() if value is not None})


def _fitted(row: Row) -> Row:
    """``row`` as an item can hold it: of an event that is too long, ``raw`` keeps the beginning."""
    if item_bytes(row) <= ITEM_BYTES:
        return row
    text = row.get("raw") or json.dumps(row["detail"], ensure_ascii=False)
    fitted: dict[str, Any] = {
        name: cut(value, _LONGEST_TEXT) if isinstance(value, str) else value for name, value in row.items()
    }
    fitted |= {"detail": {"truncated": "the event is too long for one item; raw holds its beginning"}, "raw": ""}
    return fitted | {"raw": cut(text, ITEM_BYTES - item_bytes(fitted))}
