"""What caused a run, as the trigger row and the events name it.

A cause is the same text whenever the same occurrence is handled again. By it a replay is told
from something new, so it never depends on the time of handling.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.names import digest
from interlock_runtime.core.timestamps import parse_timestamp

#: The watchdog found a sensor whose start had been lost.
RECONCILE = "reconcile"

_REQUEST = "request:"


def stream_record(event_id: str) -> str:
    """A row was written; ``event_id`` is the stream record's."""
    return f"record:{event_id}"


def tick(scheduled_at: datetime) -> str:
    """A schedule fired; by the instant it was to fire at, whoever noticed."""
    return f"tick:{rfc3339(scheduled_at)}"


def job_failure(attempt: int) -> str:
    """The job of an attempt failed; the same however often and by whom that is reported."""
    return f"job-failure:{attempt}"


def drift(attempt: int, sensor_key: str, value: object) -> str:
    """A sensor no longer has the value that an attempt relied upon; the same whoever noticed."""
    return f"drift:{attempt}:{sensor_key}:{value}"


def request(row: Mapping[str, Any], event_id: str | None) -> str:
    """Somebody asked for a rerun.

    A request made by Interlock carries what caused it. Any other is identified by when it was
    made, by whom and why, so that the stream and the watchdog see the same one; without a time,
    by its stream record, whose id is then needed.
    """
    if isinstance(own := row.get("cause"), str) and own:
        return _REQUEST + own
    requested_at = row.get("requestedAt")
    if event_id is not None and parse_timestamp(requested_at) is None:
        return _REQUEST + event_id
    told = (requested_at, row.get("requestedBy"), row.get("reason"))
    return _REQUEST + digest("|".join(map(str, told)))[:16]


def is_request(cause: str | None) -> bool:
    """Whether a run was asked for."""
    return cause is not None and cause.startswith(_REQUEST)


def told(cause: str | None) -> str:
    """What caused a run, in words that complete "started by …"."""
    kind, _, rest = (cause or "").partition(":")
    if cause == RECONCILE:
        return "the watchdog, which found its start lost"
    if kind == "tick":
        return "its schedule"
    if kind == "record":
        return "the write of a sensor"
    if kind == "job-failure":
        return f"the failure of attempt {rest}"
    if is_request(cause):
        return {"drift": "a request after drift", "record": "a request after late data"}.get(
            rest.partition(":")[0], "a rerun request"
        )
    return cause or "nobody knows what"
