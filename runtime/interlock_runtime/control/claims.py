"""Claims: rows that say until when somebody is at something, so that nobody else does it meanwhile.

A claim that is neither fulfilled nor renewed in time is free for whoever comes next: its holder
has died.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.aws.tables import ABSENT
from interlock_runtime.control.ports import Table
from interlock_runtime.core.instants import millis
from interlock_runtime.core.rows import Key, Row

#: How long a claim holds: longer than a function may take, and shorter than a message waits to come again.
HOLD = timedelta(seconds=60)

#: Until when a row is claimed, in milliseconds since 1970; absent once what it was claimed for is done.
CLAIMED_UNTIL = "claimedUntil"


def take(
    table: Table, key: Key, *, over: Mapping[str, Any] | None, attributes: Mapping[str, Any], ttl: int, now: datetime
) -> Row | None:
    """Claim a row, a new one or the one that stands there, ``over``. Of several who try, one succeeds.

    ``attributes`` are written with the claim; None removes one. The answer is None on success,
    else the row of whoever was faster.
    """
    claim = {CLAIMED_UNTIL: millis(now + HOLD), **attributes}
    if over is None:
        row = {name: value for name, value in claim.items() if value is not None}
        made = table.put({"PK": key[0], "SK": key[1], **row, "ttl": ttl}, expect=ABSENT)
    else:
        made = table.update(key, claim | {"ttl": ttl}, expect={name: over.get(name) for name in claim})
    return None if made.done else made.row or {}


def is_held(row: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether somebody else is at it."""
    until = row.get(CLAIMED_UNTIL)
    return isinstance(until, int) and millis(now) < until
