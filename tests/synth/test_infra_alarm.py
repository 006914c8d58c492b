"""An alarm of the installation, from CloudWatch's event through the emitted transformer to the table and to Slack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from interlock_tf.events import ALARM_PATHS, infra_alarm_template
from tests.fakes.alerting import Consumers
from tests.fakes.eventbridge import alarm_event, transformed
from tests.fakes.slack import FakeSlack

REASONS = {
    "plain": "Threshold Crossed: 1 datapoint [1.0] was greater than or equal to the threshold (1.0).",
    "quotes": "the metric \"Errors\" of 'stream-router'",
    "a path": "C:\\queues\\new and a final backslash \\",
    "lines": "first line\nsecond line\r\n\tindented",
    "JSON": '{"a": ["<reason>", "$.detail"], "b": "\\n"}',
    "markup": "<!channel> & <https://x.example|click>",
    "beyond ASCII": "Schwelle überschritten \N{POLICE CARS REVOLVING LIGHT}",
    "nothing": "",
}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def passed_on(reason: str, *, state: str = "ALARM") -> str:
    """What the targets of the two alarm rules are given."""
    return transformed(infra_alarm_template(), ALARM_PATHS, alarm_event(reason=reason, state=state))


def stored(consumers: Consumers) -> dict[str, Any]:
    (row,) = (row for row in consumers.stored() if "eventType" in row)
    return row


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_an_alarm_is_stored_with_its_reason_whatever_that_holds(reason: str) -> None:
    consumers = Consumers()
    consumers.sink(json.loads(passed_on(reason)))
    consumers.sink(json.loads(passed_on(reason)))
    row = stored(consumers)
    assert row["message"] == f"dev-interlock-sfn-failures: ALARM — {reason}"
    assert row["detail"] == json.loads(passed_on(reason))["detail"]["detail"]
    assert (row["detail"]["alarmName"], row["detail"]["reason"]) == ("dev-interlock-sfn-failures", reason)
    assert (row["eventType"], row["pipelineId"]) == ("INFRA_ALARM", "INFRASTRUCTURE")
    assert row["dedupeKey"] == alarm_event()["id"]
    assert row.keys().isdisjoint({"problem", "raw", "date", "scheduleId"})


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_an_alarm_is_posted_with_its_reason_whatever_that_holds(slack: FakeSlack, reason: str) -> None:
    consumers = Consumers(slack)
    assert consumers.dispatch(passed_on(reason)) == []
    assert consumers.dispatch(passed_on(reason)) == []
    (standing,) = slack.messages
    assert (standing.title, standing.thread) == ("🚨 INFRA_ALARM · INFRASTRUCTURE", None)
    shown = standing.blocks[1]["text"]["text"]
    for mark, escaped in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(mark, escaped)
    assert shown == f"dev-interlock-sfn-failures: ALARM — {reason}"


def test_the_end_of_an_alarm_is_stored_too() -> None:
    consumers = Consumers()
    consumers.sink(json.loads(passed_on("no data", state="OK")))
    assert stored(consumers)["message"] == "dev-interlock-sfn-failures: OK — no data"
