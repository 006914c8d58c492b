"""event-sink: every event of Interlock's bus, and every state change of its alarms, into the events table."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from interlock_runtime import settings
from interlock_runtime.control import event_log
from interlock_runtime.control.event_log import EventLogPorts
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.handlers.assembly import Function, utc_now


def handler(event: Any, context: Any) -> Any:
    """Store one event.

    Raises:
        ConfigError: the function's environment is incomplete.
        InterlockError: the event could not be stored; Lambda tries again, and then keeps it as a dead letter.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        return handle(event, ports, clock=utc_now)


def handle(event: Any, ports: EventLogPorts, *, clock: Callable[[], datetime]) -> dict[str, Any]:
    """Read the event as far as it can be read, and store it."""
    received = ReceivedEvent.of(event)
    ports.log.about(**received.subject)
    event_log.store(ports, received, now=clock())
    return {}


@cache
def _parts() -> tuple[Function, EventLogPorts]:
    read = settings.read(settings.EventSink, os.environ)
    function = Function.of("event-sink", os.environ)
    ports = EventLogPorts(
        events=function.table(read.events_table),
        log=function.telemetry.log,
        metrics=function.telemetry.metrics,
        retention=timedelta(days=read.events_ttl_days),
    )
    return function, ports
