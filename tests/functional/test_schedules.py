"""The Scheduler adapter against moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.schedules import Schedules
from interlock_runtime.core.errors import PermanentError
from tests.fakes.aws import simulated_aws

GROUP = "dev-interlock-sla"
ROLE = "arn:aws:iam::123456789012:role/dev-interlock-scheduler-sla"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:dev-interlock-sla-monitor"
DEAD_LETTERS = "arn:aws:sqs:eu-west-1:123456789012:dev-interlock-events-dlq"
AT = datetime(2030, 3, 3, 10, 0, tzinfo=UTC)
MESSAGE = {"mode": "fire-alert", "pipelineId": "gold"}


@pytest.fixture
def clients() -> Iterator[Clients]:
    with simulated_aws() as clients:
        clients("scheduler").create_schedule_group(Name=GROUP)
        yield clients


def adapter(clients: Clients, group: str = GROUP) -> Schedules:
    return Schedules(
        group,
        function_arn=FUNCTION,
        role_arn=ROLE,
        dead_letters_arn=DEAD_LETTERS,
        client=lambda: clients.repeating("scheduler"),
    )


def stored(clients: Clients, name: str) -> dict[str, Any]:
    found: dict[str, Any] = clients("scheduler").get_schedule(GroupName=GROUP, Name=name)
    return found


def test_a_schedule_fires_once_in_utc_and_is_gone(clients: Clients) -> None:
    assert adapter(clients).create("bell", at=AT, message=MESSAGE)
    found = stored(clients, "bell")
    assert found["ScheduleExpression"] == "at(2030-03-03T10:00:00)"
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert found["ActionAfterCompletion"] == "DELETE"
    target = found["Target"]
    assert json.loads(target["Input"]) == MESSAGE
    assert (target["Arn"], target["RoleArn"]) == (FUNCTION, ROLE)
    assert target["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


@pytest.mark.parametrize(
    ("at", "expression"),
    [
        (AT + timedelta(milliseconds=1), "at(2030-03-03T10:00:01)"),
        (AT.astimezone(timezone(timedelta(hours=-8))), "at(2030-03-03T10:00:00)"),
        (datetime(2030, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), "at(2031-01-01T00:00:00)"),
    ],
)
def test_it_never_fires_early_and_always_in_utc(clients: Clients, at: datetime, expression: str) -> None:
    adapter(clients).create("bell", at=at, message=MESSAGE)
    assert stored(clients, "bell")["ScheduleExpression"] == expression


def test_one_that_exists_is_left_as_it_is(clients: Clients) -> None:
    schedules = adapter(clients)
    assert schedules.create("bell", at=AT, message=MESSAGE)
    assert not schedules.create("bell", at=AT + timedelta(hours=1), message=MESSAGE)
    assert stored(clients, "bell")["ScheduleExpression"] == "at(2030-03-03T10:00:00)"


def test_a_deleted_schedule_can_be_deleted_again(clients: Clients) -> None:
    schedules = adapter(clients)
    schedules.create("bell", at=AT, message=MESSAGE)
    schedules.delete("bell")
    schedules.delete("bell")
    assert clients("scheduler").list_schedules(GroupName=GROUP)["Schedules"] == []


def test_a_name_that_scheduler_refuses_is_a_permanent_error(clients: Clients) -> None:
    with pytest.raises(PermanentError, match="scheduler: "):
        adapter(clients).create("", at=AT, message=MESSAGE)
