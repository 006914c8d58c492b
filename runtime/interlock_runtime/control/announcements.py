"""Alerts that several passes may find a reason for, told once.

Every consumer deduplicates by the event's key; the marker only saves the bus and the consumers
from hearing again and again what is known to have been sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from interlock_runtime.control.ports import Ports
from interlock_runtime.core import rows
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import Key

#: How long a marker is kept.
KEEP = timedelta(days=30)


def marker_key(event: Event) -> Key:
    """The key of the marker that remembers an alert."""
    return rows.pk(event.pipeline_id), rows.alert_marker(event.type, event.schedule_id, event.date)


def publish_once(ports: Ports, event: Event, *, now: datetime) -> bool:
    """Publish an alert unless its marker says that it was sent; whether it was published now.

    The marker is put after the publish succeeded, so that a crash in between tells it twice
    rather than never. A marker of another attempt of the date is about another occurrence.
    """
    marker = ports.control.get(marker_key(event))
    if marker is not None and (marker.get("data") or {}).get("dedupeKey") == event.dedupe_key:
        return False
    ports.bus.publish([event], now=now)
    remember(ports, event, now=now)
    return True


def remember(ports: Ports, event: Event, *, now: datetime) -> None:
    """Put the marker of an alert that was sent."""
    pk, sk = marker_key(event)
    data = {"dedupeKey": event.dedupe_key, "sentAt": rfc3339(now)}
    ports.control.put({"PK": pk, "SK": sk, "data": data, "ttl": epoch_seconds(now + KEEP)})


def excluded(ports: Ports, pipeline: Pipeline, date: str, *, reason: str, now: datetime) -> None:
    """Tell, once per date, that the pipeline does not run on it."""
    event = Event(
        type="PIPELINE_EXCLUDED",
        pipeline_id=pipeline.id,
        schedule_id=pipeline.schedule_id,
        date=date,
        message=f"{pipeline.id} does not run for {date}: {reason}",
        detail={"reason": reason},
    )
    publish_once(ports, event, now=now)
