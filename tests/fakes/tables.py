"""A table in memory that answers as DynamoDB does; the same contract tests run against both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.aws.tables import Write
from interlock_runtime.core.attributes import decode_item, encode_item
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.rows import KIND, Key, Kind, Row
from tests.fakes.calls import Calls

_BATCH = 100


class FakeTable:
    """Rows by key, stored encoded, so that what comes out has been through the same conversion.

    ``stream`` holds a stream record for every change, in order, as Lambda would be given it.
    """

    def __init__(
        self, name: str = "table", calls: Calls | None = None, *, clock: Callable[[], datetime] = lambda: EPOCH
    ) -> None:
        self.name = name
        self.calls = calls or Calls()
        self.stream: list[dict[str, Any]] = []
        self._clock = clock
        self._items: dict[Key, dict[str, Any]] = {}
        self._lock = threading.RLock()

    def get(self, key: Key) -> Row | None:
        with self._call("GetItem"):
            return self._row(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Row] = {}
        for start in range(0, len(wanted), _BATCH):
            with self._call("BatchGetItem"):
                for key in wanted[start : start + _BATCH]:
                    if (row := self._row(key)) is not None:
                        found[key] = row
        return found

    def put(self, row: Mapping[str, Any], *, expect: Mapping[str, Any] | None = None) -> Write:
        key = (row["PK"], row["SK"])
        self._refuse_keys_that_dynamodb_refuses(key)
        item = encode_item(row)
        with self._call("PutItem"):
            if not self._meets(key, expect):
                return Write(False, self._row(key))
            self._store(key, item)
            return Write(True, decode_item(item))

    def update(self, key: Key, changes: Mapping[str, Any], *, expect: Mapping[str, Any]) -> Write:
        self._refuse_keys_that_dynamodb_refuses(key)
        with self._call("UpdateItem"):
            if not self._meets(key, expect):
                return Write(False, self._row(key))
            item = dict(self._items.get(key) or encode_item({"PK": key[0], "SK": key[1]}))
            for name in (name for name, value in changes.items() if value is None):
                item.pop(name, None)
            item |= encode_item({name: value for name, value in changes.items() if value is not None})
            self._store(key, item)
            return Write(True, decode_item(item))

    def delete(self, key: Key, *, expect: Mapping[str, Any] | None = None) -> Write:
        with self._call("DeleteItem"):
            if not self._meets(key, expect):
                return Write(False, self._row(key))
            if self._items.pop(key, None) is not None:
                self._record("REMOVE", key, None)
            return Write(True, None)

    def query(self, partition: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Row]:
        with self._call("Query"):
            keys = sorted(key for key in self._items if key[0] == partition and key[1].startswith(prefix))
            found = [decode_item(self._items[key]) for key in (reversed(keys) if newest_first else keys)]
        yield from found

    def of_kind(self, kind: Kind) -> Iterator[Row]:
        with self._call("Query"):
            wanted = {"S": str(kind)}
            found = [decode_item(item) for _, item in sorted(self._items.items()) if item.get(KIND) == wanted]
        yield from found

    def rows(self) -> dict[Key, Row]:
        """Everything in the table; not a call."""
        return {key: decode_item(item) for key, item in self._items.items()}

    def write(self, row: Mapping[str, Any]) -> None:
        """Put a row as an outside process would; not a call of ours."""
        with self._lock:
            self._store((row["PK"], row["SK"]), encode_item(row))

    def copy_from(self, rows: Mapping[Key, Row]) -> None:
        """Hold exactly ``rows``, and no stream."""
        self._items = {key: encode_item(row) for key, row in rows.items()}
        self.stream.clear()

    def _row(self, key: Key) -> Row | None:
        item = self._items.get(key)
        return None if item is None else decode_item(item)

    def _meets(self, key: Key, expect: Mapping[str, Any] | None) -> bool:
        item = self._items.get(key, {})
        encoded = encode_item({name: value for name, value in (expect or {}).items() if value is not None})
        return all(item.get(name) == encoded.get(name) for name in expect or {})

    @staticmethod
    def _refuse_keys_that_dynamodb_refuses(key: Key) -> None:
        for part, limit in zip(key, (2048, 1024), strict=True):
            if not part or len(part.encode()) > limit:
                raise PermanentError(f"a key of 1 to {limit} bytes is expected, not {part[:40]!r}")

    def _store(self, key: Key, item: dict[str, Any]) -> None:
        before = self._items.get(key)
        self._items[key] = item
        if before != item:
            self._record("MODIFY" if before is not None else "INSERT", key, item)

    def _record(self, event: str, key: Key, image: dict[str, Any] | None) -> None:
        number = len(self.stream) + 1
        change: dict[str, Any] = {
            "ApproximateCreationDateTime": int(self._clock().timestamp()),
            "Keys": encode_item({"PK": key[0], "SK": key[1]}),
            "SequenceNumber": f"{number:021}",
            "StreamViewType": "NEW_IMAGE",
        }
        if image is not None:
            change["NewImage"] = image
        self.stream.append(
            {
                "eventID": f"{self.name}-{number}",
                "eventName": event,
                "eventSource": "aws:dynamodb",
                "dynamodb": change,
            }
        )

    def _call(self, operation: str) -> _Call:
        return _Call(self._lock, self.calls, f"dynamodb:{operation}")


class _Call:
    """Holds the table's lock while a call has its effect."""

    def __init__(self, lock: threading.RLock, calls: Calls, name: str) -> None:
        self._lock, self._calls, self._name = lock, calls, name

    def __enter__(self) -> None:
        self._calls.before(self._name)
        self._lock.acquire()

    def __exit__(self, kind: object, *_: object) -> None:
        self._lock.release()
        if kind is None:
            self._calls.after(self._name)
