"""A world in which time does things: crons tick, executions go on, bells ring, the watchdog comes by.

A story sets it up, lets time pass, and asks what was told::

    day = Day("2026-03-03 05:50", gold())
    day.sensor("orders", state="ready")
    assert day.until("06:10") == ["05:50 VALIDATION_PASSED", "05:50 JOB_TRIGGERED"]

What is told is what somebody hears who drops what he has heard before, each event with the time
at which it was heard first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.config_rows import read_config
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.run import Run
from interlock_runtime.handlers import orchestrator, sla_monitor, stream_router
from tests.fakes.execution import SLA_MONITOR, Execution
from tests.fakes.world import World

#: How often the watchdog comes by.
PASS_EVERY = timedelta(minutes=5)


class Day(World):
    """One pipeline, which the watchdog begins to watch at a time (UTC).

    ``eventbridge_works`` and ``streams_work`` may be turned off: ticks, bells and what is told of
    executions, or stream records, are then lost. ``degraded`` are the errors that passes ended with.
    """

    def __init__(self, at: str, document: Mapping[str, Any]) -> None:
        super().__init__(datetime.fromisoformat(at).replace(tzinfo=UTC))
        self.eventbridge_works = True
        self.streams_work = True
        self.degraded: list[str] = []
        self._carried: dict[str, Execution] = {}
        self._heard: set[str] = set()
        self._next_pass = self.now + PASS_EVERY
        self.deploy(document)
        self.watchdog()

    def deploy(self, document: Mapping[str, Any]) -> None:
        """Terraform applies a changed document now."""
        self._config = read_config({"PK": rows.pk(document["pipeline"]["id"]), "config": json.dumps(document)})
        self.pipeline(document)

    def sensor(self, key: str, /, **fields: Any) -> None:
        """A sensor is written now, and says so."""
        self.write_sensor(self._config.pipeline.id, key, **fields, updatedAt=rfc3339(self.now))

    def ask_again(self, date: str, **attributes: Any) -> None:
        """A person asks for a rerun now."""
        schedule_id = self._config.pipeline.schedule_id
        self.request(
            self._config.pipeline.id, date, schedule_id=schedule_id, requestedAt=rfc3339(self.now), **attributes
        )

    def keep_the_watchdog_away(self, *, until: str) -> None:
        """No pass before a time of this day (``HH:MM``)."""
        self._next_pass = self._instant(until)

    def the_run(self, date: str) -> Run:
        """The run of a date."""
        found = self.run(self._config.pipeline.id, date, schedule_id=self._config.pipeline.schedule_id)
        if found is None:
            raise LookupError(f"no run of {date}")
        return found

    def until(self, time: str) -> list[str]:
        """Let time pass up to and with a time of this day (``HH:MM``) or of a later one (``YYYY-MM-DD HH:MM``)."""
        end = self._instant(time)
        told: list[str] = []
        while True:
            told += self._happen()
            following = self._next_moment()
            if following > end:
                self.now = end
                return told
            self.now = following

    def _instant(self, time: str) -> datetime:
        return datetime.fromisoformat(time if "-" in time else f"{self.now:%Y-%m-%d} {time}").replace(tzinfo=UTC)

    def _happen(self) -> list[str]:
        """Everything that is to happen now."""
        self._tick()
        self._settle()
        if self.eventbridge_works:
            self.ring()
        if self.now >= self._next_pass:
            self._next_pass += PASS_EVERY
            self._pass()
        self._settle()
        return self._hear()

    def _pass(self) -> None:
        """The watchdog comes by; the clock does not show how long it waits before it looks again."""
        began = self.now
        try:
            self.watchdog()
        except TransientError as error:
            self.degraded.append(str(error))
        self.now = began

    def _next_moment(self) -> datetime:
        moments = [self._next_pass]
        moments += [min(each.wakes_at, each.ends_at) for each in self._carried.values() if each.status == "RUNNING"]
        if self.eventbridge_works:
            moments += [*self.schedules.instants(), self._next_fire(self.now) or self._next_pass]
        return min(moment for moment in moments if moment > self.now)

    def _tick(self) -> None:
        """Scheduler fires the pipeline's cron, when it is due."""
        if self.eventbridge_works and self._next_fire(self.now - timedelta(microseconds=1)) == self.now:
            tick = {"mode": "cron", "pipelineId": self._config.pipeline.id, "scheduledAt": rfc3339(self.now)}
            stream_router.handle(tick, self.ports, clock=self.clock)

    def _next_fire(self, after: datetime) -> datetime | None:
        schedule = self._config.pipeline.schedule
        return schedule.cron.next(after, schedule.timezone) if schedule.cron else None

    def _settle(self) -> None:
        """Stream records are handled, and executions go on, until nothing more happens at this time."""
        while True:
            before = len(self.calls.made)
            if self.streams_work:
                self.pump()
            self._read = {table.name: len(table.stream) for table in (self.control, self.joblog)}
            for name, text in self.executions.inputs.items():
                arn = self.executions.arn(name)
                carried = self._carried.setdefault(arn, Execution(arn, json.loads(text), now=self.now))
                self._carry(carried, name)
            if len(self.calls.made) == before:
                return

    def _carry(self, execution: Execution, name: str) -> None:
        if execution.status != "RUNNING":
            return
        execution.go_on(self._call, now=self.now)
        self.executions.statuses[name] = execution.status
        if execution.status not in ("RUNNING", "SUCCEEDED"):
            self._tell_status(execution, name)

    def _call(self, function: str, event: dict[str, Any]) -> Any:
        if function == SLA_MONITOR:
            return sla_monitor.handle(event, self.sla_ports, clock=self.clock)
        return orchestrator.handle(event, self.job_ports, clock=self.clock)

    def _tell_status(self, execution: Execution, name: str) -> None:
        """Step Functions tells the default bus how the execution ended."""
        detail = {
            "executionArn": execution.arn,
            "status": execution.status,
            "input": self.executions.inputs[name],
            "error": execution.error,
        }
        event = {"detail-type": "Step Functions Execution Status Change", "detail": detail}
        if self.eventbridge_works:
            stream_router.handle(event, self.ports, clock=self.clock)

    def _hear(self) -> list[str]:
        fresh = [event for event in self.bus.events if event.dedupe_key not in self._heard]
        self._heard.update(event.dedupe_key for event in fresh)
        return list(dict.fromkeys(f"{self.now:%H:%M} {event.type}" for event in fresh))
