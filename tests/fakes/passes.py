"""Passes of the watchdog at given times, and what they tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.fakes.gold import gold
from tests.fakes.world import World


def utc(text: str) -> datetime:
    """An instant from ``YYYY-MM-DD HH:MM``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def watched_since(at: str, **sections: Any) -> World:
    """A world that has watched ``gold`` since a time."""
    world = World(utc(at))
    world.pipeline(gold(**sections))
    world.watchdog()
    return world


def pass_at(world: World, at: str) -> list[str]:
    """The events of a pass at a time, each with its date."""
    before = len(world.bus.events)
    world.now = utc(at)
    world.watchdog()
    return [f"{event.type} {event.date}" for event in world.bus.events[before:]]
