"""The runtime's ports on a simulated AWS: tables, bus and state machine as Terraform would make them."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

from interlock_runtime.aws.bus import Bus
from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.executions import Executions
from interlock_runtime.aws.tables import Table
from interlock_runtime.control.configs import Configs
from interlock_runtime.control.ports import StartPorts
from interlock_runtime.core import rows
from interlock_runtime.core.rows import KIND, Kind
from tests.fakes.aws import create_table
from tests.fakes.world import FakeLog, FakeMetrics

ROLE = "arn:aws:iam::123456789012:role/states"


class OneAtATime:
    """A client whose calls are atomic, as DynamoDB's are; between calls, threads interleave freely."""

    def __init__(self, client: Any, lock: threading.Lock) -> None:
        self._client, self._lock = client, lock

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def atomic(**request: Any) -> Any:
            with self._lock:
                return operation(**request)

        return atomic


def deploy(clients: Clients) -> str:
    """Make the three tables, the bus and a state machine that does nothing; the machine's ARN."""
    create_table(clients, "dev-control", with_kind_index=True)
    create_table(clients, "dev-joblog")
    create_table(clients, "dev-rerun")
    clients("events").create_event_bus(Name="dev-events")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = clients("stepfunctions").create_state_machine(name="dev", definition=definition, roleArn=ROLE)
    return str(machine["stateMachineArn"])


def start_ports(clients: Clients, machine: str, lock: threading.Lock | None = None) -> StartPorts:
    """Ports on what :func:`deploy` made; with a ``lock``, for several threads."""

    def client(service: str) -> Any:
        found = clients.repeating(service)
        return found if lock is None else OneAtATime(found, lock)

    control = Table("dev-control", lambda: client("dynamodb"))
    return StartPorts(
        control=control,
        joblog=Table("dev-joblog", lambda: client("dynamodb")),
        rerun=Table("dev-rerun", lambda: client("dynamodb")),
        bus=Bus("dev-events", lambda: client("events")),
        log=FakeLog(),
        metrics=FakeMetrics(),
        configs=Configs(control),
        retention=timedelta(days=400),
        executions=Executions(machine, lambda: client("stepfunctions")),
        execution_timeout=timedelta(hours=4),
    )


def store(ports: StartPorts, document: dict[str, Any]) -> None:
    """Store a pipeline's document as Terraform would."""
    row = {"PK": rows.pk(document["pipeline"]["id"]), "SK": rows.CONFIG, "config": json.dumps(document)}
    ports.control.put(row | {KIND: str(Kind.CONFIG)})
    ports.configs.forget()
