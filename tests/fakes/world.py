"""Everything that the runtime's decisions reach, in memory: three tables, a bus, executions, a clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime.aws.executions import Execution
from interlock_runtime.control.configs import Configs
from interlock_runtime.control.ports import JobPorts, Metric, SlaPorts, StartPorts, WatchdogPorts
from interlock_runtime.core import rows
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import millis, rfc3339
from interlock_runtime.core.names import execution_arn
from interlock_runtime.core.rows import KIND, Kind, RunKey
from interlock_runtime.core.run import Run, trigger_key
from interlock_runtime.handlers import orchestrator, sla_monitor, stream_router, watchdog
from interlock_runtime.jobs.contract import Services
from interlock_runtime.jobs.network import Network
from tests.fakes.calls import Calls
from tests.fakes.glue_jobs import FakeJobClients
from tests.fakes.schedules import FakeSchedules
from tests.fakes.tables import FakeTable

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:dev-interlock-pipeline"
START = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)


class FakeBus:
    """Keeps what was published, duplicates included."""

    def __init__(self, calls: Calls) -> None:
        self.events: list[Event] = []
        self._calls = calls

    def publish(self, events: Sequence[Event], *, now: datetime) -> None:
        if not events:
            return
        self._calls.before("events:PutEvents")
        for event in events:
            event.entry(bus="fake", now=now)
        self.events.extend(events)
        self._calls.after("events:PutEvents")

    @property
    def types(self) -> list[str]:
        """The types published, in order."""
        return [event.type for event in self.events]

    @property
    def keys(self) -> set[str]:
        """The dedupe keys published: what a consumer that deduplicates has seen."""
        return {event.dedupe_key for event in self.events}

    def the(self, kind: str) -> Event:
        """The only event of a type, however often it was published."""
        found = {event.dedupe_key: event for event in self.events if event.type == kind}
        assert len(found) == 1, f"{len(found)} occurrences of {kind} among {self.types}"
        return next(iter(found.values()))


class FakeExecutions:
    """Starts executions under their names, once each, as Step Functions does."""

    def __init__(self, calls: Calls) -> None:
        self.inputs: dict[str, str] = {}
        self.statuses: dict[str, str] = {}
        self._calls = calls

    def arn(self, name: str) -> str:
        return execution_arn(MACHINE, name)

    def start(self, name: str, text: str) -> str:
        self._calls.before("states:StartExecution")
        assert len(name) <= 80
        self.inputs.setdefault(name, text)
        self._calls.after("states:StartExecution")
        return self.arn(name)

    def describe(self, arn: str) -> Execution | None:
        self._calls.before("states:DescribeExecution")
        name = arn.rpartition(":")[2]
        self._calls.after("states:DescribeExecution")
        return Execution(arn, self.statuses.get(name, "RUNNING")) if name in self.inputs else None


@dataclass
class FakeLog:
    """Keeps log lines as (level, message, fields)."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    subject: dict[str, Any] = field(default_factory=dict)

    def about(self, **fields: Any) -> None:
        self.subject = fields

    def also(self, **fields: Any) -> None:
        self.subject |= fields

    def debug(self, message: str, **fields: Any) -> None:
        self._add("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self._add("info", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        self._add("warning", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._add("error", message, fields)

    def _add(self, level: str, message: str, fields: Mapping[str, Any]) -> None:
        self.lines.append((level, message, self.subject | dict(fields)))

    def text(self, level: str | None = None) -> str:
        """All lines of a level, for looking something up."""
        return "\n".join(f"{message} {fields}" for each, message, fields in self.lines if level in (None, each))


@dataclass
class FakeMetrics:
    """Adds up counters."""

    counts: dict[Metric, float] = field(default_factory=dict)

    def count(self, metric: Metric, number: float = 1) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + number


def _no_secret(name: str, key: str | None) -> str:
    raise PermanentError(f"there is no secret {name} {key}")


class World:
    """One installation of Interlock in memory, with a clock that moves only when told to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self.calls = Calls()
        self.control = FakeTable("control", self.calls, clock=self.clock)
        self.joblog = FakeTable("joblog", self.calls, clock=self.clock)
        self.rerun = FakeTable("rerun", self.calls, clock=self.clock)
        self.bus = FakeBus(self.calls)
        self.executions = FakeExecutions(self.calls)
        self.log = FakeLog()
        self.metrics = FakeMetrics()
        self.jobs = FakeJobClients(self.calls)
        self.schedules = FakeSchedules(self.calls)
        shared: dict[str, Any] = {
            "control": self.control,
            "joblog": self.joblog,
            "rerun": self.rerun,
            "bus": self.bus,
            "log": self.log,
            "metrics": self.metrics,
            "configs": Configs(self.control),
            "retention": timedelta(days=400),
        }
        starting = {**shared, "executions": self.executions, "execution_timeout": timedelta(seconds=14400)}
        self.ports = StartPorts(**starting)
        self.sla_ports = SlaPorts(**shared, schedules=self.schedules)
        self.watchdog_ports = WatchdogPorts(**starting, schedules=self.schedules)
        self.job_ports = JobPorts(**shared, services=Services(client=self.jobs, secret=_no_secret, network=Network()))
        self._read = {"control": 0, "joblog": 0}

    def clock(self) -> datetime:
        """The time; pass this method where a clock is asked for."""
        return self.now

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def pipeline(self, document: Mapping[str, Any]) -> None:
        """Store a pipeline's document as Terraform would."""
        self.control.write(
            {
                "PK": rows.pk(document["pipeline"]["id"]),
                "SK": rows.CONFIG,
                "config": json.dumps(document, sort_keys=True, separators=(",", ":")),
                KIND: str(Kind.CONFIG),
            }
        )
        self.ports.configs.forget()

    def write_sensor(self, pipeline_id: str, key: str, /, **fields: Any) -> dict[str, Any]:
        """Write a sensor as an outside process would; the stream record of the write."""
        return self.write(self.control, {"PK": rows.pk(pipeline_id), "SK": rows.sensor(key), "data": fields})

    def write(self, table: FakeTable, row: Mapping[str, Any]) -> dict[str, Any]:
        """Write a row as an outside process would; its stream record (the last one when nothing changed)."""
        table.write(row)
        return table.stream[-1]

    def log_job(
        self, pipeline_id: str, date: str, event: str, *, schedule_id: str = "stream", **attributes: Any
    ) -> dict[str, Any]:
        """Write a job-log row as an outside job would; the stream record of the write."""
        row = {"PK": rows.pk(pipeline_id), "SK": rows.job(schedule_id, date, millis(self.now)), "event": event}
        return self.write(self.joblog, row | attributes)

    def request(self, pipeline_id: str, date: str, *, schedule_id: str = "stream", **attributes: Any) -> dict[str, Any]:
        """Write a rerun request as a person would; the stream record of the write."""
        row = {"PK": rows.pk(pipeline_id), "SK": rows.rerun_request(schedule_id, date)}
        return self.write(self.control, row | attributes)

    def deliver(self, *records: Mapping[str, Any]) -> list[str]:
        """Hand stream records to the router, as one batch; the sequence numbers that it wants again."""
        answer = stream_router.handle({"Records": list(records)}, self.ports, clock=self.clock)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def pump(self, *, rounds: int = 20) -> None:
        """Hand every stream record that was not pumped yet to the router, and what follows from that, too."""
        for _ in range(rounds):
            fresh: list[dict[str, Any]] = []
            for table in (self.control, self.joblog):
                fresh += table.stream[self._read[table.name] :]
                self._read[table.name] = len(table.stream)
            if not fresh:
                return
            assert self.deliver(*fresh) == [], self.log.text("error")
        raise AssertionError(f"the streams were not quiet after {rounds} rounds")

    def task(self, mode: str, run: Run, **more: Any) -> dict[str, Any]:
        """Call the orchestrator for a run, as its execution would."""
        return orchestrator.handle(self._task(mode, run) | more, self.job_ports, clock=self.clock)

    def sla(self, mode: str, run: Run | None = None, **more: Any) -> dict[str, Any]:
        """Call sla-monitor, for a run as its execution would, else as a person would."""
        arrival = run and run.arrival
        task = self._task(mode, run) | {"sensorArrivalAt": arrival and rfc3339(arrival)} if run else {"mode": mode}
        return sla_monitor.handle(task | more, self.sla_ports, clock=self.clock)

    def ring(self) -> list[str]:
        """Let Scheduler fire whatever is due by now; what became of each."""
        due = self.schedules.due(self.now)
        return [sla_monitor.handle(entry.message, self.sla_ports, clock=self.clock)["status"] for entry in due]

    def watchdog(self, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Let the watchdog make a pass; ``meanwhile`` happens while it waits before it looks again."""

        def sleep(seconds: float) -> None:
            self.advance(seconds=seconds)
            meanwhile()

        watchdog.handle(self.watchdog_ports, clock=self.clock, sleep=sleep, time_left=timedelta(seconds=300))

    def _task(self, mode: str, run: Run) -> dict[str, Any]:
        return {
            "mode": mode,
            "pipelineId": run.pipeline_id,
            "scheduleId": run.schedule_id,
            "date": run.date,
            "attempt": run.attempt,
            "executionId": self.executions.arn(run.execution_name),
        }

    def run(self, pipeline_id: str, date: str, *, schedule_id: str = "stream") -> Run | None:
        """The trigger row of a date; not a call."""
        row = self.control.rows().get(trigger_key(pipeline_id, RunKey(schedule_id, date)))
        return None if row is None else Run.of_row(row)
