"""Stream mappings: the changes of a table to a function, in order, as the emitted mapping says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from interlock_tf.local import patterns
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.functions import Answer, Functions
from interlock_tf.local.tables import Change

#: The pause before a failed batch is delivered again, and the longest one.
_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StreamMapping:
    """One ``aws_lambda_event_source_mapping`` of a stream."""

    stream_arn: str
    function_arn: str
    batch_size: int
    bisects: bool
    retries: int | None
    reports_failures: bool
    destination: str | None
    filters: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class _Batch:
    records: tuple[Record, ...]
    failures: int = 0


@dataclass
class Shard:
    """A stream with one mapping on it. A batch that fails holds up all that follow it."""

    mapping: StreamMapping
    agenda: Agenda
    functions: Functions
    waiting: list[Record] = field(default_factory=list)
    _urgent: list[_Batch] = field(default_factory=list)
    _busy: bool = False

    def add(self, record: Record) -> None:
        """A record was written to the stream."""
        if not self.mapping.filters or any(patterns.matches(each, record) for each in self.mapping.filters):
            self.waiting.append(record)
            self._soon(timedelta())

    def oldest(self) -> datetime | None:
        """When the oldest record was written that waits here."""
        records = [record for batch in self._urgent for record in batch.records] or self.waiting
        if not records:
            return None
        return datetime.fromtimestamp(records[0]["dynamodb"]["ApproximateCreationDateTime"], self.agenda.now().tzinfo)

    def _soon(self, delay: timedelta) -> None:
        if not self._busy:
            self._busy = True
            self.agenda.after(delay, self._deliver)

    def _deliver(self) -> None:
        if pause := self.functions.disturbances.hold(self._function):
            self.agenda.after(pause, self._deliver)
            return
        # Busy all the while: a function that waits must not be overtaken by what follows in its shard.
        pause = self._handle()
        self._busy = False
        if self._urgent or self.waiting:
            self._soon(pause)

    @property
    def _function(self) -> str:
        return self.mapping.function_arn.rpartition(":")[2]

    def _handle(self) -> timedelta:
        """Have a batch handled; how long to wait before the next one."""
        if self._urgent:
            batch = self._urgent.pop(0)
        elif self.waiting:
            size = self.mapping.batch_size
            batch = _Batch(tuple(self.waiting[:size]))
            del self.waiting[:size]
        else:
            return timedelta()
        answer = self.functions.invoke(self.mapping.function_arn, {"Records": list(batch.records)})
        if answer.error is None and self.functions.disturbances.is_forgotten(self._function):
            self._urgent.insert(0, batch)
            return _PAUSE
        remaining = self._remaining(batch, answer)
        if not remaining:
            return timedelta()
        self._again(_Batch(remaining, batch.failures + 1), answer)
        pause: timedelta = _PAUSE * 2**batch.failures
        return min(pause, _LONGEST_PAUSE)

    def _remaining(self, batch: _Batch, answer: Answer) -> tuple[Record, ...]:
        """The records from the first one on that failed; those before it are done."""
        if answer.error is not None:
            return batch.records
        if not self.mapping.reports_failures:
            return ()
        failures = [each["itemIdentifier"] for each in (answer.payload or {}).get("batchItemFailures", ())]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch.records]
        if any(failure not in numbers for failure in failures):
            return batch.records  # Lambda takes an identifier that it does not know for a failure of the batch
        return batch.records[min(map(numbers.index, failures)) :] if failures else ()

    def _again(self, batch: _Batch, answer: Answer) -> None:
        mapping = self.mapping
        if mapping.retries is not None and batch.failures > mapping.retries:
            if mapping.destination is not None:
                self.functions.dead_letter(mapping.destination, self._lost(batch, answer))
            return
        if mapping.bisects and len(batch.records) > 1:
            middle = len(batch.records) // 2
            halves = (batch.records[:middle], batch.records[middle:])
            self._urgent[:0] = [_Batch(half, batch.failures) for half in halves]
        else:
            self._urgent.insert(0, batch)

    def _lost(self, batch: _Batch, answer: Answer) -> Mapping[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch.records]
        return {
            "requestContext": {
                "requestId": (answer.error or {}).get("requestId"),
                "functionArn": self.mapping.function_arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": batch.failures,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled" if answer.error else None,
            },
            "version": "1.0",
            "timestamp": f"{self.agenda.now():%Y-%m-%dT%H:%M:%S.000Z}",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000000000000000000-00000000",
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "batchSize": len(numbers),
                "streamArn": self.mapping.stream_arn,
            },
        }


class Streams:
    """The streams of all tables, and the mappings on them. ``listeners`` are told of every record."""

    def __init__(self, agenda: Agenda, region: str) -> None:
        self.arns: dict[str, str] = {}
        self.shards: list[Shard] = []
        self.listeners: list[Callable[[Record], None]] = []
        self._agenda = agenda
        self._region = region
        self._count = 0

    def add(self, change: Change) -> None:
        """Tell those who listen of a change."""
        if (arn := self.arns.get(change.table)) is None:
            return
        record = self._record(arn, change)
        for listener in self.listeners:
            listener(record)
        for shard in self.shards:
            if shard.mapping.stream_arn == arn:
                shard.add(record)

    def _record(self, arn: str, change: Change) -> Record:
        self._count += 1
        name = "REMOVE" if change.new is None else "INSERT" if change.old is None else "MODIFY"
        told = {
            "ApproximateCreationDateTime": int(self._agenda.now().timestamp()),
            "Keys": change.keys,
            "SequenceNumber": f"{self._count:021}",
            "SizeBytes": len(json.dumps(change.new or change.keys)),
            "StreamViewType": "NEW_IMAGE",
            **({} if change.new is None else {"NewImage": change.new}),
        }
        expired = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
        return {
            "eventID": f"{self._count:032x}",
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            "dynamodb": told,
            "eventSourceARN": arn,
            **(expired if change.by_expiry else {}),
        }


def mapping_of(attributes: Mapping[str, Any], address: str) -> StreamMapping:
    """The mapping of an ``aws_lambda_event_source_mapping``.

    Raises:
        StackError: a filter pattern is not understood here.
    """
    texts: Sequence[Mapping[str, str]] = attributes.get("filter_criteria", {}).get("filter", ())
    filters = tuple(json.loads(each["pattern"]) for each in texts)
    for each in filters:
        patterns.check(each, address)
    retries = attributes.get("maximum_retry_attempts", -1)
    return StreamMapping(
        stream_arn=attributes["event_source_arn"],
        function_arn=attributes["function_name"],
        batch_size=attributes.get("batch_size", 100),
        bisects=attributes.get("bisect_batch_on_function_error", False),
        retries=None if retries == -1 else retries,
        reports_failures="ReportBatchItemFailures" in attributes.get("function_response_types", ()),
        destination=attributes.get("destination_config", {}).get("on_failure", {}).get("destination_arn"),
        filters=filters,
    )
