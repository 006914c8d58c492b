"""The marker of since when a pipeline's schedule and deadlines have been watched: what was due before is the past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.rows import Key, Row
from interlock_runtime.core.timestamps import parse_timestamp


@dataclass(frozen=True)
class Watched:
    """What a marker says; None for what it does not say.

    The hashes are of the schedule and of the SLA that it is about. The fires of the cron up to
    ``checked`` have been looked at. ``changed`` is when the schedule came in place of another.
    """

    is_known: bool
    schedule: datetime | None
    schedule_hash: str | None
    checked: datetime | None
    changed: datetime | None
    sla: datetime | None
    sla_hash: str | None

    @classmethod
    def of_row(cls, row: Row | None) -> Watched:
        """Read a marker's row; there may be none."""
        data = (row or {}).get("data")
        found: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        return cls(
            is_known=bool(found),
            schedule=parse_timestamp(found.get("since")),
            schedule_hash=found.get("hash"),
            checked=parse_timestamp(found.get("checkedUntil")),
            changed=parse_timestamp(found.get("changedAt")),
            sla=parse_timestamp(found.get("slaSince")),
            sla_hash=found.get("slaHash"),
        )


def key(pipeline_id: str) -> Key:
    """The key of a pipeline's marker."""
    return rows.pk(pipeline_id), rows.SINCE_MARKER
