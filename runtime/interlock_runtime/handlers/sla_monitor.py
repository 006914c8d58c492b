"""sla-monitor: the deadlines of a run's date, told apart by ``mode``; for the state machine, Scheduler and people."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from interlock_runtime import settings
from interlock_runtime.control import arrivals, sla
from interlock_runtime.control.ports import SlaPorts
from interlock_runtime.control.task import Task
from interlock_runtime.core import dates
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate, Granularity
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.sla_deadlines import FIRE_ALERT
from interlock_runtime.core.timestamps import EXPECTED as EXPECTED_TIMESTAMP
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_runtime.handlers.assembly import Function, utc_now

Clock = Callable[[], datetime]
Answer = dict[str, Any]


def handler(event: Any, context: Any) -> Any:
    """Do what the mode asks for.

    Raises:
        ConfigError: the function's environment or the pipeline's configuration cannot be read.
        InterlockError: it could not be done; whoever asked tries again.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        return handle(event, ports, clock=utc_now)


def handle(event: Any, ports: SlaPorts, *, clock: Clock) -> Answer:
    """Do what the mode asks for; the answer says what was done.

    Raises:
        PermanentError: the mode is unknown, or the event lacks something that its mode needs.
    """
    if not isinstance(event, Mapping) or event.get("mode") not in MODES:
        mode = event.get("mode") if isinstance(event, Mapping) else None
        raise PermanentError(f"{mode!r} is no mode of sla-monitor; known are {', '.join(MODES)}")
    ports.log.about(
        pipeline=event.get("pipelineId"),
        schedule=event.get("scheduleId"),
        date=event.get("date"),
        attempt=event.get("attempt"),
        mode=event["mode"],
    )
    answer = MODES[event["mode"]](ports, event, clock())
    ports.log.info("sla looked after", answer=answer)
    return answer


def _calculate(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> Answer:
    config, date = _subject(ports, event, now)
    if (given := event.get("sensorArrivalAt")) is None:
        arrival = arrivals.read(ports, config.pipeline.id, str(date))
    elif (arrival := parse_timestamp(given)) is None:
        raise PermanentError(f"sensorArrivalAt: {given!r} is not {EXPECTED_TIMESTAMP}")
    return sla.calculate(config, date, arrival=arrival)


def _schedule(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> Answer:
    return {"status": sla.schedule(ports, Task.of(event), now=now)}


def _cancel(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> Answer:
    return {"status": sla.cancel(ports, Task.of(event), now=now)}


def _fire_alert(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> Answer:
    return {"status": sla.fire_alert(ports, event, now=now)}


def _reconcile(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> Answer:
    config, date = _subject(ports, event, now)
    sla.reconcile(ports, config, date, now=now)
    return {"status": "reconciled"}


#: What the function does, by mode.
MODES: Mapping[str, Callable[[SlaPorts, Mapping[str, Any], datetime], Answer]] = {
    "calculate": _calculate,
    "schedule": _schedule,
    FIRE_ALERT: _fire_alert,
    "cancel": _cancel,
    "reconcile": _reconcile,
}


def _subject(ports: SlaPorts, event: Mapping[str, Any], now: datetime) -> tuple[Config, ExecutionDate]:
    """The pipeline and the date that a person asks about."""
    pipeline_id = event.get("pipelineId")
    config = ports.configs.get(pipeline_id, now) if isinstance(pipeline_id, str) and pipeline_id else None
    if config is None:
        raise PermanentError(f"there is no pipeline {pipeline_id!r}")
    try:
        date = ExecutionDate.parse(str(event.get("date")))
    except ValueError as error:
        raise PermanentError(f"date: {error}") from None
    if (date.hour is None) != (dates.granularity(config.pipeline) is Granularity.DAILY):
        raise PermanentError(f"date: {pipeline_id} is {dates.granularity(config.pipeline)}, and {date} is not")
    return config, date


@cache
def _parts() -> tuple[Function, SlaPorts]:
    read = settings.read(settings.SlaMonitor, os.environ)
    function = Function.of("sla-monitor", os.environ)
    return function, function.sla_ports(read)
