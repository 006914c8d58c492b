"""EventBridge Scheduler in memory: one-time schedules that are due when the clock says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.fakes.calls import Calls

_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")


@dataclass(frozen=True)
class Entry:
    """A schedule that has not fired."""

    name: str
    at: datetime
    message: Mapping[str, Any]


class FakeSchedules:
    """Keeps the schedules that have not fired, by name."""

    def __init__(self, calls: Calls) -> None:
        self.entries: dict[str, Entry] = {}
        self._calls = calls

    def create(self, name: str, *, at: datetime, message: Mapping[str, Any]) -> bool:
        assert _NAME.fullmatch(name), name
        self._calls.before("scheduler:CreateSchedule")
        made = name not in self.entries
        self.entries.setdefault(name, Entry(name, at, dict(message)))
        self._calls.after("scheduler:CreateSchedule")
        return made

    def delete(self, name: str) -> None:
        self._calls.before("scheduler:DeleteSchedule")
        self.entries.pop(name, None)
        self._calls.after("scheduler:DeleteSchedule")

    def due(self, now: datetime) -> list[Entry]:
        """The entries that fire by ``now``, the earliest first; they are gone then."""
        found = sorted((entry for entry in self.entries.values() if entry.at <= now), key=lambda entry: entry.at)
        for entry in found:
            del self.entries[entry.name]
        return found

    def instants(self) -> list[datetime]:
        """When entries will fire, the earliest first."""
        return sorted(entry.at for entry in self.entries.values())
