"""watchdog: one pass over everything that should have happened, whatever invoked it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from interlock_runtime import settings
from interlock_runtime.control.ports import WatchdogPorts
from interlock_runtime.control.watchdog import passes
from interlock_runtime.handlers.assembly import Function, pause, surroundings, utc_now

#: How much of its time the function keeps to finish what was begun, and to tell what was left out.
RESERVE = timedelta(seconds=20)


def handler(event: Any, context: Any) -> Any:
    """Make one pass; what the event says does not matter.

    Raises:
        ConfigError: the function's environment is incomplete.
        TransientError: checks failed; the text names them. The next pass makes them again.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        return handle(ports, clock=utc_now, sleep=pause, time_left=time_left, threads=surroundings().threads)


def handle(
    ports: WatchdogPorts,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    time_left: timedelta,
    threads: Callable[[int], Executor] | None = None,
) -> dict[str, Any]:
    """Make one pass within ``time_left``, in ``threads`` or, without, in those of Python."""
    passes.run(
        ports,
        clock=clock,
        sleep=sleep,
        until=clock() + time_left - RESERVE,
        threads=threads or ThreadPoolExecutor,
    )
    return {}


@cache
def _parts() -> tuple[Function, WatchdogPorts]:
    read = settings.read(settings.Watchdog, os.environ)
    function = Function.of("watchdog", os.environ)
    return function, function.watchdog_ports(read)
