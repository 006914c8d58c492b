"""What failed on a pass: told as one event and one error, after everything else was done."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from interlock_runtime.control.ports import Ports
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import INFRASTRUCTURE, Event

#: How many failures the event and the error tell in words, and how much of each.
_TOLD = 5
_LONGEST = 300


@dataclass(frozen=True)
class Failure:
    """A check that failed, for one pipeline or as a whole (``pipeline_id`` is None)."""

    check: str
    pipeline_id: str | None
    problem: str

    def __str__(self) -> str:
        about = f" for {self.pipeline_id}" if self.pipeline_id else ""
        return f"{self.check}{about}: {self.problem}"


class Failures:
    """Collects what fails, from any thread."""

    def __init__(self) -> None:
        self._found: list[Failure] = []
        self._lock = threading.Lock()

    def add(self, check: str, pipeline_id: str | None, problem: str) -> None:
        """A check failed."""
        with self._lock:
            self._found.append(Failure(check, pipeline_id, problem[:_LONGEST]))

    def report(self, ports: Ports, checks: Iterable[str], *, now: datetime) -> None:
        """Publish ``WATCHDOG_DEGRADED`` and raise, if anything failed; ``checks`` are all there are.

        Raises:
            TransientError: something failed; it names the checks.
        """
        if not self._found:
            return
        every = tuple(checks)
        failed = [check for check in every if any(failure.check == check for failure in self._found)]
        few = sorted(map(str, self._found))[:_TOLD]
        message = f"{len(failed)} of the watchdog's {len(every)} checks failed ({', '.join(failed)}): {'; '.join(few)}"
        try:
            ports.bus.publish([self._event(failed, message, few, now)], now=now)
        except Exception as error:  # noqa: BLE001 - what failed before must be told, at least by the error
            ports.log.error("the failure could not be published", problem=str(error))
        raise TransientError(message)

    def _event(self, failed: list[str], message: str, few: list[str], now: datetime) -> Event:
        pipelines = sorted({failure.pipeline_id for failure in self._found if failure.pipeline_id})
        return Event(
            type="WATCHDOG_DEGRADED",
            pipeline_id=INFRASTRUCTURE,
            schedule_id=None,
            date=None,
            message=message,
            detail={
                "checks": failed,
                "pipelines": pipelines[:50],
                "problems": few,
                "actionHint": "read the log of watchdog; the next pass tries again",
            },
            # However many passes it lasts, the failure of a check is told once an hour.
            cause=f"{','.join(failed)}:{now:%Y-%m-%dT%H}",
            correlation_id="watchdog",
        )
