"""Streams and queues of the simulator deliver as Lambda's mappings do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.queues import Queue, QueueMapping, Queues
from interlock_tf.local.streams import Shard, StreamMapping
from tests.fakes.scripted_functions import ScriptedFunctions

START = datetime(2026, 3, 3, 8, tzinfo=UTC)
ALERTS = "arn:aws:sqs:eu-west-1:123456789012:alerts"
DEAD = "arn:aws:sqs:eu-west-1:123456789012:dead"


def record(number: int, key: str = "SENSOR#a") -> dict[str, Any]:
    told = {"SequenceNumber": str(number), "Keys": {"SK": {"S": key}}, "ApproximateCreationDateTime": START.timestamp()}
    return {"eventName": "INSERT", "dynamodb": told}


def numbers(batches: Iterable[Any]) -> list[list[str]]:
    return [[each["dynamodb"]["SequenceNumber"] for each in batch["Records"]] for batch in batches]


class Stream:
    """A shard with a function on it, and its dead letters."""

    def __init__(self, handle: Callable[[Any], Any], **settings: Any) -> None:
        given: dict[str, Any] = {
            "stream_arn": "stream",
            "function_arn": "function",
            "batch_size": 10,
            "bisects": True,
            "retries": 3,
            "reports_failures": True,
            "destination": "queue",
            "filters": (),
        }
        self.agenda = Agenda(START)
        self.functions = ScriptedFunctions(handle)
        self.lost: list[Any] = []
        mapping = StreamMapping(**(given | settings))
        self.shard = Shard(
            mapping,
            self.agenda,
            self.functions,  # type: ignore[arg-type]
        )
        self.functions.dead_letter = lambda _, told: self.lost.append(told["DDBStreamBatchInfo"])

    def deliver(self, *records: dict[str, Any]) -> list[list[str]]:
        """Write records, and let an hour pass; the batches that the function was given."""
        for each in records:
            self.shard.add(each)
        self.agenda.run_until(START + timedelta(hours=1))
        return numbers(self.functions.given)


def all_well(_: Any) -> dict[str, Any]:
    return {"batchItemFailures": []}


def failing(*bad: str) -> Callable[[Any], Any]:
    def handle(event: Any) -> Any:
        (batch,) = numbers([event])
        return {"batchItemFailures": [{"itemIdentifier": each} for each in batch if each in bad]}

    return handle


def test_records_come_in_batches_in_order() -> None:
    assert Stream(all_well, batch_size=2).deliver(*map(record, (1, 2, 3))) == [["1", "2"], ["3"]]


def test_records_that_no_filter_matches_are_left_out() -> None:
    pattern = {"dynamodb": {"Keys": {"SK": {"S": [{"prefix": "SENSOR#"}]}}}}
    stream = Stream(all_well, filters=(pattern,))
    assert stream.deliver(record(1), record(2, "TRIGGER#x"), record(3)) == [["1", "3"]]


def test_a_failed_record_comes_again_with_those_behind_it_and_then_is_lost() -> None:
    stream = Stream(failing("2"))
    batches = stream.deliver(*map(record, (1, 2, 3)))
    assert batches[0] == ["1", "2", "3"]
    assert batches[1:3] == [["2"], ["2"]]  # its half of what failed; record 3 waits
    assert batches[-1] == ["3"]
    assert batches.count(["2"]) == 3
    assert [each["startSequenceNumber"] for each in stream.lost] == ["2"]


def test_an_error_of_the_function_halves_the_batch() -> None:
    def handle(event: Any) -> Any:
        if "3" in numbers([event])[0]:
            raise RuntimeError("record 3")
        return None

    stream = Stream(handle)
    assert stream.deliver(*map(record, (1, 2, 3, 4)))[:3] == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"]]
    assert numbers(stream.functions.given)[-1] == ["4"]
    assert [each["batchSize"] for each in stream.lost] == [1]


def test_an_unknown_identifier_is_a_failure_of_the_whole_batch() -> None:
    stream = Stream(lambda _: {"batchItemFailures": [{"itemIdentifier": "nonsense"}]}, bisects=False, retries=1)
    assert stream.deliver(record(1), record(2)) == [["1", "2"], ["1", "2"]]
    assert stream.lost[0]["batchSize"] == 2


@pytest.fixture
def agenda() -> Agenda:
    return Agenda(START)


def queues(agenda: Agenda, functions: ScriptedFunctions, *, max_receives: int = 3) -> Queues:
    made = Queues(agenda, functions)  # type: ignore[arg-type]
    kept = {"visibility": timedelta(seconds=60), "retention": timedelta(days=1)}
    made.by_arn[DEAD] = Queue(name="dead", arn=DEAD, url="dead", **kept)  # type: ignore[arg-type]
    made.by_arn[ALERTS] = Queue(
        name="alerts",
        arn=ALERTS,
        url="alerts",
        target=DEAD,
        max_receives=max_receives,
        **kept,  # type: ignore[arg-type]
    )
    made.mappings.append(QueueMapping(queue_arn=ALERTS, function_arn="f", batch_size=1, reports_failures=True))
    return made


def test_a_message_that_was_handled_is_gone(agenda: Agenda) -> None:
    functions = ScriptedFunctions(all_well)
    made = queues(agenda, functions)
    made.send(ALERTS, "hello")
    agenda.run_until(START + timedelta(hours=1))
    assert [each["Records"][0]["body"] for each in functions.given] == ["hello"]
    assert not made.by_arn[ALERTS].messages


@pytest.mark.parametrize("how", ["reported", "raised"])
def test_a_message_that_fails_comes_again_when_it_is_visible_and_ends_as_a_dead_letter(
    agenda: Agenda, how: str
) -> None:
    def handle(event: Any) -> Any:
        if how == "raised":
            raise RuntimeError
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}

    functions = ScriptedFunctions(handle)
    made = queues(agenda, functions)
    made.send(ALERTS, "hello")
    agenda.run_until(START + timedelta(seconds=59))
    assert len(functions.given) == 1
    agenda.run_until(START + timedelta(hours=1))
    counts = [each["Records"][0]["attributes"]["ApproximateReceiveCount"] for each in functions.given]
    assert counts == ["1", "2", "3"]
    assert [each.body for each in made.by_arn[DEAD].messages] == ["hello"]
