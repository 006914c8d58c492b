"""What is to happen, and when: a clock and a list of things to do, in order of time.

In virtual time the clock only moves to the next thing to do; nothing waits. In real time the
clock is that of the machine, and whoever drives the agenda waits until something is due.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Action = Callable[[], None]


class Agenda:
    """A list of things to do. What is due at the same instant is done in the order in which it was added."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._entries: list[tuple[datetime, int, Action]] = []
        self._count = 0

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._now

    def at(self, instant: datetime, action: Action) -> None:
        """Do something at an instant; at once, when that has passed."""
        self._count += 1
        heapq.heappush(self._entries, (instant, self._count, action))

    def after(self, delay: timedelta, action: Action) -> None:
        """Do something after a while; ``timedelta()`` is as soon as what is under way is done."""
        self.at(self.now() + delay, action)

    def due(self) -> datetime | None:
        """When the next thing is to be done."""
        return self._entries[0][0] if self._entries else None

    def run_until(self, instant: datetime) -> None:
        """Do everything that is to be done by then, and let it be then."""
        instant = instant.astimezone(UTC)
        while self._entries and self._entries[0][0] <= instant:
            self.step()
        self._now = max(self._now, instant)

    def step(self) -> None:
        """Do the next thing; it is then at least as late as that was due."""
        due, _, action = heapq.heappop(self._entries)
        self._now = max(self._now, due)
        action()


class WallAgenda(Agenda):
    """An agenda on the machine's clock.

    ``woken`` is called when there is something new to do, ``rest`` waits for some seconds, or until then.
    """

    def __init__(self, *, woken: Action, rest: Callable[[float], None]) -> None:
        super().__init__(datetime.now(UTC))
        self._woken = woken
        self._rest = rest

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def at(self, instant: datetime, action: Action) -> None:
        """Do something at an instant."""
        super().at(instant, action)
        self._woken()

    def run_until(self, instant: datetime) -> None:
        """Do everything when it is to be done, and return when it is then."""
        while True:
            while (due := self.due()) is not None and due <= min(instant, self.now()):
                self.step()
            left = min(instant, due or instant) - self.now()
            if left <= timedelta():
                if self.now() >= instant:
                    return
                continue
            self._rest(left.total_seconds())
