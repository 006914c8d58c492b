"""What was seen of a world while it lived, and what it leaves behind: what the checks of a soak look at."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.attributes import decode_item
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.events import SOURCE
from interlock_runtime.core.instants import of_millis
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rows import RunKey
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_tf.local import patterns
from interlock_tf.local.functions import Answer, LocalFunction
from interlock_tf.local.injection import Injector
from interlock_tf.local.random_days import Day
from interlock_tf.local.timeline import Entry
from interlock_tf.local.world import World

#: What an execution may last, and its row may stay RUNNING after that, and then some.
LONGEST = timedelta(hours=5)
#: How long after something is due the watchdog may take to tell it.
GRACE = timedelta(minutes=30)

#: What an event is about: pipeline, schedule, execution date, attempt.
Subject = tuple[str, str | None, str | None, int | None]

OUTCOMES = ("success", "fail", "timeout")


@dataclass(frozen=True, kw_only=True)
class Published:
    """An event that the bus has taken."""

    type: str
    subject: Subject
    key: str

    @property
    def cause(self) -> str:
        """What tells it from others of its type and subject."""
        return self.key.split("|", 5)[-1]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A trigger row at the end."""

    pipeline: Pipeline
    key: RunKey
    row: Mapping[str, Any]

    @property
    def attempt(self) -> int:
        """The last attempt; -1 when there never was one."""
        return int(self.row["attempt"])

    @property
    def status(self) -> str:
        """RUNNING, COMPLETED or FAILED_FINAL."""
        return str(self.row["status"])

    @property
    def reason(self) -> str | None:
        """Why it is as it is."""
        return self.row.get("reason")

    def at(self, name: str) -> datetime | None:
        """An instant in the row."""
        return parse_timestamp(self.row.get(name))

    def subject(self, attempt: int | None = None) -> Subject:
        """What its events are about, by default those of the last attempt."""
        which = self.attempt if attempt is None else attempt
        return self.pipeline.id, self.key.schedule_id, self.key.date, which

    @property
    def date_subject(self) -> Subject:
        """What events about the date as a whole are about."""
        return self.pipeline.id, self.key.schedule_id, self.key.date, None

    def __str__(self) -> str:
        return f"{self.pipeline.id} {self.key.date} attempt {self.attempt} ({self.status}, {self.reason})"


