"""What a clock on the wall shows, and the instant at which it shows it.

A wall time is a naive ``datetime``. On the days when a zone's clocks are changed, a wall time may
not exist (they were put forward over it) or exist twice (they were put back over it).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_SECOND = timedelta(seconds=1)


def wall_time(instant: datetime, zone: tzinfo) -> datetime:
    """What the clock in ``zone`` shows at the aware ``instant``, as a naive datetime."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def exact_instant(wall: datetime, zone: tzinfo) -> datetime | None:
    """The first instant (UTC) at which the clock in ``zone`` shows ``wall``, or None when it never does."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant if wall_time(instant, zone) == wall else None


def next_instant(wall: datetime, zone: tzinfo) -> datetime:
    """As :func:`exact_instant`; a wall time that does not exist is the instant at which the clock skipped it."""
    return exact_instant(wall, zone) or _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clock was put forward over ``wall``, to the second, by bisection.

    PEP 495: inside a gap, ``fold=1`` counts with the later offset, which gives an instant before
    the change, and ``fold=0`` with the earlier one, which gives an instant after it.
    """
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while late - early > _SECOND:
        middle = early + (late - early) // 2 // _SECOND * _SECOND
        if wall_time(middle, zone) < wall:
            early = middle
        else:
            late = middle
    return late
