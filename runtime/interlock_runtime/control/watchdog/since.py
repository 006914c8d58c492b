"""Since when the watchdog has known a pipeline's schedule and deadlines, so that it never reports the past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control.looks import Look
from interlock_runtime.control.ports import Ports
from interlock_runtime.core import dates, since_marker
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.names import digest
from interlock_runtime.core.rows import Row
from interlock_runtime.core.since_marker import Watched

#: How long the marker outlives the last pass that saw the pipeline, and when it is renewed.
_KEEP = timedelta(days=30)
_RENEW = timedelta(days=15)


@dataclass(frozen=True)
class Since:
    """What was due before ``schedule`` (starts) or ``sla`` (deadlines) was due before anybody watched.

    The fires of the cron up to ``checked`` have been looked at, and what was missed has been told.
    ``changed`` is when the present schedule took the place of another one, None when it is the
    first that is known.
    """

    schedule: datetime
    sla: datetime
    checked: datetime
    changed: datetime | None
    marker: Row


def known_since(ports: Ports, config: Config, *, now: datetime) -> Look[Since]:
    """Since when the present schedule and SLA of a pipeline have been known; now, when they are new."""
    key = since_marker.key(config.pipeline.id)
    row = (yield [key]).get(key)
    found = Watched.of_row(row)
    schedule_hash, sla_hash = _hashes(config)
    is_same = found.schedule_hash == schedule_hash
    schedule, checked = (found.schedule, found.checked) if is_same else (None, None)
    changed = found.changed if is_same else now if found.is_known else None
    sla = found.sla if found.sla_hash == sla_hash else None
    data = {
        "hash": schedule_hash,
        "since": rfc3339(schedule or now),
        "checkedUntil": rfc3339(checked or schedule or now),
        "changedAt": changed and rfc3339(changed),
        "slaHash": sla_hash,
        "slaSince": rfc3339(sla or now),
    }
    marker: Row = {"PK": key[0], "SK": key[1], "data": data, "ttl": epoch_seconds(now + _KEEP)}
    if schedule is None or sla is None or _is_old(row, now):
        # Another pass that came first put the same, or something earlier, which then counts.
        ports.control.put(marker, expect=ABSENT if row is None else {"data": row.get("data")})
    return Since(schedule or now, sla or now, checked or schedule or now, changed, marker)


def note_checked(ports: Ports, since: Since, until: datetime) -> None:
    """Remember that the fires up to ``until`` need not be looked at again."""
    data = since.marker["data"]
    ports.control.put(since.marker | {"data": data | {"checkedUntil": rfc3339(until)}}, expect={"data": data})


def _hashes(config: Config) -> tuple[str, str]:
    """What the schedule, and what the SLA says about when something is due."""
    schedule = {name: value for name, value in (config.document.get("schedule") or {}).items() if name != "evaluation"}
    sla = {name: value for name, value in (config.sla or {}).items() if name != "critical"}
    # A deadline can make of days hours, whose dates are others.
    due = [schedule, config.pipeline.dry_run, dates.granularity(config.pipeline).name]
    return _hash(due), _hash([due, sla])


def _hash(content: Any) -> str:
    return digest(json.dumps(content, sort_keys=True, separators=(",", ":")))


def _is_old(row: Row | None, now: datetime) -> bool:
    ttl = (row or {}).get("ttl")
    return not isinstance(ttl, int) or ttl < epoch_seconds(now + _RENEW)
