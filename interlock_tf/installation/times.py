"""Instants and durations as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from interlock_runtime.core.scalars import format_duration

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def local(instant: datetime, zone: tzinfo) -> str:
    """``2026-11-24 08:00 EST``, with seconds when there are any."""
    there = instant.astimezone(zone)
    clock = f"{there:%H:%M:%S}" if there.second else f"{there:%H:%M}"
    return f"{there:%Y-%m-%d} {clock} {there.tzname()}"


def rough(duration: timedelta) -> str:
    """A duration in at most two units: ``3d4h``, ``2h5m``, ``12m``, ``40s``.

    One below zero is none: clocks of two machines differ.
    """
    duration = max(duration, timedelta())
    for unit, smaller in ((_DAY, _HOUR), (_HOUR, _MINUTE)):
        if duration >= unit:
            return format_duration(duration // smaller * smaller)
    if duration >= 10 * _MINUTE:
        return format_duration(duration // _MINUTE * _MINUTE)
    second = timedelta(seconds=1)
    return format_duration(duration // second * second)


def distance(instant: datetime, now: datetime) -> str:
    """``in 12m``, ``40s ago`` or ``now``."""
    if abs(instant - now) < timedelta(seconds=1):
        return "now"
    return f"in {rough(instant - now)}" if instant > now else f"{rough(now - instant)} ago"