class Witness:
    """Looks on from the beginning; what it gives as properties is read at the end, once."""

    def __init__(self, world: World, day: Day, injector: Injector, entries: Sequence[Entry] = ()) -> None:
        self.entries = entries
        self.world = world
        self.day = day
        self.injector = injector
        self.published: dict[str, Published] = {}
        self.failures: list[tuple[datetime, LocalFunction, Answer]] = []
        self._alerts: dict[str, bool] = {}
        self._records: dict[str, Mapping[str, Any]] = {}
        self._by_subject: defaultdict[tuple[str, Subject], list[Published]] = defaultdict(list)
        world.bus.listeners.append(self._see)
        world.streams.listeners.append(self._tell)
        failed = world.functions.failed

        def failing(function: LocalFunction, event: Any, answer: Answer) -> None:
            self.failures.append((world.now(), function, answer))
            failed(function, event, answer)

        world.functions.failed = failing

    def has(self, kind: str, subject: Subject, *, cause: str | None = None) -> bool:
        """Whether an event was published about a subject."""
        return any(cause in (None, each.cause) for each in self._by_subject[kind, subject])

    def count(self, kind: str, subject: Subject) -> int:
        """How many different events of a type were published about a subject."""
        return len(self._by_subject[kind, subject])

    def is_alert(self, event_type: str) -> bool:
        """Whether a rule sends events of a type to the queue that alerts are read from."""
        if event_type not in self._alerts:
            read = {mapping.queue_arn for mapping in self.world.queues.mappings}
            told = {"source": SOURCE, "detail-type": event_type, "detail": {}}
            matching = (each for each in self.world.bus.rules.values() if each.pattern)
            rules = [each for each in matching if each.pattern and patterns.matches(each.pattern, told)]
            self._alerts[event_type] = any(target.arn in read for rule in rules for target in rule.targets)
        return self._alerts[event_type]

    def overlook(self, *kinds: str) -> None:
        """Know nothing of the events of some types, as if nobody had published them: for tests of the checks."""
        self.published = {key: event for key, event in self.published.items() if event.type not in kinds}
        for kind, subject in list(self._by_subject):
            if kind in kinds:
                del self._by_subject[kind, subject]

    def is_broken(self, run: Run) -> bool:
        """Whether the execution of a run's last attempt ended badly."""
        found = self.world.executions.by_arn.get(str(run.row.get("executionArn")))
        return found is None or found.status != "SUCCEEDED"

    def was_lost(self, partition: str, sort_key: str) -> bool:
        """Whether the stream record of a row is a dead letter."""
        return any((each["PK"]["S"], each["SK"]["S"]) == (partition, sort_key) for each in self.lost_records.values())

    @cached_property
    def runs(self) -> list[Run]:
        """All trigger rows."""
        found = []
        for row in self.rows("control_table_name"):
            key = rows.run_key(row["SK"], rows.TRIGGER_PREFIX)
            if key is not None:
                found.append(Run(pipeline=self._pipeline(row), key=key, row=row))
        return found

    @cached_property
    def job_log(self) -> list[tuple[str, RunKey, datetime, Mapping[str, Any]]]:
        """All rows of the job log: pipeline, schedule and date, time, row; in order."""
        found = []
        for row in self.rows("joblog_table_name"):
            key = rows.job_key(row["SK"])
            assert key is not None
            found.append((rows.pipeline_of(row["PK"]) or "", key[0], of_millis(key[1]), row))
        return found

    def outcomes(self, run: Run, attempt: int) -> list[Mapping[str, Any]]:
        """The rows of the job log that say how the job of an attempt ended."""
        return [
            row
            for pipeline_id, key, _, row in self.job_log
            if (pipeline_id, key, row.get("attempt")) == (run.pipeline.id, run.key, attempt)
            and row["event"] in OUTCOMES
        ]

    @cached_property
    def reruns(self) -> Mapping[tuple[str, RunKey], Mapping[int, Mapping[str, Any]]]:
        """The rows of the rerun table by pipeline and date, and by attempt."""
        found: defaultdict[tuple[str, RunKey], dict[int, Mapping[str, Any]]] = defaultdict(dict)
        for row in self.rows("rerun_table_name"):
            _, schedule_id, date, attempt = row["SK"].split("#")
            found[rows.pipeline_of(row["PK"]) or "", RunKey(schedule_id, date)][int(attempt)] = row
        return found

    @cached_property
    def stored(self) -> list[Mapping[str, Any]]:
        """The events in the events table."""
        return [row for row in self.rows("events_table_name") if "eventType" in row]

    @cached_property
    def letters(self) -> list[Mapping[str, Any]]:
        """All dead letters."""
        read = {mapping.queue_arn for mapping in self.world.queues.mappings}
        dead = (queue for arn, queue in self.world.queues.by_arn.items() if arn not in read)
        return [json.loads(message.body) for queue in dead for message in queue.messages]

    @cached_property
    def lost_records(self) -> Mapping[str, Mapping[str, Any]]:
        """The keys of the rows whose stream records are dead letters, by the records' ids."""
        found: dict[str, Mapping[str, Any]] = {}
        for letter in self.letters:
            if (batch := letter.get("DDBStreamBatchInfo")) is None:
                continue
            for number, record in self._records.items():
                within = batch["startSequenceNumber"] <= number <= batch["endSequenceNumber"]
                if within and record["eventSourceARN"] == batch["streamArn"]:
                    found[record["eventID"]] = record["dynamodb"]["Keys"]
        return found

    @cached_property
    def lost_keys(self) -> frozenset[str]:
        """The keys of the events that event-sink could not store, and of the alerts that nobody could post."""
        payloads = (letter.get("requestPayload", letter) for letter in self.letters)
        return frozenset(key for key in map(_key, payloads) if key)

    @property
    def lost_invocations(self) -> Iterator[Mapping[str, Any]]:
        """The dead letters that tell of an invocation which failed for good."""
        return (letter for letter in self.letters if "requestPayload" in letter)

    def records_of(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """The stream records of rows that were written and whose sort key begins so."""
        for record in self._records.values():
            if record["dynamodb"]["Keys"]["SK"]["S"].startswith(prefix) and record["eventName"] != "REMOVE":
                yield record

    def rows(self, output: str) -> Iterator[Mapping[str, Any]]:
        """The rows of the table that an output of the stack names."""
        for row in self.world.tables.rows(str(self.world.configuration.outputs()[output])):
            yield plain(decode_item(row))

    def row(self, pipeline_id: str, sort_key: str) -> Mapping[str, Any] | None:
        """A row of the control table."""
        found = self.world.row(self.world.control_table, rows.pk(pipeline_id), sort_key)
        return None if found is None else plain(decode_item(found))

    def _pipeline(self, row: Mapping[str, Any]) -> Pipeline:
        return self.world.pipeline(rows.pipeline_of(row["PK"]) or "")

    def _see(self, event: Mapping[str, Any]) -> None:
        detail = event["detail"]
        if event["source"] != SOURCE or detail["dedupeKey"] in self.published:
            return
        subject = (detail["pipelineId"], detail["scheduleId"], detail["date"], detail["attempt"])
        found = Published(type=event["detail-type"], subject=subject, key=detail["dedupeKey"])
        self.published[found.key] = found
        self._by_subject[found.type, subject].append(found)

    def _tell(self, record: Mapping[str, Any]) -> None:
        self._records[record["dynamodb"]["SequenceNumber"]] = record


def _key(event: Any) -> str | None:
    detail = event.get("detail") if isinstance(event, Mapping) else None
    key = detail.get("dedupeKey") if isinstance(detail, Mapping) else None
    return key or (event.get("id") if isinstance(event, Mapping) else None)
