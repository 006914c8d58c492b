"""stream-router: stream records of the control table and the job log, ticks, executions that ended badly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from interlock_runtime import settings
from interlock_runtime.control import execution_ends, records, ticks
from interlock_runtime.control.ports import Metric, StartPorts
from interlock_runtime.control.records import Record
from interlock_runtime.core.errors import ConfigError, PermanentError
from interlock_runtime.handlers.assembly import Function, utc_now

Clock = Callable[[], datetime]


def handler(event: Any, context: Any) -> Any:
    """Handle whatever invokes the function.

    Raises:
        ConfigError: the function's environment is incomplete.
        InterlockError: a tick or a status event could not be handled. Records answer one by one instead.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        return handle(event, ports, clock=utc_now)


def handle(event: Any, ports: StartPorts, *, clock: Clock) -> dict[str, Any]:
    """Tell the kinds of events apart; a batch of records answers with ``batchItemFailures``."""
    if isinstance(event, Mapping):
        if isinstance(event.get("Records"), list):
            return {"batchItemFailures": failed_records(event["Records"], ports, clock=clock)}
        if ticks.is_tick(event):
            ports.log.about(pipeline=event.get("pipelineId"), correlation_id=event.get("scheduledAt"))
            ticks.handle(ports, event, now=clock())
            return {}
        if execution_ends.is_status_event(event):
            ports.log.about(correlation_id=event.get("id"))
            execution_ends.handle(ports, event, now=clock())
            return {}
    known = "Records of a stream, a tick with mode cron or include, a status event of Step Functions"
    raise PermanentError(f"stream-router does not know this event; it knows {known}")


def failed_records(raw_records: Iterable[Any], ports: StartPorts, *, clock: Clock) -> list[dict[str, str]]:
    """Handle every record, whatever becomes of the others; those that are to come again, by sequence number.

    What can never succeed is logged, counted and dropped, so that it does not hold up its shard.
    """
    failures: list[dict[str, str]] = []
    for raw in raw_records:
        ports.metrics.count(Metric.RECORDS_PROCESSED)
        try:
            record = Record.of(raw)
            if record is None:
                continue
            ports.log.about(pipeline=record.pipeline_id, row=record.sort_key, correlation_id=record.event_id)
            records.handle(ports, record, now=clock())
        except (ConfigError, PermanentError) as error:
            ports.metrics.count(Metric.RECORDS_REFUSED)
            ports.log.error("record dropped: it can never be handled", problem=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the other records must be handled
            ports.log.error("record failed, and will come again", problem=f"{type(error).__name__}: {error}")
            # Without a number the whole batch comes again, which is right, too.
            failures.append({"itemIdentifier": str(raw["dynamodb"].get("SequenceNumber") or "")})
    return failures


@cache
def _parts() -> tuple[Function, StartPorts]:
    read = settings.read(settings.StreamRouter, os.environ)
    function = Function.of("stream-router", os.environ)
    return function, function.start_ports(read)
