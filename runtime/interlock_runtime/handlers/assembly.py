"""Puts the parts of a function together: its settings, its adapters, what it says about itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime import settings
from interlock_runtime.aws.bus import Bus
from interlock_runtime.aws.clients import Clients, botocore_session
from interlock_runtime.aws.executions import Executions
from interlock_runtime.aws.schedules import Schedules
from interlock_runtime.aws.tables import Table
from interlock_runtime.aws.telemetry import Telemetry
from interlock_runtime.control.configs import Configs
from interlock_runtime.control.ports import JobPorts, SlaPorts, StartPorts, WatchdogPorts
from interlock_runtime.jobs.contract import Services
from interlock_runtime.jobs.services import aws_services


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a function finds around it, besides its environment; the defaults are those of AWS.

    ``sleep`` waits for some seconds. ``session`` opens what makes AWS clients. ``services`` is shown
    what the jobs reach the world through, and answers what they shall reach it through instead;
    ``channel`` is the same for alerts. ``threads`` gives as many threads as are asked for, None those of Python.
    """

    clock: Callable[[], datetime] = _system_clock
    sleep: Callable[[float], None] = time.sleep
    session: Callable[[], Any] = botocore_session
    services: Callable[[Services], Services] = lambda services: services
    channel: Callable[[Any], Any] = lambda channel: channel
    threads: Callable[[int], Any] | None = None


_surroundings = Surroundings()


def surround(surroundings: Surroundings) -> None:
    """Put a function somewhere else than in AWS, before it is first invoked: for simulators."""
    global _surroundings
    _surroundings = surroundings


def surroundings() -> Surroundings:
    """What the function finds around it."""
    return _surroundings


@dataclass(frozen=True)
class Function:
    """The parts that every function has, made once per process."""

    clients: Clients
    telemetry: Telemetry

    @classmethod
    def of(cls, name: str, environment: Mapping[str, str]) -> Function:
        """The function ``name``, under the physical name that Lambda tells."""
        return cls(Clients(_surroundings.session), Telemetry(environment.get("AWS_LAMBDA_FUNCTION_NAME", name)))

    def table(self, name: str) -> Table:
        """A table by its physical name."""
        return Table(name, lambda: self.clients.repeating("dynamodb"), sleep=pause)

    def bus(self, name: str) -> Bus:
        """The event bus by its physical name."""
        return Bus(name, lambda: self.clients.repeating("events"), sleep=pause)

    def schedules(self, read: settings.SlaMonitor | settings.Watchdog) -> Schedules:
        """The one-time schedules that invoke sla-monitor."""
        return Schedules(
            read.scheduler_group_name,
            function_arn=read.sla_monitor_arn,
            role_arn=read.scheduler_role_arn,
            dead_letters_arn=read.events_dlq_arn,
            client=lambda: self.clients.repeating("scheduler"),
        )

    def run_ports(
        self, read: settings.StreamRouter | settings.Orchestrator | settings.SlaMonitor | settings.Watchdog
    ) -> dict[str, Any]:
        """The ports of whoever looks after runs, as keyword arguments of a class of ports."""
        control = self.table(read.control_table)
        return {
            "control": control,
            "joblog": self.table(read.joblog_table),
            "rerun": self.table(read.rerun_table),
            "bus": self.bus(read.event_bus_name),
            "log": self.telemetry.log,
            "metrics": self.telemetry.metrics,
            "configs": Configs(control),
            "retention": timedelta(days=read.trigger_retention_days),
        }

    def start_ports(self, read: settings.StreamRouter) -> StartPorts:
        """The ports of a function that starts runs."""
        return StartPorts(**self._start_ports(read))

    def sla_ports(self, read: settings.SlaMonitor) -> SlaPorts:
        """The ports of a function that looks after deadlines."""
        return SlaPorts(**self.run_ports(read), schedules=self.schedules(read))

    def watchdog_ports(self, read: settings.Watchdog) -> WatchdogPorts:
        """The ports of the watchdog, which does both."""
        return WatchdogPorts(**self._start_ports(read), schedules=self.schedules(read))

    def job_ports(self, read: settings.Orchestrator, environment: Mapping[str, str]) -> JobPorts:
        """The ports of a function that starts jobs; ``environment`` is what their templates may read."""
        services = aws_services(self.clients, environment=environment, allowed_private_hosts=read.allowed_private_hosts)
        return JobPorts(**self.run_ports(read), services=_surroundings.services(services))

    def _start_ports(self, read: settings.StreamRouter | settings.Watchdog) -> dict[str, Any]:
        return {
            **self.run_ports(read),
            "executions": Executions(read.state_machine_arn, lambda: self.clients.repeating("stepfunctions")),
            "execution_timeout": timedelta(seconds=read.sfn_timeout_seconds),
        }


def utc_now() -> datetime:
    """The time, by the function's clock."""
    return _surroundings.clock()


def pause(seconds: float) -> None:
    """Wait for some seconds, by the function's clock."""
    _surroundings.sleep(seconds)
