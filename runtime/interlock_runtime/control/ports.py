"""What Interlock's decisions reach the world through, small enough to be replaced in a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from interlock_runtime.aws.executions import Execution
from interlock_runtime.aws.tables import Write
from interlock_runtime.control.configs import Configs
from interlock_runtime.core.events import Event
from interlock_runtime.core.rows import Key, Kind, Row
from interlock_runtime.jobs.contract import Services


class Table(Protocol):
    """A table with ``PK`` and ``SK``; see :class:`interlock_runtime.aws.tables.Table`."""

    def get(self, key: Key) -> Row | None:
        """The row, read consistently."""

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows that exist, read consistently, by key."""

    def put(self, row: Mapping[str, Any], *, expect: Mapping[str, Any] | None = None) -> Write:
        """Write a whole row, if what stands there is as expected."""

    def update(self, key: Key, changes: Mapping[str, Any], *, expect: Mapping[str, Any]) -> Write:
        """Change attributes of a row that is as expected; None removes one."""

    def delete(self, key: Key, *, expect: Mapping[str, Any] | None = None) -> Write:
        """Delete a row that is as expected."""

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Row]:
        """The rows of a partition whose sort key starts with ``prefix``."""

    def of_kind(self, kind: Kind) -> Iterator[Row]:
        """The rows of one ``interlockKind``, as far as the index knows them."""


class Bus(Protocol):
    """Where events go; see :class:`interlock_runtime.aws.bus.Bus`."""

    def publish(self, events: Sequence[Event], *, now: datetime) -> None:
        """Publish all events, or raise."""


class Executions(Protocol):
    """Executions of the state machine; see :class:`interlock_runtime.aws.executions.Executions`."""

    def arn(self, name: str) -> str:
        """The ARN of an execution by its name."""

    def start(self, name: str, text: str) -> str:
        """Start an execution, or find it started; its ARN."""

    def describe(self, arn: str) -> Execution | None:
        """How an execution stands."""


class Schedules(Protocol):
    """One-time schedules; see :class:`interlock_runtime.aws.schedules.Schedules`."""

    def create(self, name: str, *, at: datetime, message: Mapping[str, Any]) -> bool:
        """Have sla-monitor invoked with ``message`` at ``at``; False when there is one of that name."""

    def delete(self, name: str) -> None:
        """Delete a schedule, if there is one."""


class Log(Protocol):
    """Structured log lines; every keyword becomes a field."""

    def about(self, **fields: Any) -> None:
        """What the lines that follow are about, in place of what earlier ones were about."""

    def also(self, **fields: Any) -> None:
        """What the lines that follow are about besides."""

    def debug(self, message: str, **fields: Any) -> None:
        """For whoever is looking for something."""

    def info(self, message: str, **fields: Any) -> None:
        """What was done."""

    def warning(self, message: str, **fields: Any) -> None:
        """What was passed over, and why."""

    def error(self, message: str, **fields: Any) -> None:
        """What went wrong; inside an exception handler, with its traceback."""


class Metric(StrEnum):
    """What is counted, by function, in CloudWatch's embedded format."""

    RECORDS_PROCESSED = "RecordsProcessed"
    #: Stream records that can never be handled, and were dropped.
    RECORDS_REFUSED = "RecordsRefused"
    RULES_EVALUATED = "RulesEvaluated"
    RUNS_STARTED = "RunsStarted"
    JOBS_TRIGGERED = "JobsTriggered"
    ALERTS_SENT = "AlertsSent"


class Metrics(Protocol):
    """Counters of one invocation."""

    def count(self, metric: Metric, number: float = 1) -> None:
        """Add to a counter."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What every function needs that looks after runs.

    ``retention`` is how long a finished trigger row is kept.
    """

    control: Table
    joblog: Table
    rerun: Table
    bus: Bus
    log: Log
    metrics: Metrics
    configs: Configs
    retention: timedelta


@dataclass(frozen=True, kw_only=True)
class StartPorts(Ports):
    """What a function needs that starts runs, besides. ``execution_timeout`` is that of the state machine."""

    executions: Executions
    execution_timeout: timedelta


@dataclass(frozen=True, kw_only=True)
class JobPorts(Ports):
    """What a function needs that starts and polls jobs, besides."""

    services: Services

    def within(self, time_left: timedelta) -> JobPorts:
        """The same for an invocation that is stopped when ``time_left`` has passed."""
        return replace(self, services=self.services.within(time_left))


@dataclass(frozen=True, kw_only=True)
class SlaPorts(Ports):
    """What a function needs that looks after deadlines, besides."""

    schedules: Schedules


@dataclass(frozen=True, kw_only=True)
class WatchdogPorts(StartPorts, SlaPorts):
    """What the watchdog needs: it starts runs, and looks after deadlines."""
