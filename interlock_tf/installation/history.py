"""What was published: the answer to ``events``.

The events of one pipeline are a partition of the table; those of all are found type by type, in
the index. Either way no more is read than was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from itertools import islice
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.events import EVENT_TYPES, INFRASTRUCTURE
from interlock_runtime.core.instants import EPOCH, millis, of_millis, rfc3339
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.received import UNKNOWN_PIPELINE, UNREADABLE
from interlock_runtime.core.rows import EVENT_TYPE_INDEX, Row
from interlock_runtime.core.scalars import parse_duration
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.installation.deployed import Installation, near
from interlock_tf.installation.tables import Bounds, side_by_side

#: Every type that the table may hold.
TYPES = (*EVENT_TYPES, UNREADABLE)

#: Longer than any event is kept.
_LAST = 9_999_999_999_999
#: Sort keys of events begin with a digit, and this is what follows the digits.
_AFTER_DIGITS = ":"


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """One event, as event-sink stored it."""

    at: datetime
    sort_key: str
    row: Row

    @classmethod
    def of_row(cls, row: Row) -> StoredEvent:
        """Read a row."""
        sort_key = str(row["SK"])
        number = sort_key.partition("#")[0]
        return cls(at=of_millis(int(number)) if number.isdigit() else EPOCH, sort_key=sort_key, row=row)

    def text(self, name: str) -> str:
        """An attribute as text; empty when it is not there."""
        value = self.row.get(name)
        return "" if value is None else str(value)

    @property
    def severity(self) -> str | None:
        """How loudly it is told; None for a type that Interlock does not know."""
        known = EVENT_TYPES.get(self.text("eventType"))
        return None if known is None else str(known.severity)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        told = plain({name: self.row.get(name) for name in ("scheduleId", "date", "attempt", "message", "detail")})
        return {
            "at": rfc3339(self.at),
            "type": self.text("eventType"),
            "severity": self.severity,
            "pipeline": self.text("pipelineId"),
            **told,
            "correlationId": plain(self.row.get("correlationId")),
            "dedupeKey": plain(self.row.get("dedupeKey")),
        }


def history(
    installation: Installation,
    pipeline_id: str | None,
    *,
    since: datetime | None = None,
    types: Sequence[str] = (),
    limit: int,
) -> list[StoredEvent]:
    """The newest events, the newest last.

    Raises:
        ConfigError: there are none of the pipeline, and no such pipeline either.
    """
    if pipeline_id is None:
        return _of_all(installation, since, types or TYPES, limit)
    found = list(islice(_of_one(installation, pipeline_id, since, types), limit))
    if not found and pipeline_id not in (INFRASTRUCTURE, UNKNOWN_PIPELINE):
        installation.pipeline(pipeline_id)
    return found[::-1]


def event_type(text: str) -> str:
    """The type that a person wrote, in any case.

    Raises:
        ConfigError: Interlock has no such event.
    """
    if (name := text.upper().replace("-", "_")) in TYPES:
        return name
    like = near(name, TYPES)
    hint = f"did you mean {' or '.join(like)}?" if like else f"known are {', '.join(TYPES)}"
    raise ConfigError(Problem(path="--type", message=f"there is no event {text!r}; {hint}"))


def since_of(text: str, *, now: datetime, zone: tzinfo = UTC) -> datetime:
    """The instant that a person wrote: ``2h`` ago, an RFC 3339 time, or the beginning of a date.

    Raises:
        ConfigError: it is none of these.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    if (instant := parse_timestamp(text)) is not None and not text.isdigit():
        return instant
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
    except ValueError:
        message = f"{text!r} is no time; expected such as 2h, 2026-11-24 or 2026-11-24T08:00:00Z"
        raise ConfigError(Problem(path="--since", message=message)) from None


def _of_one(
    installation: Installation, pipeline_id: str, since: datetime | None, types: Sequence[str]
) -> Iterator[StoredEvent]:
    bounds = Bounds(between=(f"{_millis(since):013}", _AFTER_DIGITS))
    for row in installation.events.query(rows.pk(pipeline_id), bounds, newest_first=True):
        if not types or row.get("eventType") in types:
            yield StoredEvent.of_row(row)


def _of_all(installation: Installation, since: datetime | None, types: Iterable[str], limit: int) -> list[StoredEvent]:
    bounds = Bounds(between=(_millis(since), _LAST))

    def newest(kind: str) -> list[StoredEvent]:
        found = installation.events.query(
            kind, bounds, newest_first=True, limit=limit, index=EVENT_TYPE_INDEX, names=("eventType", "timestamp")
        )
        return list(map(StoredEvent.of_row, found))

    found = [event for each in side_by_side(newest, types) for event in each]
    return sorted(found, key=lambda event: event.sort_key)[-limit:]


def _millis(since: datetime | None) -> int:
    return 0 if since is None else max(millis(since), 0)
