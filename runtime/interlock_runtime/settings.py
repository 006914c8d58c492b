"""What each function reads from its environment; one class per function is the whole table.

A field ``control_table`` is the variable ``CONTROL_TABLE``. The construct sets exactly the
variables in :data:`VARIABLES`. A function refuses to work, in one line that names every
variable at fault, when one is missing or is not what it should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from interlock_runtime.core.errors import ConfigError, Problem

T = TypeVar("T")

#: Marks a variable that may be set to nothing.
_MAY_BE_EMPTY: Mapping[str, Any] = {"may_be_empty": True}


@dataclass(frozen=True, kw_only=True)
class StreamRouter:
    """stream-router."""

    control_table: str
    joblog_table: str
    rerun_table: str
    event_bus_name: str
    state_machine_arn: str
    sfn_timeout_seconds: int
    trigger_retention_days: int


@dataclass(frozen=True, kw_only=True)
class Orchestrator:
    """orchestrator. Variables that start with ``INTERLOCK_`` are for the templates in ``job.config``."""

    control_table: str
    joblog_table: str
    rerun_table: str
    event_bus_name: str
    trigger_retention_days: int
    allowed_private_hosts: tuple[str, ...] = field(metadata=_MAY_BE_EMPTY)


@dataclass(frozen=True, kw_only=True)
class SlaMonitor:
    """sla-monitor."""

    control_table: str
    joblog_table: str
    rerun_table: str
    event_bus_name: str
    sla_monitor_arn: str
    scheduler_role_arn: str
    scheduler_group_name: str
    events_dlq_arn: str
    trigger_retention_days: int


@dataclass(frozen=True, kw_only=True)
class Watchdog:
    """watchdog."""

    control_table: str
    joblog_table: str
    rerun_table: str
    event_bus_name: str
    state_machine_arn: str
    sfn_timeout_seconds: int
    sla_monitor_arn: str
    scheduler_role_arn: str
    scheduler_group_name: str
    events_dlq_arn: str
    trigger_retention_days: int


@dataclass(frozen=True, kw_only=True)
class EventSink:
    """event-sink."""

    events_table: str
    events_ttl_days: int


@dataclass(frozen=True, kw_only=True)
class AlertDispatcher:
    """alert-dispatcher. ``SLACK_BOT_TOKEN`` is not set at all when a secret holds the token."""

    events_table: str
    events_ttl_days: int
    slack_channel_id: str = field(metadata=_MAY_BE_EMPTY)
    slack_secret_arn: str = field(metadata=_MAY_BE_EMPTY)
    slack_bot_token: str = field(default="", repr=False, metadata=_MAY_BE_EMPTY)


FUNCTIONS: Mapping[str, type] = {
    "stream-router": StreamRouter,
    "orchestrator": Orchestrator,
    "sla-monitor": SlaMonitor,
    "watchdog": Watchdog,
    "event-sink": EventSink,
    "alert-dispatcher": AlertDispatcher,
}

#: Which function gets which variables.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    name: tuple(item.name.upper() for item in fields(kind)) for name, kind in FUNCTIONS.items()
}


def read(kind: type[T], environment: Mapping[str, str]) -> T:
    """Read a function's settings.

    Raises:
        ConfigError: variables are missing or malformed; its text is one line that names them all.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for item in fields(kind):  # type: ignore[arg-type]
        name = item.name.upper()
        text = environment.get(name)
        if text is None and item.default is not MISSING:
            continue
        if text is None or (not text.strip() and not item.metadata.get("may_be_empty")):
            faults.append(f"{name} is missing")
            continue
        try:
            values[item.name] = _value(hints[item.name], text.strip())
        except ValueError:
            faults.append(f"{name} is {text!r}, expected a whole number above 0")
    if faults:
        message = f"the environment of this function is incomplete: {'; '.join(faults)}"
        raise ConfigError(Problem(message=message))
    return kind(**values)


def _value(kind: Any, text: str) -> Any:
    if kind is int:
        number = int(text)
        if number < 1:
            raise ValueError(text)
        return number
    if kind is str:
        return text
    return tuple(part.strip() for part in text.split(",") if part.strip())
