"""A table of an installation, in the operations that questions need.

Rows are plain dictionaries, decoded without losing a digit. Batches are read side by side by a few
threads; a client of botocore may be used by several.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn, TypeVar

from interlock_runtime.core.attributes import decode_item, encode, encode_item
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.rows import KIND, KIND_INDEX, Key, Kind, Row

A = TypeVar("A")
B = TypeVar("B")

#: How many calls are under way at once.
WORKERS = 16

_BATCH = 100
_BATCH_ATTEMPTS = 8

#: Told the operation and the exception of a call that failed; raises what it means.
Refusal = Callable[[str, str, Exception], NoReturn]


def as_it_is(_operation: str, _table: str, error: Exception) -> NoReturn:
    """Raise what failed, unexplained."""
    raise error


@dataclass(frozen=True)
class Bounds:
    """A condition on the range key of a query: ``begins_with`` one text, or ``between`` two values, both included."""

    begins_with: str | None = None
    between: tuple[Any, Any] | None = None


_ANY = Bounds()


class Table:
    """One table, through a DynamoDB client. ``tell`` is told how many rows of a batch have been read."""

    def __init__(
        self, name: str, client: Any, *, refused: Refusal, tell: Callable[[int], None] = lambda _: None
    ) -> None:
        self.name = name
        self._client = client
        self._refused = refused
        self._tell = tell

    def get(self, key: Key) -> Row | None:
        """The row, read consistently, or None."""
        answer = self._call("get_item", TableName=self.name, Key=_key(key), ConsistentRead=True)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows that exist, by key; a hundred keys a call, several calls at once."""
        wanted = list(dict.fromkeys(keys))
        batches = [wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH)]
        found: dict[Key, Row] = {}
        for batch in side_by_side(self._batch, batches):
            found |= {(row["PK"], row["SK"]): row for row in batch}
            self._tell(len(batch))
        return found

    def query(
        self,
        partition: str,
        bounds: Bounds = _ANY,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        index: str | None = None,
        names: tuple[str, str] = ("PK", "SK"),
    ) -> Iterator[Row]:
        """The rows of one partition, page by page; consistently, unless an ``index`` is asked.

        ``limit`` is how many rows are wanted at most: no page is larger, and none is read for nothing.
        ``names`` are the keys of the table or of the index.
        """
        request = self._query(partition, bounds, names) | {"ScanIndexForward": not newest_first}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        if limit is not None:
            request["Limit"] = limit
        return islice(self._pages(request), limit)

    def of_kind(self, kind: Kind, partitions: Bounds | None = None) -> Iterator[Row]:
        """The rows of one ``interlockKind``, page by page from the index: it may lag behind by a moment."""
        for row in self.query(str(kind), partitions or _ANY, index=KIND_INDEX, names=(KIND, "PK")):
            self._tell(1)
            yield row

    def put(self, row: Mapping[str, Any], *, only_if_absent: bool = False) -> bool:
        """Write a whole row; False when there is one, and none is to be replaced."""
        request: dict[str, Any] = {"TableName": self.name, "Item": encode_item(row)}
        if only_if_absent:
            request["ConditionExpression"] = "attribute_not_exists(PK)"
        try:
            self._client.put_item(**request)
        except Exception as error:  # noqa: BLE001 - whatever it was is told in words, or raised again
            response = getattr(error, "response", {})
            if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            self._refused("dynamodb:PutItem", self.name, error)
        return True

    def _query(self, partition: str, bounds: Bounds, names: tuple[str, str]) -> dict[str, Any]:
        condition, values = "#p = :p", {":p": encode(partition)}
        used = {"#p": names[0]}
        if bounds.begins_with is not None:
            condition, values[":s"] = f"{condition} AND begins_with(#s, :s)", encode(bounds.begins_with)
            used["#s"] = names[1]
        elif bounds.between is not None:
            condition = f"{condition} AND #s BETWEEN :a AND :b"
            values[":a"], values[":b"] = map(encode, bounds.between)
            used["#s"] = names[1]
        return {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": used,
            "ExpressionAttributeValues": values,
        }

    def _pages(self, request: dict[str, Any]) -> Iterator[Row]:
        while True:
            answer = self._call("query", **request)
            yield from map(decode_item, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _batch(self, keys: list[Key]) -> list[Row]:
        found: list[Row] = []
        left = [_key(key) for key in keys]
        for attempt in range(_BATCH_ATTEMPTS):
            if attempt:
                time.sleep(0.05 * 2**attempt)
            answer = self._call("batch_get_item", RequestItems={self.name: {"Keys": left, "ConsistentRead": True}})
            found += map(decode_item, answer["Responses"].get(self.name, ()))
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not left:
                return found
        raise TransientError(f"{self.name} kept leaving rows of a batch unread; try again")

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except Exception as error:  # noqa: BLE001 - whatever it was is told in words, or raised again
            action = "".join(word.title() for word in operation.split("_"))
            index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
            self._refused(f"dynamodb:{action}", f"{self.name}{index}", error)


def side_by_side(do: Callable[[A], B], subjects: Iterable[A]) -> Iterator[B]:
    """``do`` for each subject, several at once; the results in the order of the subjects."""
    subjects = list(subjects)
    if len(subjects) < 2:
        yield from map(do, subjects)
        return
    with ThreadPoolExecutor(max_workers=WORKERS) as workers:
        try:
            yield from workers.map(do, subjects)
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise


def _key(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key[0]}, "SK": {"S": key[1]}}
