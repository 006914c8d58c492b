"""Events leave in batches, and what the bus refuses is tried again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from interlock_runtime.aws.bus import Bus
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.events import Event

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)


class Client:
    """A bus that refuses chosen event types a number of times."""

    def __init__(self, refuse: dict[str, int] | None = None) -> None:
        self.refuse = dict(refuse or {})
        self.calls: list[list[dict[str, Any]]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the API's name
        self.calls.append(Entries)
        return {"Entries": [self._result(entry["DetailType"]) for entry in Entries]}

    def _result(self, kind: str) -> dict[str, Any]:
        if self.refuse.get(kind, 0) > 0:
            self.refuse[kind] -= 1
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "sorry"}
        return {"EventId": "1"}


def event(kind: str = "JOB_COMPLETED", *, cause: str = "", **detail: Any) -> Event:
    return Event(
        type=kind, pipeline_id="gold", schedule_id="cron", date="2026-03-03", message="done", detail=detail, cause=cause
    )


def bus(client: Client) -> Bus:
    return Bus("dev-events", lambda: client, sleep=lambda _: None)


def test_no_events_are_no_call() -> None:
    client = Client()
    bus(client).publish([], now=NOW)
    assert client.calls == []


def test_ten_events_share_a_call() -> None:
    client = Client()
    bus(client).publish([event(cause=str(number)) for number in range(23)], now=NOW)
    assert [len(call) for call in client.calls] == [10, 10, 3]
    assert client.calls[0][0]["EventBusName"] == "dev-events"
    assert json.loads(client.calls[0][0]["Detail"])["dedupeKey"] == "JOB_COMPLETED|gold|cron|2026-03-03||0"


def test_only_refused_events_are_published_again() -> None:
    client = Client(refuse={"JOB_FAILED": 1})
    bus(client).publish([event(), event("JOB_FAILED")], now=NOW)
    assert [[entry["DetailType"] for entry in call] for call in client.calls] == [
        ["JOB_COMPLETED", "JOB_FAILED"],
        ["JOB_FAILED"],
    ]


def test_an_event_that_is_refused_for_good_is_an_error_that_names_it() -> None:
    with pytest.raises(TransientError, match=r"1 events \(JOB_FAILED\): InternalFailure"):
        bus(Client(refuse={"JOB_FAILED": 99})).publish([event(), event("JOB_FAILED")], now=NOW)


def test_large_events_are_spread_over_calls() -> None:
    client = Client()
    bus(client).publish([event(cause=str(number), text="x" * 100_000) for number in range(5)], now=NOW)
    assert [len(call) for call in client.calls] == [2, 2, 1]


def test_an_event_too_large_for_the_bus_goes_without_its_detail() -> None:
    client = Client()
    bus(client).publish([event(text="x" * 300_000)], now=NOW)
    sent = json.loads(client.calls[0][0]["Detail"])
    assert "bytes long" in sent["detail"]["truncated"]
    assert sent["dedupeKey"] == "JOB_COMPLETED|gold|cron|2026-03-03||"


def test_a_bus_that_cannot_be_reached_is_a_transient_error() -> None:
    class Unreachable(Client):
        def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            raise ConnectionError("no route")

    with pytest.raises(TransientError, match="no route"):
        bus(Unreachable()).publish([event()], now=NOW)
