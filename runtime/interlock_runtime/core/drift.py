"""Drift: the data that a run used is no longer what its sensor says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from interlock_runtime.core.documents import PostRun
from interlock_runtime.core.numbers import number, plain

#: Enough digits to subtract any two of the numbers that ``core.numbers.number`` reads, exactly.
_EXACT = Context(prec=1300)


@dataclass(frozen=True)
class Drift:
    """The field's value in the baseline and now; ``delta`` is current minus previous."""

    field: str
    previous: Decimal
    current: Decimal
    delta: Decimal
    threshold: Decimal

    def describe(self) -> dict[str, Any]:
        """The drift as JSON can hold it, for the detail of an event."""
        return {
            "field": self.field,
            "previous": plain(self.previous),
            "current": plain(self.current),
            "delta": plain(self.delta),
            "threshold": plain(self.threshold),
        }


def compare(post_run: PostRun, *, baseline: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> Drift | None:
    """The drift between the fields of a baseline and of a sensor, or None.

    There is none when there is no baseline, when the drift field is not a number in both (0 is
    one), or when they differ by no more than the threshold.
    """
    name = post_run.drift_field
    previous = None if baseline is None else number(baseline.get(name))
    current = number(fields.get(name))
    threshold = number(post_run.drift_threshold)
    if previous is None or current is None or threshold is None:
        return None
    delta = _EXACT.subtract(current, previous)
    if delta.copy_abs() <= threshold:
        return None
    return Drift(field=name, previous=previous, current=current, delta=delta, threshold=threshold)
