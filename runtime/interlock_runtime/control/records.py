"""Stream records: what was written, and who has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from interlock_runtime.control import outcomes, post_run, reruns, starts
from interlock_runtime.control.ports import Metric, StartPorts
from interlock_runtime.control.starts import SensorWrite
from interlock_runtime.core import causes, dates, rows, sensors
from interlock_runtime.core.attributes import decode_item
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rerun_requests import NOTICED_AT, Request
from interlock_runtime.core.rules import Sensor, belongs, evaluate_rule


@dataclass(frozen=True, kw_only=True)
class Record:
    """One write to the control table or the job log.

    ``written_at`` is the time of the write, in whole seconds, as the stream tells it; None when
    it does not. The new image is decoded when it is looked at.
    """

    event_id: str
    pipeline_id: str
    sort_key: str
    image: Mapping[str, Any]
    written_at: datetime | None

    @classmethod
    def of(cls, raw: Any) -> Record | None:
        """Read a stream record; None when it tells of no row that was written.

        Raises:
            PermanentError: it is no stream record of one of our tables.
        """
        try:
            if raw["eventName"] == "REMOVE":
                return None
            change = raw["dynamodb"]
            pipeline_id = rows.pipeline_of(change["Keys"]["PK"]["S"])
            sort_key = change["Keys"]["SK"]["S"]
            image, event_id = change["NewImage"], raw["eventID"]
        except (KeyError, TypeError):
            raise PermanentError("not a stream record with keys and a new image") from None
        if pipeline_id is None or not isinstance(sort_key, str) or not isinstance(event_id, str):
            raise PermanentError("not a stream record of a row of ours")
        return cls(
            event_id=event_id,
            pipeline_id=pipeline_id,
            sort_key=sort_key,
            image=image,
            written_at=_instant(change.get("ApproximateCreationDateTime")),
        )

    @property
    def row(self) -> dict[str, Any]:
        """The row as it was written.

        Raises:
            PermanentError: the image cannot be decoded.
        """
        try:
            return decode_item(self.image)
        except ValueError as error:
            raise PermanentError(f"the new image cannot be read: {error}") from error


def handle(ports: StartPorts, record: Record, *, now: datetime) -> None:
    """Do what follows from a write.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
        PermanentError: the row cannot be read.
        TransientError: AWS did not do its part; the record is to be handled again.
    """
    if (key := rows.sensor_key(record.sort_key)) is not None:
        _sensor(ports, record, key, now=now)
    elif record.sort_key.startswith(rows.JOB_PREFIX):
        entry = Entry.of_row(record.row)
        if entry is None:
            raise PermanentError(f"{record.sort_key!r} is no job-log row with an event")
        outcomes.handle(ports, record.pipeline_id, entry, now=now)
    elif record.sort_key.startswith(rows.RERUN_REQUEST_PREFIX):
        _request(ports, record, now=now)


def _request(ports: StartPorts, record: Record, *, now: datetime) -> None:
    """A request was written; when Interlock merely put it on the index, that has another record."""
    row = record.row
    if NOTICED_AT in row:
        ports.log.debug("request passed over: it was only noticed")
        return
    request = Request.of_row(row, event_id=record.event_id, written_at=record.written_at or now)
    if request is None:
        raise PermanentError(f"{record.sort_key!r} names no schedule and date")
    reruns.handle(ports, request, now=now)


def _sensor(ports: StartPorts, record: Record, key: str, *, now: datetime) -> None:
    """A sensor was written: it may start a run, and it may show what became of the data of one."""
    config = ports.configs.get(record.pipeline_id, now)
    if config is None:
        ports.log.debug("sensor passed over: there is no such pipeline")
        return
    trigger = config.pipeline.schedule.trigger
    starts_runs = trigger is not None and belongs(key, trigger.key)
    post_run_key = next((each for each in sensors.post_run_keys(config.pipeline) if belongs(key, each)), None)
    if not starts_runs and post_run_key is None:
        return
    sensor = Sensor.of_row(key, plain(record.row))
    if sensor.problem is not None:
        ports.log.warning("broken sensor", sensor=key, problem=sensor.problem)
    written_at = record.written_at or now
    cause = causes.stream_record(record.event_id)
    started_date = None
    if trigger is not None and starts_runs:
        # Judged at the time of the write, so that a replay comes to the same result.
        result = evaluate_rule(trigger, sensor, now=written_at)
        ports.metrics.count(Metric.RULES_EVALUATED)
        if result.passed:
            date = _date(ports, config, sensor, rule_key=trigger.key, written_at=written_at)
            write = SensorWrite(key=key, written_at=written_at, cause=cause)
            started_date = date if starts.by_sensor(ports, config, date, write, now=now) else None
        else:
            ports.log.debug("trigger condition not met", sensor=key, reason=result.reason)
    if post_run_key is not None:
        date = _date(ports, config, sensor, rule_key=post_run_key, written_at=written_at)
        if date == started_date:
            return  # its run has only just begun, and relied upon nothing yet
        post_run.sensor_written(ports, config, date, sensor, cause=cause, written_at=written_at, now=now)


def _date(ports: StartPorts, config: Config, sensor: Sensor, *, rule_key: str, written_at: datetime) -> ExecutionDate:
    date, ignored = dates.of_sensor(
        config.pipeline, sensor.key, fields=sensor.fields, rule_key=rule_key, written_at=written_at
    )
    if ignored:
        ports.log.warning("values of a sensor ignored", sensor=sensor.key, ignored=ignored, date=str(date))
    return date


def _instant(value: Any) -> datetime | None:
    """The time of a write: seconds since the epoch in an event of Lambda's."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return None
