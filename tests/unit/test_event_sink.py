"""event-sink: every event is stored once, whatever it looks like and however often it comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import epoch_seconds, millis
from interlock_runtime.core.item_limits import ITEM_BYTES, item_bytes
from interlock_runtime.core.names import digest
from tests.fakes.alerting import Consumers
from tests.fakes.calls import Killed
from tests.fakes.eventbridge import delivered
from tests.fakes.values import json_values
from tests.fakes.world import START

EVENT = Event(
    type="POST_RUN_DRIFT",
    pipeline_id="gold",
    schedule_id="stream",
    date="2026-03-03",
    message="orders changed",
    detail={"previous": 1000, "current": 1200.5, "big": 2**60 + 1, "field": "count", "rules": [{"passed": False}]},
    attempt=0,
    cause="sensor:7",
)
KEY = EVENT.dedupe_key


@pytest.fixture
def consumers() -> Consumers:
    return Consumers()


def events(consumers: Consumers) -> list[dict[str, Any]]:
    """The stored events, without the claims."""
    return [row for row in consumers.stored() if "eventType" in row]


def test_an_event_is_stored_with_everything_that_it_says(consumers: Consumers) -> None:
    consumers.sink(delivered(EVENT, at=START))
    assert events(consumers) == [
        {
            "PK": "PIPELINE#gold",
            "SK": f"{millis(START)}#POST_RUN_DRIFT#{digest(KEY)}",
            "eventType": "POST_RUN_DRIFT",
            "pipelineId": "gold",
            "scheduleId": "stream",
            "date": "2026-03-03",
            "attempt": 0,
            "message": "orders changed",
            "detail": {
                "previous": 1000,
                "current": Decimal("1200.5"),
                "big": 2**60 + 1,
                "field": "count",
                "rules": [{"passed": False}],
            },
            "timestamp": millis(START),
            "correlationId": "gold/stream/2026-03-03",
            "dedupeKey": KEY,
            "ttl": epoch_seconds(START + timedelta(days=90)),
        }
    ]


def test_what_an_event_is_not_about_is_left_out(consumers: Consumers) -> None:
    event = Event(
        type="WATCHDOG_DEGRADED", pipeline_id="INFRASTRUCTURE", schedule_id=None, date=None, message="a check failed"
    )
    consumers.sink(delivered(event, at=START))
    (row,) = events(consumers)
    assert row.keys().isdisjoint({"scheduleId", "date", "attempt", "problem", "raw"})


def test_an_event_that_comes_again_is_stored_once(consumers: Consumers) -> None:
    for _ in range(3):
        consumers.sink(delivered(EVENT, at=START))
        consumers.advance(hours=1)
    assert len(events(consumers)) == 1
    assert consumers.calls.by_name == {"dynamodb:PutItem": 6}


def test_an_event_that_is_published_again_later_is_stored_once_as_it_first_came(consumers: Consumers) -> None:
    consumers.sink(delivered(EVENT, at=START))
    consumers.advance(minutes=5)
    consumers.sink(delivered(EVENT, at=consumers.now, event_id="another"))
    (row,) = events(consumers)
    assert row["timestamp"] == millis(START)


def test_different_occurrences_are_different_rows(consumers: Consumers) -> None:
    for cause in ("sensor:7", "sensor:8"):
        event = Event(
            type=EVENT.type, pipeline_id="gold", schedule_id="stream", date="2026-03-03", message="", cause=cause
        )
        consumers.sink(delivered(event, at=START))
    assert len(events(consumers)) == 2


def test_the_claim_outlives_every_replay(consumers: Consumers) -> None:
    consumers.sink(delivered(EVENT, at=START))
    (claim,) = consumers.stored("SEEN#")
    assert claim == {
        "PK": "PIPELINE#gold",
        "SK": f"SEEN#{digest(KEY)}",
        "storedAs": events(consumers)[0]["SK"],
        "ttl": epoch_seconds(START + timedelta(days=30)),
    }


@pytest.mark.parametrize("survived", [1, 2])
def test_a_sink_that_dies_after_any_call_stores_the_event_when_it_comes_again(
    consumers: Consumers, survived: int
) -> None:
    consumers.sink(delivered(EVENT, at=START))
    undisturbed = consumers.events.rows()

    consumers.events.copy_from({})
    consumers.calls.reset()
    consumers.calls.kill_after = survived
    with pytest.raises(Killed):
        consumers.sink(delivered(EVENT, at=START))
    consumers.calls.reset()
    # What comes again may have been published anew: its own time differs, its place must not.
    consumers.sink(delivered(EVENT, at=START + timedelta(minutes=1)))

    assert consumers.events.rows() == undisturbed


def test_an_event_of_somebody_elses_is_stored_under_its_own_type(consumers: Consumers) -> None:
    event = {**delivered(EVENT, at=START), "detail-type": "TABLE_PUBLISHED"}
    consumers.sink(event)
    (row,) = events(consumers)
    assert (row["eventType"], row["SK"].split("#")[1]) == ("TABLE_PUBLISHED", "TABLE_PUBLISHED")
    assert "raw" not in row


def test_an_event_that_cannot_be_read_is_kept_raw(consumers: Consumers) -> None:
    event = {"id": "4711", "detail-type": "JOB_FAILED", "time": "2026-03-03T06:00:00Z", "detail": {"pipeline": "gold"}}
    consumers.sink(event)
    consumers.sink(event)
    (row,) = events(consumers)
    assert (row["PK"], row["eventType"], row["dedupeKey"]) == ("PIPELINE#UNKNOWN", "JOB_FAILED", "4711")
    assert row["problem"] == "pipelineId is missing"
    assert json.loads(row["raw"]) == event
    assert "kept raw" in consumers.log.text("warning")


@pytest.mark.parametrize("event", [[], "text", 7, None, {}, {"detail": []}])
def test_anything_at_all_is_kept(consumers: Consumers, event: Any) -> None:
    consumers.sink(event)
    consumers.sink(event)
    (row,) = events(consumers)
    assert json.loads(row["raw"]) == event
    assert row["timestamp"] == millis(START)


@given(value=json_values)
def test_a_detail_may_hold_whatever_json_can(value: Any) -> None:
    consumers = Consumers()
    event = delivered(EVENT, at=START)
    event["detail"]["detail"] = {"value": value}
    consumers.sink(event)
    assert len(events(consumers)) == 1


def _long_text(event: dict[str, Any]) -> None:
    event["detail"]["detail"] = {"log": "é" * 300_000}


def _many_numbers(event: dict[str, Any]) -> None:
    event["detail"]["detail"] = {"numbers": list(range(100_000, 200_000))}


def _long_and_broken(event: dict[str, Any]) -> None:
    event["detail"] |= {"detail": ["x" * 600_000], "message": "m" * 100_000}


@pytest.mark.parametrize("lengthen", [_long_text, _many_numbers, _long_and_broken])
def test_an_event_that_is_too_long_keeps_what_it_is_about_and_its_beginning(
    consumers: Consumers, lengthen: Callable[[dict[str, Any]], None]
) -> None:
    event = delivered(EVENT, at=START)
    lengthen(event)
    consumers.sink(event)
    consumers.sink(event)
    (row,) = events(consumers)
    assert ITEM_BYTES - 8 <= item_bytes(row) <= ITEM_BYTES
    assert (row["pipelineId"], row["eventType"], row["date"]) == ("gold", "POST_RUN_DRIFT", "2026-03-03")
    assert row["detail"] == {"truncated": "the event is too long for one item; raw holds its beginning"}
    assert event["detail"]["message"].startswith(row["message"].removesuffix("…"))


def test_texts_that_are_too_long_are_cut_one_by_one(consumers: Consumers) -> None:
    event = delivered(EVENT, at=START)
    event["detail"] |= {"message": "m" * 500_000, "dedupeKey": "k" * 500_000, "correlationId": "c" * 500_000}
    consumers.sink(event)
    (row,) = events(consumers)
    assert {len(row[name].encode()) for name in ("message", "dedupeKey", "correlationId")} == {16 * 1024}
    assert json.loads(row["raw"]) == event["detail"]["detail"]


def test_a_long_event_that_fits_is_stored_whole(consumers: Consumers) -> None:
    event = delivered(EVENT, at=START)
    event["detail"]["detail"] = {"log": "x" * 250_000}
    consumers.sink(event)
    (row,) = events(consumers)
    assert row["detail"] == event["detail"]["detail"]


def test_log_lines_name_the_event(consumers: Consumers) -> None:
    consumers.sink(delivered(EVENT, at=START))
    consumers.sink(delivered(EVENT, at=START))
    assert [message for _, message, _ in consumers.log.lines] == [
        "event stored",
        "event passed over: it is stored already",
    ]
    _, _, fields = consumers.log.lines[-1]
    assert fields["pipeline"] == "gold"
    assert fields["event_type"] == "POST_RUN_DRIFT"
