"""What an alert says in Slack: each event type as people read it, and what happens when there is too much to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from interlock_runtime.control.slack_message import FIELDS, compose, fitted
from interlock_runtime.core.events import EVENT_TYPES, Event, Severity
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.slack import Message
from tests.fakes.eventbridge import delivered
from tests.fakes.slack import ALL_BLOCKS, block_faults
from tests.fakes.values import json_values
from tests.fakes.world import START

DEADLINE = {"deadline": "2026-03-03T10:00:00.000Z", "breachAt": "2026-03-03T10:00:00.000Z", "critical": True}

#: What an event of each type says, besides what every event says; others say nothing more.
DETAILS: Mapping[str, Mapping[str, Any]] = {
    "VALIDATION_EXHAUSTED": {"rules": [{"rule": "orders.count gte 1000", "passed": False}]},
    "JOB_FAILED": {"event": "fail", "category": "TRANSIENT", "error": "no capacity", "runId": "jr_1"},
    "RETRY_EXHAUSTED": {"source": "job", "used": 2, "actionHint": "mend the cause, then write a rerun request"},
    "JOB_POLL_EXHAUSTED": {"runId": "jr_1", "actionHint": "look for the job's run jr_1; stop it before a rerun"},
    "INFRA_ALARM": {
        "alarmName": "dev-interlock-sfn-failures",
        "state": "ALARM",
        "reason": 'Threshold "1" <crossed> & more',
        "time": "2026-03-03T07:55:00Z",
        "region": "eu-west-1",
        "account": "123456789012",
    },
    "SFN_TIMEOUT": {"status": "TIMED_OUT"},
    "SCHEDULE_MISSED": {"cron": "0 8 * * MON-FRI", "actionHint": "write a rerun request to start the run"},
    "LATE_DATA_ARRIVAL": {"status": "COMPLETED", "sensorKey": "orders"},
    "POST_RUN_DRIFT": {"previous": 1000, "current": 1200, "delta": 200, "threshold": 50, "field": "count"},
    "SLA_WARNING": {**DEADLINE, "status": "RUNNING", "actionHint": "see what the run waits for"},
    "SLA_BREACH": {**DEADLINE, "status": "FAILED_FINAL", "actionHint": "tell the consumers of the data"},
    "SLA_MET": {**DEADLINE, "status": "COMPLETED"},
    "DRY_RUN_SLA_PROJECTION": {"status": "met", "deadline": "2026-03-03T10:00:00.000Z", "marginSeconds": 1800},
}

#: Types that are about the installation and no date.
OF_THE_INSTALLATION = {"INFRA_ALARM", "WATCHDOG_DEGRADED"}


def received(kind: str, *, message: str | None = None, detail: Mapping[str, Any] | None = None) -> ReceivedEvent:
    """An event of a type, as it comes from the bus."""
    of_the_installation = kind in OF_THE_INSTALLATION
    event = Event(
        type=kind,
        pipeline_id="INFRASTRUCTURE" if of_the_installation else "gold-revenue",
        schedule_id=None if of_the_installation else "cron",
        date=None if of_the_installation else "2026-03-03",
        message=f"what happened: {EVENT_TYPES[kind].meaning}" if message is None else message,
        detail=DETAILS.get(kind, {}) if detail is None else detail,
    )
    return ReceivedEvent.of(delivered(event, at=START))


def faults(message: Message) -> list[str]:
    """What Slack would find wrong with a message."""
    return list(block_faults([*map(dict, message.blocks)]))


def told(message: Message) -> str:
    """A message as people read it, a line for each part."""
    lines: list[str] = []
    for block in message.blocks:
        name = "fields" if "fields" in block else block["type"]
        for part in block.get("fields", [block.get("text")]):
            lines.append(f"{name:>8} | " + part["text"].replace("\n", "\n" + " " * 9 + "| "))
    return "\n".join([*lines, f"{'text':>8} | " + message.text.replace("\n", "\n" + " " * 9 + "| ")])


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_what_an_event_says(kind: str, snapshot: SnapshotAssertion) -> None:
    message = compose(received(kind))
    assert told(message) == snapshot
    assert faults(message) == []


def test_severity_shows_in_the_mark() -> None:
    marks: dict[str, set[str]] = {severity: set() for severity in Severity}
    for kind, event_type in EVENT_TYPES.items():
        marks[event_type.severity].add(compose(received(kind)).blocks[0]["text"]["text"].split()[0])
    assert marks == {"info": {"ℹ️"}, "notice": {"🔔"}, "warning": {"⚠️"}, "critical": {"🚨"}}


def test_an_event_without_a_message_says_what_its_type_means() -> None:
    assert EVENT_TYPES["JOB_COMPLETED"].meaning in told(compose(received("JOB_COMPLETED", message="  ")))


def test_an_unknown_event_is_told_as_a_warning() -> None:
    event = ReceivedEvent.of({"id": "1", "detail-type": "TABLE_PUBLISHED", "detail": {"pipelineId": "gold"}})
    assert told(compose(event)).splitlines()[:2] == [
        "  header | ⚠️ TABLE_PUBLISHED · gold",
        " section | TABLE_PUBLISHED",
    ]


def test_an_event_that_cannot_be_read_is_shown_raw(snapshot: SnapshotAssertion) -> None:
    event = ReceivedEvent.of({"id": "1", "detail-type": "JOB_FAILED", "detail": {"why": "```<!channel>```"}})
    assert told(compose(event)) == snapshot


def test_nothing_in_an_event_can_call_people_or_make_links() -> None:
    evil = "<!channel> <@U1> <https://x.example|click> &amp; a < b"
    detail = {"actionHint": evil, "status": evil}
    message = compose(received("JOB_FAILED", message=evil, detail=detail))
    assert "<" not in told(message)
    escaped = "&lt;!channel&gt; &lt;@U1&gt; &lt;https://x.example|click&gt; &amp;amp; a &lt; b"
    # The message and the hint, each twice, and the field.
    assert told(message).count(escaped) == 5
    parts = [part for block in message.blocks for part in block.get("fields") or [block["text"]]]
    assert all(part["verbatim"] for part in parts if part["type"] == "mrkdwn")


def test_a_long_message_keeps_its_beginning_its_end_and_everything_around_it() -> None:
    message = "the job failed: " + "<trace> " * 5000 + "KeyError: 'amount'"
    detail = {"actionHint": "mend the cause", "status": "s" * 5000, "deadline": "10:00"}
    composed = compose(received("RETRY_EXHAUSTED", message=message, detail=detail))
    assert faults(composed) == []
    for text in (told(composed), composed.text):
        assert "the job failed: &lt;trace&gt;" in text
        assert "KeyError: 'amount'" in text
        assert " […] " in text
        assert "mend the cause" in text
        assert "10:00" in text
        assert "2026-03-03" in text
    assert len(composed.text) < 3000


def test_numbers_and_structures_are_shown_as_json() -> None:
    fields = told(
        compose(received("SLA_MET", detail={"status": {"was": None}, "deadline": 10, "cron": "", "source": 0}))
    )
    assert '*Status*\n         | {"was": null}' in fields
    assert "*Deadline*\n         | 10" in fields
    assert "*Source*\n         | 0" in fields
    assert "Cron" not in fields


@given(
    kind=st.sampled_from(list(EVENT_TYPES)),
    message=st.text() | st.text("<&\N{GRINNING FACE}x", min_size=2000).map(lambda text: text * 20),
    detail=st.dictionaries(st.sampled_from([*FIELDS.values(), "actionHint"]), json_values),
    broken=st.booleans(),
)
def test_whatever_an_event_says_slack_takes_the_message(
    kind: str, message: str, detail: dict[str, Any], broken: bool
) -> None:
    event = {"id": "1", "detail-type": kind, "detail": {"pipelineId": "gold", "message": message, "detail": detail}}
    if broken:
        event["detail"] = {**detail, "message": [message]}
    composed = compose(ReceivedEvent.of(event))
    assert faults(composed) == []
    assert len(told(composed)) < ALL_BLOCKS
    assert composed.text.strip()


@given(text=st.text(), limit=st.integers(20, 60), escape=st.booleans())
def test_a_text_that_fits_is_whole_and_one_that_does_not_has_both_ends(text: str, limit: int, escape: bool) -> None:
    whole = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") if escape else text
    short = fitted(text, limit, escape=escape)
    assert len(short.encode("utf-16-le")) // 2 <= limit
    if len(whole.encode("utf-16-le")) // 2 <= limit:
        assert short == whole
    else:
        head, _, tail = short.partition(" […] ")
        assert whole.startswith(head)
        assert whole.endswith(tail)
