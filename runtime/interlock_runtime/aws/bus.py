"""The event bus: events are published at least once, and whoever consumes them deduplicates."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from interlock_runtime.aws.clients import translated
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import Event

#: How many entries one PutEvents call takes.
_BATCH = 10
#: How many bytes one PutEvents call takes; what is left of 256 KiB is for the other fields.
_BATCH_BYTES = 240_000
_ATTEMPTS = 3

Entry = dict[str, Any]


class Bus:
    """Publishes events. ``client`` gives an EventBridge client when one is needed."""

    def __init__(self, name: str, client: Callable[[], Any], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._client = client
        self._sleep = sleep

    def publish(self, events: Sequence[Event], *, now: datetime) -> None:
        """Publish events, in batches; entries that the bus refuses are tried again.

        Raises:
            TransientError: some events were not taken. Others may have been.
        """
        for batch in _batches([self._entry(event, now) for event in events]):
            self._put(batch)

    def _entry(self, event: Event, now: datetime) -> Entry:
        entry = event.entry(bus=self._name, now=now)
        if _size(entry) > _BATCH_BYTES:
            told = f"the detail was {_size(entry)} bytes long"
            shorter = replace(event, message=event.message[:1000], detail={"truncated": told})
            return shorter.entry(bus=self._name, now=now)
        return entry

    def _put(self, entries: list[Entry]) -> None:
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(0.1 * 2**attempt)
            try:
                answer = self._client().put_events(Entries=entries)
            except Exception as error:
                raise translated(error) from error
            results = answer["Entries"]
            refused = [result for result in results if result.get("ErrorCode")]
            entries = [entry for entry, result in zip(entries, results, strict=True) if result.get("ErrorCode")]
            if not entries:
                return
        names = ", ".join(sorted({entry["DetailType"] for entry in entries}))
        raise TransientError(f"the event bus refused {len(entries)} events ({names}): {refused[0].get('ErrorCode')}")


def _batches(entries: list[Entry]) -> list[list[Entry]]:
    batches: list[list[Entry]] = []
    size = 0
    for entry in entries:
        size += _size(entry)
        if not batches or len(batches[-1]) == _BATCH or size > _BATCH_BYTES:
            batches.append([])
            size = _size(entry)
        batches[-1].append(entry)
    return batches


def _size(entry: Entry) -> int:
    return len(entry["Detail"].encode()) + len(entry["DetailType"]) + 30
