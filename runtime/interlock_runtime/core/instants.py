"""Instants as rows and events write them: RFC 3339 in UTC with milliseconds, or epoch numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Stream records tell the time of a write cut to this.
RECORD_PRECISION = timedelta(seconds=1)


def rfc3339(instant: datetime) -> str:
    """``2026-03-03T10:00:00.000Z``; texts of this form sort as the instants do."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(instant: datetime) -> int:
    """Milliseconds since the epoch, cut, not rounded."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def of_millis(number: int) -> datetime:
    """The instant of a number of milliseconds since the epoch."""
    return EPOCH + timedelta(milliseconds=number)


def epoch_seconds(instant: datetime) -> int:
    """Seconds since the epoch, as a ``ttl`` attribute holds them."""
    return millis(instant) // 1000
