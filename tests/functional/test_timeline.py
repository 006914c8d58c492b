"""What is written into the control table, however it is, stands on the timeline, and why nothing came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.attributes import encode_item
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.timeline import json_lines
from interlock_tf.testing import Entry, Kind, Scenario

pytestmark = pytest.mark.slow

DATE = "2026-11-24"
DOCUMENT: dict[str, Any] = {
    "pipeline": {"id": "gold"},
    "schedule": {
        "trigger": {"key": "orders", "check": "equals", "field": "status", "value": "done", "deadline": "12:00"},
        "evaluation": {"window": "30m", "interval": "5m"},
    },
    "validation": {
        "rules": [
            {"key": "refunds", "check": "exists", "field": "count"},
            {"key": "refunds", "check": "gte", "field": "count", "value": 1},
        ]
    },
    "job": {"type": "command", "config": {"command": "true"}},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pipelines") / "gold.yaml"
    file.write_text(json.dumps(DOCUMENT))
    return stack_of_pipelines([file])


@pytest.fixture
def story(stack: Path) -> Scenario:
    return Scenario(stack, start=f"{DATE}T09:00", pipeline="gold")


def told(story: Scenario, kind: Kind) -> list[Entry]:
    return [entry for entry in story.timeline if entry.kind is kind]


def put(story: Scenario, sort_key: str, **attributes: Any) -> None:
    """Write a row as a process does with an SDK."""
    row = {"PK": "PIPELINE#gold", "SK": sort_key, **attributes}
    story.world.answer("dynamodb", "PutItem", {"TableName": story.world.control_table, "Item": encode_item(row)})
    story.advance(seconds=0)


def test_a_sensor_is_told_once_whoever_writes_it(story: Scenario) -> None:
    put(story, "SENSOR#refunds", data={"count": 3, "healthy": False, "note": "a\u2028b", "by": None})
    story.sensor("refunds", count=4, what="kind")
    first, second = told(story, Kind.SENSOR)
    assert (first.pipeline_id, first.what) == ("gold", "refunds")
    assert first.why == 'count=3, healthy=false, note="a\\u2028b", by=null'
    assert first.detail == {"count": 3, "healthy": False, "note": "a\u2028b", "by": None}
    assert second.why == 'count=4, what="kind"'


def test_fields_beside_data_are_told_as_rules_read_them(story: Scenario) -> None:
    put(story, "SENSOR#refunds", count=3, ttl=4_000_000_000)
    (sensor,) = told(story, Kind.SENSOR)
    assert sensor.why == "count=3"


def test_a_request_is_told_once_whoever_writes_it(story: Scenario) -> None:
    put(story, f"RERUN_REQUEST#stream#{DATE}", reason="a correction")
    story.rerun("another", date=DATE)
    assert [(each.what, each.date, each.why) for each in told(story, Kind.REQUEST)] == [
        ("rerun", DATE, "a correction"),
        ("rerun", DATE, "another"),
    ]


def test_what_functions_write_is_no_sensor_and_no_request(story: Scenario) -> None:
    story.sensor("refunds", count=3)
    story.sensor("orders", status="done")
    story.expect("JOB_COMPLETED")
    story.sensor("orders", status="done", again=True)
    story.expect("LATE_DATA_ARRIVAL")
    assert [each.what for each in told(story, Kind.SENSOR)] == ["refunds", "orders", "orders"]
    assert not told(story, Kind.REQUEST)  # nobody asked but Interlock itself


def test_a_reason_that_two_rules_have_is_told_once(story: Scenario) -> None:
    story.sensor("orders", status="done")
    (evaluation,) = told(story, Kind.EVALUATION)
    assert evaluation.why == "sensor refunds is missing"


def test_the_same_writes_give_the_same_bytes(stack: Path) -> None:
    def lived() -> list[str]:
        story = Scenario(stack, start=f"{DATE}T09:00", pipeline="gold")
        put(story, "SENSOR#refunds", count=3, data={"b": 1, "a": 2})
        story.sensor("orders", status="done")
        return list(json_lines(story.timeline))

    assert lived() == lived()


@pytest.mark.parametrize(
    ("key", "fields", "what", "why"),
    [
        ("orders", {"status": "partial"}, "trigger condition not met", "partial"),
        ("orders", {}, "trigger condition not met", "status"),
        ("order", {"status": "done"}, "no rule reads it", "no rule of gold reads 'order'; did you mean orders?"),
        ("x", {"status": "done"}, "no rule reads it", "its rules read orders, refunds"),
    ],
)
def test_a_sensor_that_starts_nothing_says_why(
    story: Scenario, key: str, fields: dict[str, Any], what: str, why: str
) -> None:
    story.sensor(key, **fields)
    (note,) = told(story, Kind.NOTE)
    assert (note.pipeline_id, note.what) == ("gold", what)
    assert why in note.why


def test_a_sensor_after_the_trigger_deadline_says_so(story: Scenario) -> None:
    story.at("12:30")
    story.sensor("orders", status="done", date="2026-11-23")
    (note,) = told(story, Kind.NOTE)
    assert (note.date, note.what) == ("2026-11-23", "automatic start refused: the trigger deadline has passed")
    assert note.why == "orders; deadline: 2026-11-24T12:00:00.000Z"


def test_a_sensor_that_is_written_as_it_was_says_that_nobody_hears_of_it(story: Scenario) -> None:
    for _ in range(2):
        story.sensor("refunds", count=3)
    assert len(told(story, Kind.SENSOR)) == 2
    (note,) = told(story, Kind.NOTE)
    assert (note.what, "nothing has changed" in note.why) == ("no event", True)


def test_a_sensor_that_starts_a_run_or_serves_one_needs_no_reason(story: Scenario) -> None:
    story.sensor("refunds", count=3)
    story.sensor("orders", status="done")
    story.expect("JOB_COMPLETED")
    assert not told(story, Kind.NOTE)
