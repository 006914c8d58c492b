"""sla-monitor and watchdog as Lambda calls them: with their environment, on a simulated AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.aws.clients import Clients
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.errors import ConfigError, TransientError
from interlock_runtime.core.rows import KIND
from interlock_runtime.handlers import sla_monitor, watchdog
from interlock_runtime.handlers.assembly import utc_now
from tests.fakes.aws import simulated_aws
from tests.fakes.deployed import deploy
from tests.fakes.gold import gold

GROUP = "dev-interlock-sla"


class Context:
    """What Lambda tells of an invocation."""

    aws_request_id = "r-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 300_000


@pytest.fixture
def clients() -> Iterator[Clients]:
    """An AWS with tables, bus, state machine and the group of bells, and the environment of both functions."""
    with simulated_aws() as clients:
        machine = deploy(clients)
        clients("scheduler").create_schedule_group(Name=GROUP)
        os.environ.update(
            {
                "CONTROL_TABLE": "dev-control",
                "JOBLOG_TABLE": "dev-joblog",
                "RERUN_TABLE": "dev-rerun",
                "EVENT_BUS_NAME": "dev-events",
                "STATE_MACHINE_ARN": machine,
                "SFN_TIMEOUT_SECONDS": "14400",
                "SLA_MONITOR_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:dev-interlock-sla-monitor",
                "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/dev-interlock-scheduler-sla",
                "SCHEDULER_GROUP_NAME": GROUP,
                "EVENTS_DLQ_ARN": "arn:aws:sqs:eu-west-1:123456789012:dev-interlock-events-dlq",
                "TRIGGER_RETENTION_DAYS": "400",
            }
        )
        for module in (sla_monitor, watchdog):
            module._parts.cache_clear()
        yield clients
    for module in (sla_monitor, watchdog):
        module._parts.cache_clear()


def store(clients: Clients, *rows: dict[str, Any]) -> None:
    for row in rows:
        clients("dynamodb").put_item(TableName="dev-control", Item=encode_item(row))


def config_row(**sections: Any) -> dict[str, Any]:
    return {"PK": "PIPELINE#gold", "SK": "CONFIG", "config": json.dumps(gold(**sections)), KIND: "CONFIG"}


def entries(clients: Clients) -> list[dict[str, Any]]:
    names = [each["Name"] for each in clients("scheduler").list_schedules(GroupName=GROUP)["Schedules"]]
    return [clients("scheduler").get_schedule(GroupName=GROUP, Name=name) for name in names]


def trigger_rows(clients: Clients) -> list[dict[str, Any]]:
    found = clients("dynamodb").scan(TableName="dev-control")["Items"]
    return [item for item in found if item["SK"]["S"].startswith("TRIGGER#")]


def test_a_pass_puts_the_bells_with_scheduler(clients: Clients) -> None:
    store(clients, config_row(sla={"deadline": "10:00", "expectedDuration": "30m", "dayOffset": 7}))
    assert watchdog.handler({"source": "aws.events"}, Context()) == {}
    bells = [json.loads(entry["Target"]["Input"]) for entry in entries(clients)]
    assert sorted(bell["moment"] for bell in bells) == ["breach", "breach", "warning", "warning"]
    assert {bell["mode"] for bell in bells} == {"fire-alert"}


def test_a_pass_makes_a_lost_start_good(clients: Clients) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    sensor = {"PK": "PIPELINE#gold", "SK": "SENSOR#orders", "data": {"state": "ready", "date": today}}
    store(clients, config_row(), sensor)
    _, ports = watchdog._parts()
    watchdog.handle(ports, clock=utc_now, sleep=lambda _: None, time_left=timedelta(minutes=5))
    (row,) = trigger_rows(clients)
    assert row["cause"] == {"S": "reconcile"}
    executions = clients("stepfunctions").list_executions(stateMachineArn=os.environ["STATE_MACHINE_ARN"])["executions"]
    assert [each["executionArn"] for each in executions] == [row["executionArn"]["S"]]


def test_a_bell_that_was_put_there_rings_through_sla_monitor(clients: Clients) -> None:
    store(clients, config_row(sla={"deadline": "10:00", "expectedDuration": "30m", "dayOffset": 7}))
    watchdog.handler({}, Context())
    bell = next(json.loads(entry["Target"]["Input"]) for entry in entries(clients))
    # It rings a week early here, and is not believed.
    assert sla_monitor.handler(bell, Context()) == {"status": "early"}


def test_what_failed_is_raised_so_that_the_alarm_rings(clients: Clients) -> None:
    store(clients, {"PK": "PIPELINE#broken", "SK": "CONFIG", "config": "{", KIND: "CONFIG"})
    with pytest.raises(TransientError, match="missed-schedules for broken"):
        watchdog.handler({}, Context())


def test_a_deadline_is_answered_from_the_stored_document(clients: Clients) -> None:
    store(clients, config_row(sla={"deadline": "10:00", "expectedDuration": "30m"}))
    asked = {"mode": "calculate", "pipelineId": "gold", "date": "2026-03-03"}
    assert sla_monitor.handler(asked, Context()) == {
        "absolute": {"warningAt": "2026-03-04T09:30:00.000Z", "breachAt": "2026-03-04T10:00:00.000Z"},
        "relative": None,
    }


@pytest.mark.parametrize("module", [sla_monitor, watchdog], ids=["sla-monitor", "watchdog"])
def test_a_cold_start_names_every_variable_that_is_missing(clients: Clients, module: Any) -> None:
    del os.environ["SCHEDULER_ROLE_ARN"], os.environ["EVENTS_DLQ_ARN"]
    with pytest.raises(ConfigError, match="SCHEDULER_ROLE_ARN is missing; EVENTS_DLQ_ARN is missing"):
        module.handler({}, Context())
