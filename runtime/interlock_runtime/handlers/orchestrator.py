"""orchestrator: the tasks of the state machine, told apart by ``mode``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from interlock_runtime import settings
from interlock_runtime.control import endings, evaluation, job_steps
from interlock_runtime.control.ports import JobPorts, Ports
from interlock_runtime.control.task import Task
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.handlers.assembly import Function, utc_now

Clock = Callable[[], datetime]

#: The modes whose answer the state machine keeps.
_ASKING: Mapping[str, Callable[[JobPorts, Task, Clock], dict[str, Any]]] = {
    "evaluate": lambda ports, task, clock: evaluation.handle(ports, task, now=clock()),
    "trigger": lambda ports, task, clock: job_steps.trigger(ports, task, clock=clock),
    "check-job": lambda ports, task, clock: job_steps.check(ports, task, now=clock()),
}

#: The modes that have no answer.
_ENDING: Mapping[str, Callable[[Ports, Task, datetime], None]] = {
    "validation-exhausted": lambda ports, task, now: endings.validation_exhausted(ports, task, now=now),
    "trigger-exhausted": lambda ports, task, now: endings.trigger_exhausted(ports, task, now=now),
    "job-poll-exhausted": lambda ports, task, now: endings.job_poll_exhausted(ports, task, now=now),
    "complete-trigger": lambda ports, task, now: endings.complete_trigger(ports, task, now=now),
    "infra-failure": lambda ports, task, now: endings.infra_failure(ports, task, now=now),
}

#: Every mode of the orchestrator.
MODES = (*_ASKING, *_ENDING)


def handler(event: Any, context: Any) -> Any:
    """Do one task of the state machine.

    Raises:
        ConfigError: the function's environment or the pipeline's configuration cannot be read.
        InterlockError: the task could not be done; the state machine decides what follows.
    """
    function, ports = _parts()
    with function.telemetry.invocation(context):
        time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        return handle(event, ports.within(time_left), clock=utc_now)


def handle(event: Any, ports: JobPorts, *, clock: Clock) -> dict[str, Any]:
    """Do one task.

    Raises:
        PermanentError: the mode is unknown, or something that every task has is missing.
    """
    if not isinstance(event, Mapping) or event.get("mode") not in MODES:
        mode = event.get("mode") if isinstance(event, Mapping) else None
        raise PermanentError(f"{mode!r} is no mode of the orchestrator; known are {', '.join(MODES)}")
    task = Task.of(event)
    ports.log.about(
        pipeline=task.pipeline_id,
        schedule=task.key.schedule_id,
        date=task.key.date,
        attempt=task.attempt,
        correlation_id=task.execution_id.rpartition(":")[2],
        mode=task.mode,
    )
    if (ask := _ASKING.get(task.mode)) is not None:
        return ask(ports, task, clock)
    _ENDING[task.mode](ports, task, clock())
    return {}


@cache
def _parts() -> tuple[Function, JobPorts]:
    read = settings.read(settings.Orchestrator, os.environ)
    function = Function.of("orchestrator", os.environ)
    return function, function.job_ports(read, os.environ)
