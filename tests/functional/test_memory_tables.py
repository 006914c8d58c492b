"""The quick tables of a soak answer as moto's do, to everything that the runtime says."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.aws.tables import ABSENT, Table
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.rows import KIND, KIND_INDEX, Kind
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.memory_tables import MemoryTables
from interlock_tf.local.tables import Change, Tables
from interlock_tf.local.terraform_json import Place, StackError

NAME = "control"
DECLARED = {
    "name": NAME,
    "hash_key": "PK",
    "range_key": "SK",
    "billing_mode": "PAY_PER_REQUEST",
    "attribute": [{"name": each, "type": "S"} for each in ("PK", "SK", KIND)],
    "global_secondary_index": [
        {"name": KIND_INDEX, "hash_key": KIND, "range_key": "PK", "projection_type": "ALL"},
    ],
    "ttl": {"enabled": True, "attribute_name": "ttl"},
}

KEYS = st.tuples(st.sampled_from(["PIPELINE#a", "PIPELINE#b"]), st.sampled_from(["X#1", "X#2", "Y", "Y#9"]))
VALUES = st.one_of(
    st.sampled_from(["", "one", "two"]),
    st.booleans(),
    st.sampled_from([0, 1, 2, 10**20, Decimal("1.0"), Decimal("0.5")]),
    st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", 1]), max_size=2),
    st.lists(st.sampled_from(["x", 1]), max_size=2),
)
NAMES = st.sampled_from(["status", "attempt", "data", "ttl2"])
FIELDS = st.dictionaries(NAMES, VALUES, max_size=3)
KINDS = st.sampled_from([None, *(str(each) for each in Kind)])
CONDITIONS = st.one_of(st.just({}), st.just(ABSENT), st.dictionaries(NAMES, st.one_of(st.none(), VALUES), max_size=2))
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, FIELDS, KINDS, CONDITIONS),
    st.tuples(st.just("update"), KEYS, st.dictionaries(NAMES, st.one_of(st.none(), VALUES), min_size=1), CONDITIONS),
    st.tuples(st.just("kind"), KEYS, KINDS),
    st.tuples(st.just("delete"), KEYS, CONDITIONS),
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("get_many"), st.lists(KEYS, max_size=4)),
    st.tuples(st.just("query"), st.sampled_from(["PIPELINE#a", "PIPELINE#z"]), st.sampled_from(["", "X#", "Q"])),
    st.tuples(st.just("of_kind"), st.sampled_from(list(Kind))),
)


class Client:
    """Calls some tables like a client of botocore."""

    def __init__(self, tables: Any) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> Any:
        operation = name.title().replace("_", "")

        def call(**parameters: Any) -> Any:
            try:
                return self._tables.answer(operation, parameters)
            except ServiceError as error:
                told: Any = {"Error": {"Code": error.code, "Message": error.message}, **error.extra}
                raise ClientError(told, operation) from None

        return call


class Told:
    """Some tables, what the runtime hears from them, and the changes that they tell."""

    def __init__(self, tables: Any) -> None:
        self.tables = tables
        self.changes: list[Change] = []
        tables.create(DECLARED)
        tables.changed = self.changes.append
        self._table = Table(NAME, lambda: Client(tables))

    def do(self, operation: tuple[Any, ...]) -> Any:
        """Do an operation; what came of it, in a form that compares."""
        name, *given = operation
        if name == "put":
            key, fields, kind, condition = given
            row = {"PK": key[0], "SK": key[1], **fields} | ({KIND: kind} if kind else {})
            return self._table.put(row, expect=condition)
        if name == "update":
            return self._table.update(given[0], given[1], expect=given[2])
        if name == "kind":
            return self._table.update(given[0], {KIND: given[1]}, expect={})
        if name == "delete":
            return self._table.delete(given[0], expect=given[1])
        if name == "query":
            pages = self._table.query(given[0], given[1]), self._table.query(given[0], given[1], newest_first=True)
            return [list(page) for page in pages]
        found = getattr(self._table, name)(*given)
        # Rows with the same PK have no order of their own on the index.
        return sorted(found, key=lambda row: row["SK"]) if name == "of_kind" else found


@given(st.lists(OPERATIONS, max_size=12))
def test_the_tables_answer_as_motos(operations: list[tuple[Any, ...]]) -> None:
    place = Place()
    mine, moto = Told(MemoryTables(place)), Told(Tables(place))
    for operation in operations:
        assert mine.do(operation) == moto.do(operation), operation
    assert mine.tables.rows(NAME) == moto.tables.rows(NAME)
    assert mine.changes == moto.changes


def test_what_has_expired_is_deleted() -> None:
    told = Told(MemoryTables(Place()))
    for name, ttl in (("old", 1000), ("young", 3000)):
        told.tables.answer("PutItem", {"TableName": NAME, "Item": encode_item({"PK": "a", "SK": name, "ttl": ttl})})
    told.tables.expire(datetime.fromtimestamp(2000, UTC))
    assert [row["SK"]["S"] for row in told.tables.rows(NAME)] == ["young"]
    assert told.changes[-1].by_expiry


@pytest.mark.parametrize(
    "call",
    [
        {"ConditionExpression": "#a < :b", "UpdateExpression": "SET #a = :b"},
        {"UpdateExpression": "SET #a = #a + :b"},
        {"UpdateExpression": "ADD #a :b"},
    ],
)
def test_an_expression_that_is_not_understood_is_refused(call: dict[str, Any]) -> None:
    told = Told(MemoryTables(Place()))
    key = {"PK": {"S": "a"}, "SK": {"S": "b"}}
    given = {"ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {":b": {"N": "1"}}}
    told.tables.answer("PutItem", {"TableName": NAME, "Item": key})
    with pytest.raises(StackError, match="not understood by these tables"):
        told.tables.answer("UpdateItem", {"TableName": NAME, "Key": key, **given, **call})
