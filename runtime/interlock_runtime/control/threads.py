"""One Slack thread for each pipeline, schedule and date, opened by whichever alert comes first.

An alert without a date (an alarm of the installation, a degraded watchdog) stands by itself: each
of them is news, and an answer in yesterday's thread would be seen by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control import claims
from interlock_runtime.control.ports import Table
from interlock_runtime.core import rows
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.core.rows import Key

_TS, _CHANNEL = "threadTs", "channelId"


@dataclass(frozen=True)
class Place:
    """Where an alert goes: into ``thread``, or into the channel, where it may be what its thread begins with."""

    thread: str | None = None
    opens_thread: bool = False


@dataclass(frozen=True, kw_only=True)
class Threads:
    """The threads in one channel, kept for ``retention`` after they were opened."""

    events: Table
    channel: str
    retention: timedelta

    def find(self, event: ReceivedEvent, *, now: datetime) -> Place | None:
        """The place of an alert, or None while another alert is about to open the thread.

        A thread in another channel than the present one is as good as none.
        """
        if not event.date or not event.schedule_id:
            return Place()
        row = self.events.get(_key(event))
        if row is not None and row.get(_CHANNEL) == self.channel and _TS in row:
            return Place(thread=str(row[_TS]))
        return self._claim(event, over=row, now=now)

    def replace(self, event: ReceivedEvent, thread: str, *, now: datetime) -> Place | None:
        """The place of an alert whose ``thread`` takes no answer any more, or None while another opens a new one."""
        return self._claim(event, over={_TS: thread, _CHANNEL: self.channel}, now=now)

    def opened(self, event: ReceivedEvent, ts: str, *, now: datetime) -> None:
        """Record that the message ``ts`` opened the thread, unless it is known; the alerts that wait can follow."""
        thread = {_TS: ts, _CHANNEL: self.channel, "createdAt": rfc3339(now), claims.CLAIMED_UNTIL: None}
        self.events.update(_key(event), thread, expect={_TS: None})

    def _claim(self, event: ReceivedEvent, *, over: Mapping[str, Any] | None, now: datetime) -> Place | None:
        if over is not None and claims.is_held(over, now=now):
            return None
        ttl = epoch_seconds(now + self.retention)
        unset: dict[str, Any] = {_TS: None, _CHANNEL: None}
        in_the_way = claims.take(self.events, _key(event), over=over, attributes=unset, ttl=ttl, now=now)
        return Place(opens_thread=True) if in_the_way is None else None


def _key(event: ReceivedEvent) -> Key:
    return rows.pk(event.pipeline_id), rows.thread(event.schedule_id, event.date)
