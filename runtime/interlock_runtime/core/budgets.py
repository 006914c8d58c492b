"""How often a date may run again, and how often it has.

The rerun table records; each rerun counts against the budget of its reason. Retries after a
failed job, reruns for drift and late data together, and reruns on request have one each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.run import Reason

_DRIFT = frozenset({Reason.DATA_DRIFT, Reason.LATE_DATA})
#: Reasons that Interlock itself gives, and that no request may borrow.
_OWN = frozenset({Reason.JOB_FAIL_RETRY, Reason.SENSOR_AFTER_TRIGGER_EXHAUSTED})


@dataclass(frozen=True)
class Rerun:
    """One rerun on record."""

    reason: str
    cause: str


@dataclass(frozen=True)
class Budget:
    """How many reruns of a kind are allowed, and how many there were."""

    name: str
    allowed: int
    used: int

    @property
    def is_spent(self) -> bool:
        """Whether none is left."""
        return self.used >= self.allowed

    def __str__(self) -> str:
        return f"{self.used} of {self.name} {self.allowed} used"


def reruns(found: Iterable[Mapping[str, Any]]) -> tuple[Rerun, ...]:
    """The reruns in rows of the rerun table, in their order."""
    return tuple(Rerun(str(row.get("reason")), str(row.get("cause"))) for row in found)


def requested_reason(reason: object) -> str:
    """The reason of a request as it is recorded: ``manual`` when there is none, or one of Interlock's own."""
    return reason if isinstance(reason, str) and reason and reason not in _OWN else Reason.MANUAL


def of_retries(pipeline: Pipeline, category: str | None, past: Iterable[Rerun]) -> Budget:
    """The budget of retries for a failure of this category."""
    used = sum(rerun.reason == Reason.JOB_FAIL_RETRY for rerun in past)
    return retry_budget(pipeline, category, used=used)


def retry_budget(pipeline: Pipeline, category: str | None, *, used: int) -> Budget:
    """As :func:`of_retries`, when the number of retries is known from elsewhere."""
    if category == "PERMANENT":
        return Budget("maxCodeRetries", pipeline.job.max_code_retries, used)
    return Budget("maxRetries", pipeline.job.max_retries, used)


def of_requests(pipeline: Pipeline, reason: str, past: Iterable[Rerun]) -> Budget:
    """The budget that a request with this reason draws on."""
    past = tuple(past)
    if reason in _DRIFT:
        used = sum(rerun.reason in _DRIFT for rerun in past)
        return Budget("maxDriftReruns", pipeline.job.max_drift_reruns, used)
    used = sum(rerun.reason not in _DRIFT | _OWN for rerun in past)
    return Budget("maxManualReruns", pipeline.job.max_manual_reruns, used)
