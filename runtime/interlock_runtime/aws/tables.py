"""A DynamoDB table with the keys ``PK`` and ``SK``, in the few operations that Interlock needs.

Rows are plain dictionaries. A condition is a mapping of attributes to the values they must
have, None for "must be absent"; changes are spelled in the same way, None for "remove". That is
all the language that compare-and-swap needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from interlock_runtime.aws.clients import translated
from interlock_runtime.aws.refusals import error_code
from interlock_runtime.core.attributes import decode_item, encode, encode_item
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.rows import KIND, KIND_INDEX, Key, Kind, Row

#: The condition under which a row is put only if there is none.
ABSENT: Mapping[str, Any] = {"PK": None}

_BATCH = 100
_BATCH_ATTEMPTS = 6


@dataclass(frozen=True)
class Write:
    """What became of a conditional write.

    ``row`` is the row as it now stands: the one written, or, when the condition did not hold,
    the one that stood in the way (None when there was none).
    """

    done: bool
    row: Row | None


class Table:
    """One table. ``client`` gives a DynamoDB client when one is needed."""

    def __init__(self, name: str, client: Callable[[], Any], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._client = client
        self._sleep = sleep

    def get(self, key: Key) -> Row | None:
        """The row, read consistently, or None."""
        answer = self._call("get_item", Key=_key(key), ConsistentRead=True)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows that exist, read consistently, by key; one call per hundred keys.

        Raises:
            TransientError: the table kept answering only in part.
        """
        found: dict[Key, Row] = {}
        wanted = iter(dict.fromkeys(keys))
        while batch := [_key(key) for key in islice(wanted, _BATCH)]:
            for item in self._batch(batch):
                row = decode_item(item)
                found[row["PK"], row["SK"]] = row
        return found

    def put(self, row: Mapping[str, Any], *, expect: Mapping[str, Any] | None = None) -> Write:
        """Write a whole row, if what stands there is as expected."""
        return self._write("put_item", expect, dict(row), Item=encode_item(row))

    def update(self, key: Key, changes: Mapping[str, Any], *, expect: Mapping[str, Any]) -> Write:
        """Change attributes of a row that is as expected."""
        return self._write("update_item", expect, None, changes, Key=_key(key), ReturnValues="ALL_NEW")

    def delete(self, key: Key, *, expect: Mapping[str, Any] | None = None) -> Write:
        """Delete a row that is as expected; deleting what is not there is done."""
        return self._write("delete_item", expect, None, Key=_key(key))

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Row]:
        """The rows of a partition whose sort key starts with ``prefix``, read consistently, page by page."""
        names, values = {"#p": "PK"}, {":p": {"S": partition}}
        condition = "#p = :p"
        if prefix:
            names["#s"], values[":s"] = "SK", {"S": prefix}
            condition += " AND begins_with(#s, :s)"
        yield from self._pages(
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )

    def of_kind(self, kind: Kind) -> Iterator[Row]:
        """The rows of one ``interlockKind``, page by page from the index: candidates, for it may lag behind."""
        yield from self._pages(
            IndexName=KIND_INDEX,
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": KIND},
            ExpressionAttributeValues={":k": {"S": str(kind)}},
        )

    def _batch(self, keys: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for attempt in range(_BATCH_ATTEMPTS):
            if attempt:
                self._sleep(0.05 * 2**attempt)
            request = {self.name: {"Keys": keys, "ConsistentRead": True}}
            answer = self._call("batch_get_item", without_table=True, RequestItems=request)
            yield from answer["Responses"].get(self.name, ())
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return
        raise TransientError(f"DynamoDB left {len(keys)} keys of a batch unread after {_BATCH_ATTEMPTS} attempts")

    def _pages(self, **request: Any) -> Iterator[Row]:
        while True:
            answer = self._call("query", **request)
            yield from map(decode_item, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _write(
        self,
        operation: str,
        expect: Mapping[str, Any] | None,
        written: Row | None,
        changes: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> Write:
        request |= _expressions(expect, changes)
        try:
            answer = self._call(operation, **request)
        except _ConditionError as failed:
            return Write(False, failed.row)
        return Write(True, decode_item(answer["Attributes"]) if "Attributes" in answer else written)

    def _call(self, operation: str, *, without_table: bool = False, **request: Any) -> Any:
        if not without_table:
            request["TableName"] = self.name
        try:
            return getattr(self._client(), operation)(**request)
        except Exception as error:
            if error_code(error) == "ConditionalCheckFailedException":
                item = error.response.get("Item")  # type: ignore[attr-defined]
                raise _ConditionError(decode_item(item) if item else None) from None
            raise translated(error) from error


class _ConditionError(Exception):
    def __init__(self, row: Row | None) -> None:
        self.row = row


def _key(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key[0]}, "SK": {"S": key[1]}}


def _expressions(expect: Mapping[str, Any] | None, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition and update expressions, with every name and value as a placeholder."""
    marks: dict[str, str] = {}
    values: dict[str, Any] = {}

    def name(attribute: str) -> str:
        return marks.setdefault(attribute, f"#{len(marks)}")

    def value(content: Any) -> str:
        mark = f":{len(values)}"
        values[mark] = encode(content)
        return mark

    request: dict[str, Any] = {}
    if expect:
        request["ConditionExpression"] = " AND ".join(
            f"attribute_not_exists({name(attribute)})" if content is None else f"{name(attribute)} = {value(content)}"
            for attribute, content in expect.items()
        )
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if changes:
        sets = [f"{name(key)} = {value(content)}" for key, content in changes.items() if content is not None]
        removes = [name(key) for key, content in changes.items() if content is None]
        request["UpdateExpression"] = " ".join(
            f"{verb} {', '.join(parts)}" for verb, parts in (("SET", sets), ("REMOVE", removes)) if parts
        )
    if marks:
        request["ExpressionAttributeNames"] = {mark: attribute for attribute, mark in marks.items()}
    if values:
        request["ExpressionAttributeValues"] = values
    return request
