"""Every key of every row in the four tables, in one place.

``PK`` is ``PIPELINE#<id>`` everywhere; ``SK`` says what the row is. A sensor key may hold any
character, ``#`` included; the other parts of a sort key never hold one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from interlock_runtime.core.names import SlaClock, digest

#: A row as plain values, and its ``PK`` and ``SK``.
Row = dict[str, Any]
Key = tuple[str, str]

PK_PREFIX = "PIPELINE#"
CONFIG = "CONFIG"

#: The sparse index of the control table: hash ``interlockKind``, range ``PK``.
KIND_INDEX = "kind-index"
KIND = "interlockKind"

#: The index of the events table: hash ``eventType``, range ``timestamp``.
EVENT_TYPE_INDEX = "GSI1"

SENSOR_PREFIX = "SENSOR#"
TRIGGER_PREFIX = "TRIGGER#"
RERUN_REQUEST_PREFIX = "RERUN_REQUEST#"
DRY_RUN_PREFIX = "DRY_RUN#"
MARKER_PREFIX = "MARKER#"
JOB_PREFIX = "JOB#"
RERUN_PREFIX = "RERUN#"


class Kind(StrEnum):
    """The values of ``interlockKind``: what somebody still has to look at."""

    CONFIG = "CONFIG"
    RUNNING = "RUNNING"
    UNDECIDED = "UNDECIDED"
    POSTRUN = "POSTRUN"
    ARRIVAL = "ARRIVAL"
    REQUEST = "REQUEST"


class Status(StrEnum):
    """The values of a trigger row's ``status``."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED_FINAL = "FAILED_FINAL"


#: Attribute names of the control table that mean something to Interlock. An outside process that
#: writes a sensor's fields at the top level cannot use them as field names.
RESERVED_ATTRIBUTES = frozenset(
    {
        "PK",
        "SK",
        "config",
        "data",
        "ttl",
        KIND,
        "status",
        "attempt",
        "startedAt",
        "input",
        "executionArn",
        "cause",
        "reason",
        "intent",
        "runId",
        "completedAt",
        "staleAt",
        "requestedAt",
        "requestedBy",
    }
)


def pk(pipeline_id: str) -> str:
    """The partition key of every row of a pipeline."""
    return PK_PREFIX + pipeline_id


def pipeline_of(partition_key: object) -> str | None:
    """The pipeline id in a partition key, or None when it is not one of ours."""
    if isinstance(partition_key, str) and partition_key.startswith(PK_PREFIX):
        return partition_key[len(PK_PREFIX) :] or None
    return None


def sensor(key: str) -> str:
    """A sensor's row."""
    return SENSOR_PREFIX + key


def trigger(schedule_id: str, date: str) -> str:
    """The row that is lock and status of the runs of one date."""
    return f"{TRIGGER_PREFIX}{schedule_id}#{date}"


def rerun_request(schedule_id: str, date: str) -> str:
    """A request for another run of one date."""
    return f"{RERUN_REQUEST_PREFIX}{schedule_id}#{date}"


def dry_run(schedule_id: str, date: str) -> str:
    """What a dry-run pipeline would have done on one date."""
    return f"{DRY_RUN_PREFIX}{schedule_id}#{date}"


def alert_marker(event_type: str, schedule_id: str | None, date: str | None) -> str:
    """That an alert about an absence or a deadline was sent."""
    return f"{MARKER_PREFIX}alert#{event_type}#{schedule_id}#{date}"


def arrival_marker(date: str) -> str:
    """When the first passing sensor of the trigger key arrived for one date."""
    return f"{MARKER_PREFIX}arrival#{date}"


def arrival_date(sort_key: str) -> str | None:
    """The date in the sort key of an arrival's marker, or None when the row is another."""
    prefix = arrival_marker("")
    return sort_key.removeprefix(prefix) or None if sort_key.startswith(prefix) else None


def verdict_marker(clock: SlaClock, schedule_id: str, date: str) -> str:
    """How one SLA of one date came out."""
    return f"{MARKER_PREFIX}verdict#{clock}#{schedule_id}#{date}"


def entries_marker(clock: SlaClock, schedule_id: str, date: str) -> str:
    """That Scheduler holds the entries of one SLA of one date."""
    return f"{MARKER_PREFIX}entries#{clock}#{schedule_id}#{date}"


def baseline_marker(schedule_id: str, date: str, attempt: int) -> str:
    """What ``evaluate`` saw of the post-run keys when the rules passed."""
    return f"{MARKER_PREFIX}baseline#{schedule_id}#{date}#{attempt}"


#: Since when the watchdog has known a pipeline's schedule.
SINCE_MARKER = f"{MARKER_PREFIX}since"


def job(schedule_id: str, date: str, millis: int) -> str:
    """A job-log row; 13 digits of milliseconds, so that sort keys sort by time."""
    return f"{job_prefix(schedule_id, date)}{millis:013}"


def job_prefix(schedule_id: str, date: str) -> str:
    """What all job-log rows of one date start with."""
    return f"{JOB_PREFIX}{schedule_id}#{date}#"


def rerun(schedule_id: str, date: str, attempt: int) -> str:
    """The record of a rerun."""
    return f"{rerun_prefix(schedule_id, date)}{attempt}"


def rerun_prefix(schedule_id: str, date: str) -> str:
    """What all rerun rows of one date start with."""
    return f"{RERUN_PREFIX}{schedule_id}#{date}#"


def event(millis: int, event_type: str, dedupe_key: str) -> str:
    """A stored event."""
    return f"{millis:013}#{event_type}#{digest(dedupe_key)}"


def seen(dedupe_key: str) -> str:
    """Under which sort key an event was stored."""
    return f"SEEN#{digest(dedupe_key)}"


def alert(dedupe_key: str) -> str:
    """The claim to post one alert."""
    return f"ALERT#{digest(dedupe_key)}"


def thread(schedule_id: str | None, date: str | None) -> str:
    """The Slack thread of one date."""
    return f"THREAD#{schedule_id}#{date}"


@dataclass(frozen=True)
class RunKey:
    """Which runs a row is about: the schedule and execution date in its sort key, as written there."""

    schedule_id: str
    date: str

    @property
    def before(self) -> RunKey:
        """The runs of the date before a cron was added to the pipeline, or taken away."""
        return RunKey("stream" if self.schedule_id == "cron" else "cron", self.date)


def sensor_key(sort_key: str) -> str | None:
    """The key of a ``SENSOR#`` row, or None when the row is another or the key is empty."""
    return sort_key.removeprefix(SENSOR_PREFIX) or None if sort_key.startswith(SENSOR_PREFIX) else None


def run_key(sort_key: str, prefix: str) -> RunKey | None:
    """The run in ``<prefix><schedule>#<date>``, or None when the sort key has another form."""
    if not sort_key.startswith(prefix):
        return None
    parts = sort_key[len(prefix) :].split("#")
    return RunKey(*parts) if len(parts) == 2 and all(parts) else None


def job_key(sort_key: str) -> tuple[RunKey, int] | None:
    """The run and the milliseconds of a ``JOB#`` row, or None when the sort key has another form."""
    head, _, number = sort_key.rpartition("#")
    key = run_key(head, JOB_PREFIX)
    return (key, int(number)) if key and number.isascii() and number.isdigit() else None
