"""Ticks of EventBridge Scheduler: ``{"mode": "cron" | "include", "pipelineId": …, "scheduledAt": …}``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.control import starts
from interlock_runtime.control.ports import StartPorts
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.timestamps import parse_timestamp

#: The modes of a tick.
CRON, INCLUDE = "cron", "include"


def is_tick(event: Mapping[str, Any]) -> bool:
    """Whether an event is a tick."""
    return event.get("mode") in (CRON, INCLUDE)


def handle(ports: StartPorts, event: Mapping[str, Any], *, now: datetime) -> None:
    """Start the run that a schedule stands for.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
        PermanentError: the tick names no pipeline or no time.
        TransientError: AWS did not do its part; the tick is to be handled again.
    """
    pipeline_id, scheduled_at = event.get("pipelineId"), parse_timestamp(event.get("scheduledAt"))
    if not isinstance(pipeline_id, str) or not pipeline_id:
        raise PermanentError(f"a tick needs a pipelineId, and has {pipeline_id!r}")
    if scheduled_at is None:
        raise PermanentError(f"a tick needs its time in scheduledAt, and has {event.get('scheduledAt')!r}")
    config = ports.configs.get(pipeline_id, now)
    if config is None:
        ports.log.error("tick passed over: there is no such pipeline", pipeline=pipeline_id)
        return
    if event["mode"] == CRON and config.pipeline.schedule.cron is None:
        ports.log.warning("tick passed over: the pipeline has no cron any more", pipeline=pipeline_id)
        return
    starts.by_tick(ports, config, scheduled_at=scheduled_at, only_listed=event["mode"] == INCLUDE, now=now)
