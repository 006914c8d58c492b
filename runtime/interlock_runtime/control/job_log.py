"""The job log: append-only, written by Interlock and by outside jobs, read for the last outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control.ports import Ports
from interlock_runtime.core import rows
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import millis
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.rows import RunKey

#: How many milliseconds an append gives way to rows that stand at its own.
_ROOM = 1000


def of_date(ports: Ports, pipeline_id: str, key: RunKey) -> tuple[Entry, ...]:
    """All entries of one execution date, oldest first."""
    found = ports.joblog.query(rows.pk(pipeline_id), rows.job_prefix(key.schedule_id, key.date))
    return tuple(entry for row in found if (entry := Entry.of_row(row)) is not None)


def append(ports: Ports, pipeline_id: str, entry: Entry) -> None:
    """Append an entry; on a collision it takes the next millisecond.

    An entry with the same event, attempt and cause is the same one: appending it again, with the
    same ``at``, does nothing.

    Raises:
        TransientError: there is no room within a second after ``at``.
    """
    row = entry.row(pipeline_id)
    for step in range(_ROOM):
        row["SK"] = rows.job(entry.key.schedule_id, entry.key.date, millis(entry.at) + step)
        write = ports.joblog.put(row, expect=ABSENT)
        if write.done or (write.row is not None and _is_same(write.row, row)):
            return
    raise TransientError(f"the job log of {pipeline_id} {entry.key.date} is full at {entry.at}")


def append_once(ports: Ports, pipeline_id: str, entry: Entry) -> None:
    """Append an entry unless its attempt has one with the same event, whenever that was."""
    known = of_date(ports, pipeline_id, entry.key)
    if not any((each.event, each.attempt) == (entry.event, entry.attempt) for each in known):
        append(ports, pipeline_id, entry)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in ("event", "attempt", "cause", "writer"))
