"""A trigger row, as the rest of Interlock sees it: the state of the runs of one execution date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from interlock_runtime.core import names, rows
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rows import Key, Row, RunKey, Status
from interlock_runtime.core.timestamps import parse_timestamp


class Reason(StrEnum):
    """Why a row is as it is: why a run was started again, or why it failed for good."""

    MANUAL = "manual"
    JOB_FAIL_RETRY = "job-fail-retry"
    DATA_DRIFT = "data-drift"
    LATE_DATA = "late-data"
    #: A sensor was written after the trigger had used up its attempts; costs no budget.
    SENSOR_AFTER_TRIGGER_EXHAUSTED = "sensor-after-trigger-exhausted"

    FAIL = "fail"
    TIMEOUT = "timeout"
    VALIDATION_EXHAUSTED = "validation-exhausted"
    TRIGGER_EXHAUSTED = "trigger-exhausted"
    JOB_POLL_EXHAUSTED = "job-poll-exhausted"
    INFRA_FAILURE = "infra-failure"
    SFN_TIMEOUT = "sfn-timeout"
    #: The trigger condition was not met before its deadline; the row never had a run (attempt -1).
    DEADLINE = "deadline"


#: The attempt of a row that says that there was no run before the trigger deadline.
EXPIRED_ATTEMPT = -1


@dataclass(frozen=True, kw_only=True)
class Run:
    """The latest run of one execution date; what the row does not say is None."""

    pipeline_id: str
    schedule_id: str
    date: str
    attempt: int
    status: str
    started_at: datetime
    input: str = ""
    execution_arn: str | None = None
    cause: str | None = None
    reason: str | None = None
    intent: Mapping[str, Any] | None = None
    run_id: str | None = None
    completed_at: datetime | None = None
    stale_at: datetime | None = None
    kind: str | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Run:
        """Read a trigger row.

        Raises:
            PermanentError: it is not one that Interlock has written.
        """
        pipeline_id = rows.pipeline_of(row.get("PK"))
        key = rows.run_key(str(row.get("SK")), rows.TRIGGER_PREFIX)
        attempt, status = row.get("attempt"), row.get("status")
        if not pipeline_id or key is None or not isinstance(attempt, int) or status not in tuple(Status):
            raise PermanentError(f"the trigger row {row.get('PK')!r} {row.get('SK')!r} is not as Interlock writes it")
        return cls(
            pipeline_id=pipeline_id,
            schedule_id=key.schedule_id,
            date=key.date,
            attempt=attempt,
            status=status,
            started_at=parse_timestamp(row.get("startedAt")) or EPOCH,
            input=row.get("input") or "",
            execution_arn=row.get("executionArn"),
            cause=row.get("cause"),
            reason=row.get("reason"),
            intent=row.get("intent"),
            run_id=row.get("runId"),
            completed_at=parse_timestamp(row.get("completedAt")),
            stale_at=parse_timestamp(row.get("staleAt")),
            kind=row.get(rows.KIND),
        )

    @property
    def key(self) -> Key:
        """The key of the row."""
        return trigger_key(self.pipeline_id, self.run_key)

    @property
    def run_key(self) -> RunKey:
        """The schedule and the execution date."""
        return RunKey(self.schedule_id, self.date)

    @property
    def execution_name(self) -> str:
        """The name of the execution that carries this attempt."""
        return names.execution_name(self.pipeline_id, self.schedule_id, self.date, self.attempt, self.started_at)

    @property
    def token(self) -> str:
        """The token under which the job service knows this attempt."""
        return names.job_token(self.pipeline_id, self.schedule_id, self.date, self.attempt, self.started_at)

    @property
    def is_running(self) -> bool:
        """Whether this attempt has not ended."""
        return self.status == Status.RUNNING

    @property
    def is_launched(self) -> bool:
        """Whether its execution is known to have been started."""
        return self.execution_arn is not None

    @property
    def is_expired(self) -> bool:
        """Whether there never was a run, because the trigger deadline had passed."""
        return self.attempt == EXPIRED_ATTEMPT

    @property
    def arrival(self) -> datetime | None:
        """``sensorArrivalAt`` of the input: when the date's first sensor arrived."""
        try:
            return parse_timestamp(json.loads(self.input)["sensorArrivalAt"])
        except (ValueError, TypeError, KeyError):
            return None

    @property
    def job(self) -> dict[str, Any] | None:
        """What is recorded of the job that was started for this attempt; values that JSON can hold."""
        job = (self.intent or {}).get("job")
        return plain(job) if isinstance(job, Mapping) else None

    def seconds(self, name: str) -> timedelta | None:
        """An entry of ``config`` in the input, such as ``evaluationWindowSeconds``."""
        try:
            return timedelta(seconds=json.loads(self.input)["config"][name])
        except (ValueError, TypeError, KeyError, OverflowError):
            return None

    def is_of(self, attempt: int, execution_id: str) -> bool:
        """Whether the row is still about this attempt and this execution.

        Executions are compared by name: a row whose ``executionArn`` was not stored yet has one, too.
        """
        return self.attempt == attempt and execution_id.rpartition(":")[2] == self.execution_name


def trigger_key(pipeline_id: str, key: RunKey) -> Key:
    """The key of a trigger row."""
    return rows.pk(pipeline_id), rows.trigger(key.schedule_id, key.date)


def keys_before(pipeline_id: str, key: RunKey) -> frozenset[Key]:
    """The keys of what a date may have had under the schedule that its pipeline had before: a run, or a dry run."""
    observed = {(rows.pk(pipeline_id), rows.dry_run(each.schedule_id, each.date)) for each in (key, key.before)}
    return frozenset(observed | {trigger_key(pipeline_id, key.before)})


def read_run(row: Row | None) -> Run | None:
    """The run in a trigger row, or None when there is no row.

    Raises:
        PermanentError: the row is not one that Interlock has written.
    """
    return None if row is None else Run.of_row(row)
