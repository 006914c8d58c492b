"""The table adapter, and the fake that stands for it in other tests: one contract, checked on both."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from interlock_runtime.aws.tables import ABSENT, Table
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.rows import KIND, Kind
from tests.fakes.aws import create_table, simulated_aws
from tests.fakes.tables import FakeTable

AnyTable = Table | FakeTable
KEY = ("PIPELINE#gold", "TRIGGER#cron#2026-03-03")
ROW = {"PK": KEY[0], "SK": KEY[1], "status": "RUNNING", "attempt": 0}


@pytest.fixture(params=["fake", "moto"])
def table(request: pytest.FixtureRequest) -> Iterator[AnyTable]:
    if request.param == "fake":
        yield FakeTable()
        return
    with simulated_aws() as clients:
        create_table(clients, "control", with_kind_index=True)
        yield Table("control", lambda: clients.repeating("dynamodb"))


def test_a_row_that_does_not_exist_is_none(table: AnyTable) -> None:
    assert table.get(KEY) is None


def test_a_row_comes_back_as_it_was_put(table: AnyTable) -> None:
    row = ROW | {
        "data": {"count": 2**60 + 1, "ratio": Decimal("0.10"), "none": None, "flag": True, "list": [1, "a", {}]},
        "names": {"a", "b"},
        "numbers": {1, Decimal("2.5")},
        "bytes": b"\x00\xff",
        "whole": 3.0,
        "empty": "",
    }
    assert table.put(row).done
    assert table.get(KEY) == row


def test_a_put_that_expects_absence_loses_to_the_row_that_stands_there(table: AnyTable) -> None:
    assert table.put(ROW, expect=ABSENT).done
    second = table.put(ROW | {"status": "COMPLETED"}, expect=ABSENT)
    assert not second.done
    assert second.row == ROW
    assert table.get(KEY) == ROW


def test_an_update_changes_and_removes_attributes_when_all_is_as_expected(table: AnyTable) -> None:
    table.put(ROW | {"runId": "jr_1"})
    write = table.update(
        KEY,
        {"status": "COMPLETED", "runId": None, "absent": None},
        expect={"status": "RUNNING", "attempt": 0, "ttl": None},
    )
    assert write.done
    assert write.row == ROW | {"status": "COMPLETED"}
    assert table.get(KEY) == write.row


@pytest.mark.parametrize("expect", [{"attempt": 1}, {"attempt": 0, "status": "X"}, {"attempt": None}, {"missing": 1}])
def test_an_update_that_expects_otherwise_changes_nothing_and_tells_what_stands(
    table: AnyTable, expect: dict[str, Any]
) -> None:
    table.put(ROW)
    write = table.update(KEY, {"status": "COMPLETED"}, expect=expect)
    assert not write.done
    assert write.row == ROW
    assert table.get(KEY) == ROW


def test_an_update_of_a_missing_row_that_expects_one_does_nothing(table: AnyTable) -> None:
    write = table.update(KEY, {"status": "COMPLETED"}, expect={"attempt": 0})
    assert not write.done
    assert write.row is None
    assert table.get(KEY) is None


def test_a_delete_may_expect_what_it_deletes(table: AnyTable) -> None:
    table.put(ROW)
    assert table.delete(KEY, expect={"attempt": 1}).row == ROW
    assert table.get(KEY) == ROW
    assert table.delete(KEY, expect={"attempt": 0}).done
    assert table.get(KEY) is None
    assert table.delete(KEY).done


def test_many_rows_are_read_at_once_whether_they_exist_or_not(table: AnyTable) -> None:
    keys = [(KEY[0], f"SENSOR#{number}") for number in range(230)]
    for pk, sk in keys[::2]:
        table.put({"PK": pk, "SK": sk, "data": {"n": 1}})
    found = table.get_many([*keys, keys[0]])
    assert set(found) == set(keys[::2])
    assert found[keys[0]]["data"] == {"n": 1}
    assert table.get_many([]) == {}


def test_a_query_gives_what_starts_with_the_prefix_in_order(table: AnyTable) -> None:
    for sk in ("JOB#cron#d#2", "JOB#cron#d#1", "JOB#cron#e#1", "CONFIG"):
        table.put({"PK": KEY[0], "SK": sk})
    table.put({"PK": "PIPELINE#other", "SK": "JOB#cron#d#3"})
    assert [row["SK"] for row in table.query(KEY[0], "JOB#cron#d#")] == ["JOB#cron#d#1", "JOB#cron#d#2"]
    assert [row["SK"] for row in table.query(KEY[0], "JOB#cron#d#", newest_first=True)] == [
        "JOB#cron#d#2",
        "JOB#cron#d#1",
    ]
    assert len(list(table.query(KEY[0]))) == 4


def test_a_query_reads_on_when_a_page_is_full(table: AnyTable) -> None:
    for number in range(6):
        table.put({"PK": KEY[0], "SK": f"SENSOR#{number}", "data": "x" * 300_000})
    assert len(list(table.query(KEY[0], "SENSOR#"))) == 6


def test_the_index_holds_rows_of_a_kind_and_forgets_them_when_settled(table: AnyTable) -> None:
    table.put(ROW | {KIND: str(Kind.UNDECIDED)})
    table.put({"PK": "PIPELINE#other", "SK": "CONFIG", KIND: str(Kind.CONFIG)})
    assert [row["PK"] for row in table.of_kind(Kind.UNDECIDED)] == [KEY[0]]
    table.update(KEY, {KIND: None}, expect={"attempt": 0})
    assert list(table.of_kind(Kind.UNDECIDED)) == []


@pytest.mark.parametrize("sort_key", ["", "SENSOR#" + "x" * 1024])
def test_a_key_that_dynamodb_refuses_is_a_permanent_error(table: AnyTable, sort_key: str) -> None:
    with pytest.raises(PermanentError):
        table.put({"PK": "PIPELINE#gold", "SK": sort_key})


class Answering:
    """A client whose answers to one operation are given in advance."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def batch_get_item(self, **request: Any) -> Any:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _item(sort_key: str) -> dict[str, Any]:
    return {"PK": {"S": "p"}, "SK": {"S": sort_key}}


def test_keys_that_a_batch_left_unread_are_read_again() -> None:
    client = Answering(
        {"Responses": {"t": [_item("a")]}, "UnprocessedKeys": {"t": {"Keys": [_item("b")]}}},
        {"Responses": {"t": [_item("b")]}, "UnprocessedKeys": {}},
    )
    pauses: list[float] = []
    table = Table("t", lambda: client, sleep=pauses.append)
    assert set(table.get_many([("p", "a"), ("p", "b")])) == {("p", "a"), ("p", "b")}
    assert client.requests[1]["RequestItems"]["t"]["Keys"] == [_item("b")]
    assert len(pauses) == 1


def test_a_table_that_never_answers_in_full_is_a_transient_error() -> None:
    unread = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": [_item("b")]}}}
    table = Table("t", lambda: Answering(*[unread] * 20), sleep=lambda _: None)
    with pytest.raises(TransientError, match="1 keys"):
        table.get_many([("p", "b")])


def test_a_failure_on_the_way_is_a_transient_error() -> None:
    table = Table("t", lambda: Answering(ConnectionError("no route")))
    with pytest.raises(TransientError, match="no route"):
        table.get_many([("p", "b")])
