"""event-sink and alert-dispatcher as Lambda calls them, on simulated AWS: entry points, tables, secrets, log lines."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime import settings
from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.telemetry import Telemetry
from interlock_runtime.control.alerts import AlertPorts
from interlock_runtime.core.attributes import decode_item
from interlock_runtime.core.events import Event
from interlock_runtime.handlers import alert_dispatcher, event_sink
from interlock_runtime.handlers.assembly import Function
from tests.fakes.aws import create_table, simulated_aws
from tests.fakes.eventbridge import delivered
from tests.fakes.slack import CHANNEL, FakeSlack
from tests.fakes.world import START

TOKEN = "xoxb-never-to-be-seen"
EVENT = Event(
    type="SLA_BREACH",
    pipeline_id="gold",
    schedule_id="cron",
    date="2026-03-03",
    message="the deadline passed",
    detail={"ratio": 0.25, "count": 2**60},
)
DELIVERED = delivered(EVENT, at=START)
BATCH = {"Records": [{"messageId": "m-1", "body": json.dumps(DELIVERED)}]}
VARIABLES = {"EVENTS_TABLE": "events", "EVENTS_TTL_DAYS": "90", "SLACK_CHANNEL_ID": "", "SLACK_SECRET_ARN": ""}
NUMBERS = itertools.count()


class Context:
    aws_request_id = "request-1"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    with simulated_aws() as clients:
        create_table(clients, "events")
        for name, value in VARIABLES.items():
            monkeypatch.setenv(name, value)
        # A logger keeps the output that it found when it was first asked for by its name.
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", f"function-{next(NUMBERS)}")
        event_sink._parts.cache_clear()
        alert_dispatcher._parts.cache_clear()
        yield clients
    event_sink._parts.cache_clear()
    alert_dispatcher._parts.cache_clear()


def stored(clients: Clients) -> dict[str, dict[str, Any]]:
    """The rows of the events table by the beginning of their sort keys."""
    rows = map(decode_item, clients("dynamodb").scan(TableName="events")["Items"])
    return {row["SK"].split("#")[0]: row for row in rows}


def dispatcher(secret: str, slack: FakeSlack) -> tuple[Telemetry, AlertPorts]:
    """The function's ports with the token in a secret, and Slack on this machine."""
    function = Function.of("alert-dispatcher", os.environ)
    read = settings.AlertDispatcher(
        events_table="events", events_ttl_days=90, slack_channel_id=CHANNEL, slack_secret_arn=secret
    )
    return function.telemetry, alert_dispatcher.alert_ports(read, function, slack_url=f"{slack.url}/api/")


def test_the_sink_stores_what_eventbridge_delivers_once(clients: Clients) -> None:
    for _ in range(2):
        assert event_sink.handler(DELIVERED, Context()) == {}
    rows = stored(clients)
    assert len(rows) == 2
    (event,) = (row for prefix, row in rows.items() if prefix.isdigit())
    assert rows["SEEN"]["storedAs"] == event["SK"]
    assert (event["eventType"], event["detail"]["count"]) == ("SLA_BREACH", 2**60)


def test_without_slack_the_dispatcher_logs_the_alert_and_succeeds(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert alert_dispatcher.handler(BATCH, Context()) == {"batchItemFailures": []}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "alert" in line]
    expected = {
        "level": "WARNING",
        "alert": "SLA_BREACH",
        "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "request_id": "request-1",
        "pipeline": "gold",
        "schedule": "cron",
        "date": "2026-03-03",
        "severity": "critical",
    }
    assert {name: line[name] for name in expected} == expected
    assert stored(clients)["ALERT"]["toldAt"]


@pytest.mark.parametrize("secret", [TOKEN, f"  {TOKEN}\n", json.dumps({"token": TOKEN, "other": "x"})])
def test_the_token_comes_from_a_secret_and_is_seen_nowhere(
    clients: Clients, secret: str, capfd: pytest.CaptureFixture[str]
) -> None:
    clients("secretsmanager").create_secret(Name="slack", SecretString=secret)
    with FakeSlack() as slack:
        slack.tokens = {TOKEN}
        telemetry, ports = dispatcher("slack", slack)
        with telemetry.invocation(Context()):
            assert alert_dispatcher.handle(BATCH, ports, clock=lambda: START) == {"batchItemFailures": []}
            slack.outage = 500
            again = {"Records": [{"messageId": "m-2", "body": json.dumps({**DELIVERED, "detail": {}})}]}
            assert alert_dispatcher.handle(again, ports, clock=lambda: START)["batchItemFailures"]
    assert [each.event_type for each in slack.messages] == ["SLA_BREACH"]
    rows = stored(clients)
    assert rows["THREAD"]["threadTs"] == rows["ALERT"]["messageTs"] == slack.messages[0].ts
    output = "".join(capfd.readouterr())
    assert "alert posted" in output
    assert TOKEN not in output
    assert TOKEN not in str(rows)


@pytest.mark.parametrize(
    ("secret", "problem"), [(None, "ResourceNotFound"), ('{"key": "xoxb-1"}', "under the key 'token'")]
)
def test_a_secret_without_a_token_keeps_the_alert_for_later(
    clients: Clients, secret: str | None, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if secret is not None:
        clients("secretsmanager").create_secret(Name="slack", SecretString=secret)
    with FakeSlack() as slack:
        telemetry, ports = dispatcher("slack", slack)
        with telemetry.invocation(Context()):
            answer = alert_dispatcher.handle(BATCH, ports, clock=lambda: START)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    output = capsys.readouterr().out
    assert problem in output
    assert "xoxb-1" not in output


def test_a_new_token_is_read_as_soon_as_slack_refuses_the_old_one(clients: Clients) -> None:
    clients("secretsmanager").create_secret(Name="slack", SecretString="xoxb-old")
    with FakeSlack() as slack:
        slack.tokens = {TOKEN}
        _, ports = dispatcher("slack", slack)
        assert alert_dispatcher.handle(BATCH, ports, clock=lambda: START)["batchItemFailures"]
        clients("secretsmanager").put_secret_value(SecretId="slack", SecretString=TOKEN)
        later = START + timedelta(minutes=3)
        assert alert_dispatcher.handle(BATCH, ports, clock=lambda: later)["batchItemFailures"] == []


@pytest.mark.parametrize("module", ["event_sink", "alert_dispatcher"])
def test_the_import_of_a_function_loads_neither_aws_nor_slack(module: str) -> None:
    program = f"import interlock_runtime.handlers.{module}, sys; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert not set(found.stdout.split()) & {"boto3", "botocore.session", "slack_sdk", "urllib3", "asyncio"}
