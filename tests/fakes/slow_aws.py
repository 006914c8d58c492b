"""An AWS behind real botocore clients, as slow as the real one: every call takes its time.

It answers where a request would go out to the network, so that everything on this side of it is
done: requests are built and signed, answers are parsed. It knows the calls that the watchdog
and ``interlock-tf status`` make. What it costs itself is measured apart, so that it can be left out of what is told.
"""

from __future__ import annotations

import io
import json
import re
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from interlock_runtime.aws.clients import Clients
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.rows import KIND, Key, Row

#: What a page of a query holds at most, in bytes.
PAGE_BYTES = 1_000_000

_COMPARISON = re.compile(r"(?P<name>#\w+) = (?P<value>:\w+)|attribute_not_exists\((?P<absent>#\w+)\)")

Item = dict[str, Any]
Answer = dict[str, Any]


class _Table:
    """Items by key, and the keys of each kind, in the order of the index."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.kinds: dict[str, dict[Key, None]] = {}
        self.order: dict[str, list[Key]] = {}

    def store(self, key: Key, item: Item | None) -> None:
        before = self.items.pop(key, None)
        if before is not None and KIND in before:
            self.kinds[before[KIND]["S"]].pop(key, None)
        if item is not None:
            self.items[key] = item
            if KIND in item:
                self.kinds.setdefault(item[KIND]["S"], {})[key] = None


class SlowAws:
    """``calls`` counts calls by name, ``read`` the items that were read. ``latency`` is in seconds."""

    def __init__(self, *, latency: float) -> None:
        self.latency = latency
        self.calls: Counter[str] = Counter()
        self.read = 0
        self.cpu_seconds = 0.0
        self.executions: dict[str, str] = {}
        self.schedules: set[str] = set()
        self._tables: dict[str, _Table] = {}
        self._lock = threading.Lock()

    def put(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows without a call."""
        for row in rows:
            self._table(table).store((row["PK"], row["SK"]), encode_item(row))

    def forget_calls(self) -> None:
        """Count anew."""
        self.calls.clear()
        self.read, self.cpu_seconds = 0, 0.0

    def clients(self) -> Clients:
        """Clients whose requests come here."""
        return _Redirected(self._answer)

    def _table(self, name: str) -> _Table:
        return self._tables.setdefault(name, _Table())

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        time.sleep(self.latency)
        began = time.thread_time()
        target = request.headers.get("X-Amz-Target")
        operation = (target.decode() if isinstance(target, bytes) else target or "Scheduler.CreateSchedule").split(".")[
            -1
        ]
        body = json.loads(request.body or b"{}")
        with self._lock:
            self.calls[operation] += 1
            if operation == "CreateSchedule":
                answer = self._create_schedule(request.url)
            else:
                answer = _OPERATIONS[operation](self, body)
        headers = HTTPHeaders()
        if "__type" in answer:
            headers["x-amzn-errortype"] = answer["__type"]
        content = json.dumps(answer, separators=(",", ":")).encode()
        with self._lock:
            self.cpu_seconds += time.thread_time() - began
        return AWSResponse(request.url, 400 if "__type" in answer else 200, headers, _Raw(content))

    def _batch_get(self, body: Answer) -> Answer:
        ((name, wanted),) = body["RequestItems"].items()
        items = self._table(name).items
        found = [items[key] for each in wanted["Keys"] if (key := (each["PK"]["S"], each["SK"]["S"])) in items]
        self.read += len(found)
        return {"Responses": {name: found}}

    def _get(self, body: Answer) -> Answer:
        item = self._table(body["TableName"]).items.get(_key(body["Key"]))
        self.read += item is not None
        return {} if item is None else {"Item": item}

    def _query(self, body: Answer) -> Answer:
        table = self._table(body["TableName"])
        values = body["ExpressionAttributeValues"]
        if "IndexName" in body:
            keys, token = self._of_kind(table, next(iter(values.values()))["S"], body.get("ExclusiveStartKey"))
        else:
            prefix = values.get(":s", {"S": ""})["S"]
            keys = [key for key in table.items if key[0] == values[":p"]["S"] and key[1].startswith(prefix)]
            token = None
        self.read += len(keys)
        answer: Answer = {"Items": [table.items[key] for key in keys]}
        return (
            answer if token is None else answer | {"LastEvaluatedKey": {"PK": {"S": token[0]}, "SK": {"S": token[1]}}}
        )

    @staticmethod
    def _of_kind(table: _Table, kind: str, after: Item | None) -> tuple[list[Key], Key | None]:
        """A page of the index, and the key that it ends with when there is another."""
        if after is None:
            table.order[kind] = sorted(table.kinds.get(kind, ()))
        order = table.order[kind]
        start = 0 if after is None else bisect_right(order, _key(after))
        page: list[Key] = []
        size = 0
        for key in order[start:]:
            if key not in table.kinds[kind]:
                continue
            page.append(key)
            size += sum(len(name) + len(str(next(iter(value.values())))) for name, value in table.items[key].items())
            if size >= PAGE_BYTES:
                return page, key
        return page, None

    def _put(self, body: Answer) -> Answer:
        table, item = self._table(body["TableName"]), body["Item"]
        return self._write(table, _key(item), body, lambda _: item)

    def _delete(self, body: Answer) -> Answer:
        return self._write(self._table(body["TableName"]), _key(body["Key"]), body, lambda _: None)

    def _update(self, body: Answer) -> Answer:
        def updated(before: Item) -> Item:
            item = {**body["Key"], **before}
            names, values = body["ExpressionAttributeNames"], body.get("ExpressionAttributeValues", {})
            sets, _, removes = body["UpdateExpression"].partition("REMOVE ")
            for name, value in re.findall(r"(#\w+) = (:\w+)", sets):
                item[names[name]] = values[value]
            for name in re.findall(r"#\w+", removes):
                item.pop(names[name], None)
            return item

        return self._write(self._table(body["TableName"]), _key(body["Key"]), body, updated)

    @staticmethod
    def _write(table: _Table, key: Key, body: Answer, change: Callable[[Item], Item | None]) -> Answer:
        before = table.items.get(key, {})
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        for match in _COMPARISON.finditer(body.get("ConditionExpression", "")):
            name = names[match["name"] or match["absent"]]
            if before.get(name) != (values[match["value"]] if match["value"] else None):
                return {"__type": "ConditionalCheckFailedException"} | ({"Item": before} if before else {})
        after = change(before)
        table.store(key, after)
        return {"Attributes": after} if "ReturnValues" in body and after else {}

    def _put_events(self, body: Answer) -> Answer:
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in body["Entries"]]}

    def _start_execution(self, body: Answer) -> Answer:
        arn = f"{body['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{body['name']}"
        self.executions[arn] = "RUNNING"
        return {"executionArn": arn, "startDate": 0}

    def _describe_execution(self, body: Answer) -> Answer:
        arn = body["executionArn"]
        status = self.executions.get(arn, "TIMED_OUT")
        return {"executionArn": arn, "stateMachineArn": "arn", "name": "n", "status": status, "startDate": 0}

    def _create_schedule(self, url: str) -> Answer:
        if url in self.schedules:
            return {"__type": "ConflictException"}
        self.schedules.add(url)
        return {"ScheduleArn": "arn"}


_OPERATIONS: Mapping[str, Callable[[SlowAws, Answer], Answer]] = {
    "BatchGetItem": SlowAws._batch_get,
    "GetItem": SlowAws._get,
    "Query": SlowAws._query,
    "PutItem": SlowAws._put,
    "DeleteItem": SlowAws._delete,
    "UpdateItem": SlowAws._update,
    "PutEvents": SlowAws._put_events,
    "StartExecution": SlowAws._start_execution,
    "DescribeExecution": SlowAws._describe_execution,
}


class _Redirected(Clients):
    """Clients whose requests are answered here before they go out."""

    def __init__(self, answer: Callable[..., AWSResponse]) -> None:
        super().__init__()
        self._answer = answer

    def _make(self, service: str, *, attempts: int, read_timeout: float) -> Any:
        client = super()._make(service, attempts=attempts, read_timeout=read_timeout)
        client.meta.events.register("before-send", self._answer)
        return client


class _Raw(io.BytesIO):
    """A response's body, as urllib3 gives it."""

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        yield self.read()


def _key(item: Item) -> Key:
    return item["PK"]["S"], item["SK"]["S"]
