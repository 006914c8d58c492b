"""What the state machine asks of the orchestrator: a mode, and the run it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.rows import Key, Row, RunKey
from interlock_runtime.core.run import Run, trigger_key
from interlock_runtime.core.timestamps import parse_timestamp

#: The answer of a task whose run is no longer what its row is about.
SUPERSEDED = "superseded"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task: the run that the execution carries, the execution's ARN, and the whole event."""

    mode: str
    pipeline_id: str
    key: RunKey
    attempt: int
    execution_id: str
    event: Mapping[str, Any]

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Task:
        """Read the event of a task.

        Raises:
            PermanentError: something that every task has is missing; the text says what.
        """
        wanted = {"mode": str, "pipelineId": str, "scheduleId": str, "date": str, "attempt": int, "executionId": str}
        wrong = [name for name, kind in wanted.items() if not isinstance(event.get(name), kind)]
        if wrong:
            raise PermanentError(f"a task of the state machine has {', '.join(wanted)}; wrong here: {', '.join(wrong)}")
        return cls(
            mode=event["mode"],
            pipeline_id=event["pipelineId"],
            key=RunKey(event["scheduleId"], event["date"]),
            attempt=event["attempt"],
            execution_id=event["executionId"],
            event=event,
        )

    @property
    def trigger_key(self) -> Key:
        """The key of the trigger row."""
        return trigger_key(self.pipeline_id, self.key)

    def current(self, row: Row | None) -> Run | None:
        """The run in a trigger row if it is still this execution's, whether it goes on or has ended; else None."""
        run = None if row is None else Run.of_row(row)
        return run if run is not None and run.is_of(self.attempt, self.execution_id) else None

    def instant(self, name: str) -> datetime:
        """An instant in the event.

        Raises:
            PermanentError: it is missing, or none.
        """
        found = parse_timestamp(self.event.get(name))
        if found is None:
            raise PermanentError(f"the task {self.mode} needs an instant in {name}, and has {self.event.get(name)!r}")
        return found

    def seconds(self, name: str) -> int:
        """A number of seconds in the event's ``config``.

        Raises:
            PermanentError: it is missing, or none.
        """
        config = self.event.get("config")
        value = config.get(name) if isinstance(config, Mapping) else None
        if not isinstance(value, int) or isinstance(value, bool):
            raise PermanentError(f"the task {self.mode} needs a number of seconds in config.{name}, and has {value!r}")
        return value
