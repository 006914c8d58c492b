"""Events as they arrive: read as far as they can be read, and never refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.events import Event
from interlock_runtime.core.received import UNKNOWN_PIPELINE, UNREADABLE, ReceivedEvent
from tests.fakes.eventbridge import delivered
from tests.fakes.values import json_values

NOW = datetime(2026, 3, 3, 10, 0, 0, 123000, tzinfo=UTC)
EVENT = Event(
    type="SLA_BREACH",
    pipeline_id="gold",
    schedule_id="cron",
    date="2026-03-03",
    message="the deadline passed",
    detail={"deadline": "10:00", "critical": True},
    attempt=1,
    correlation_id="gold/cron/2026-03-03/1",
)


def changed(**changes: Any) -> dict[str, Any]:
    """The event with other values, those of its ``detail`` by their names; None takes one away."""
    event = delivered(EVENT, at=NOW)
    for name, value in changes.items():
        part = event["detail"] if name in event["detail"] else event
        part[name.replace("_", "-") if name == "detail_type" else name] = value
    return event


def test_an_event_of_interlock_is_read_as_it_was_published() -> None:
    assert ReceivedEvent.of(delivered(EVENT, at=NOW)) == ReceivedEvent(
        type="SLA_BREACH",
        pipeline_id="gold",
        schedule_id="cron",
        date="2026-03-03",
        message="the deadline passed",
        detail={"deadline": "10:00", "critical": True},
        attempt=1,
        published_at=NOW,
        correlation_id="gold/cron/2026-03-03/1",
        dedupe_key="SLA_BREACH|gold|cron|2026-03-03|1|",
    )


def test_what_an_event_may_lack_is_no_problem() -> None:
    event = ReceivedEvent.of(
        changed(scheduleId=None, date="", attempt=None, message=None, correlationId=None, timestamp=None)
    )
    assert event.problem is None
    assert (event.schedule_id, event.date, event.attempt, event.message) == (None, None, None, "")
    assert event.published_at == NOW.replace(microsecond=0)


def test_without_a_dedupe_key_the_id_of_the_delivery_tells_events_apart() -> None:
    assert ReceivedEvent.of(changed(dedupeKey=None, id="4711")).dedupe_key == "4711"


def test_without_any_key_the_same_event_has_the_same_key() -> None:
    event = {key: value for key, value in changed(dedupeKey=None).items() if key != "id"}
    backwards = dict(reversed(event.items()))
    assert ReceivedEvent.of(event).dedupe_key == ReceivedEvent.of(backwards).dedupe_key
    assert ReceivedEvent.of(event).dedupe_key != ReceivedEvent.of({**event, "time": "2026-03-03T10:00:01Z"}).dedupe_key


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (["a", "list"], "the event is a list of 2, expected a map"),
        (None, "the event is null, expected a map"),
        (changed(detail="text"), "detail is 'text', expected a map"),
        (changed(detail_type=""), "detail-type is missing"),
        (changed(detail_type="X" * 129), f"detail-type is '{'X' * 76}..., expected a text of at most 128 characters"),
        (changed(pipelineId=None), "pipelineId is missing"),
        (changed(pipelineId=7), "pipelineId is 7, expected a text of at most 256 characters"),
        (changed(scheduleId="s" * 65), f"scheduleId is '{'s' * 65}', expected a text of at most 64 characters"),
        (changed(date=20260303), "date is 20260303, expected a text of at most 64 characters"),
        (changed(attempt="1"), "attempt is '1', expected a whole number"),
        (changed(message={"text": ""}, attempt=True), "message is a map of 1, expected a text; attempt is true"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_and_the_whole_is_kept(event: Any, problem: str) -> None:
    read = ReceivedEvent.of(event)
    assert read.problem is not None
    assert problem in read.problem
    assert read.raw is not None
    assert json.loads(read.raw) == event


def test_an_event_that_says_nothing_is_filed_all_the_same() -> None:
    event = ReceivedEvent.of({"detail": {}})
    assert (event.type, event.pipeline_id, event.published_at) == (UNREADABLE, UNKNOWN_PIPELINE, None)


def test_what_can_be_read_of_a_broken_event_is_read() -> None:
    event = ReceivedEvent.of(changed(date=7))
    assert (event.type, event.pipeline_id, event.message, event.date) == (
        "SLA_BREACH",
        "gold",
        "the deadline passed",
        None,
    )


@pytest.mark.parametrize("text", ["{", "", "[1,", "[" * 100_000, '{"detail": 1e999}'])
def test_text_is_read_whatever_it_is(text: str) -> None:
    event = ReceivedEvent.parse(text)
    assert event.problem
    assert event.dedupe_key == ReceivedEvent.parse(text).dedupe_key


def test_half_a_character_becomes_a_question_mark() -> None:
    event = ReceivedEvent.parse(json.dumps(changed(message="\ud83d lost, \ud83d\ude00 kept")))
    assert event.message == "? lost, \N{GRINNING FACE} kept"


def test_an_alarm_says_which_it_is_how_it_stands_and_why() -> None:
    alarm = changed(detail_type="INFRA_ALARM")
    alarm["detail"]["detail"] = {"alarmName": "dev-interlock-sfn-failures", "state": "OK", "reason": 'no "data"'}
    assert ReceivedEvent.of(alarm).message == 'dev-interlock-sfn-failures: OK — no "data"'


def test_an_alarm_without_its_parts_keeps_its_message() -> None:
    assert ReceivedEvent.of(changed(detail_type="INFRA_ALARM")).message == "the deadline passed"


@given(value=json_values)
def test_no_value_at_all_is_refused(value: Any) -> None:
    for event in (value, {"detail": value}, {"detail-type": value, "id": value, "detail": {"pipelineId": value}}):
        read = ReceivedEvent.of(event)
        assert read.type
        assert read.pipeline_id
        assert read.dedupe_key


@given(text=st.text(st.characters(exclude_categories=[])))
def test_no_text_at_all_is_refused(text: str) -> None:
    read = ReceivedEvent.parse(text)
    assert read.raw is not None
    read.raw.encode()
