"""Names that AWS limits in length and characters, derived so that they stay unique.

A name stays readable as far as it fits. Whenever a character had to be replaced or the text had
to be cut, the name ends in a hash of the original, so that two originals never share a name.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Literal

from interlock_runtime.core.instants import millis

#: Longest name of a Step Functions execution.
EXECUTION_NAME_LENGTH = 80
#: Longest token that every job service takes (Databricks and EMR Serverless allow the least).
JOB_TOKEN_LENGTH = 64
#: Longest name of an EventBridge Scheduler schedule.
SCHEDULE_NAME_LENGTH = 64

_HASH_LENGTH = 10
_REFUSED = re.compile(r"[^A-Za-z0-9_-]")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

SlaClock = Literal["sla", "relative"]
SlaMoment = Literal["warning", "breach"]


def fit(head: str, tail: str = "", *, limit: int) -> str:
    """``head`` and ``tail`` joined, in at most ``limit`` characters of ``[A-Za-z0-9_-]``.

    Refused characters become ``_``; a text that is too long loses the end of its ``head``. In
    either case the result ends in ``-`` and a hash of the original.
    """
    original = head + tail
    if len(original) <= limit and not _REFUSED.search(original):
        return original
    mark = "-" + digest(original)[:_HASH_LENGTH]
    clean_tail = _REFUSED.sub("_", tail)
    room = max(limit - len(clean_tail) - len(mark), 0)
    return (_REFUSED.sub("_", head)[:room] + clean_tail)[: limit - len(mark)] + mark


def digest(text: str) -> str:
    """A hash of ``text`` for names and sort keys: 32 hexadecimal characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def execution_name(pipeline_id: str, schedule_id: str, date: str, attempt: int, started_at: datetime) -> str:
    """The name of a run's execution; 80 characters at most, different for every attempt and start."""
    return fit(pipeline_id, _run_tail(schedule_id, date, attempt, started_at), limit=EXECUTION_NAME_LENGTH)


def job_token(pipeline_id: str, schedule_id: str, date: str, attempt: int, started_at: datetime) -> str:
    """The token by which a job service recognises a run it was already given; 64 characters at most."""
    return fit(pipeline_id, _run_tail(schedule_id, date, attempt, started_at), limit=JOB_TOKEN_LENGTH)


def execution_arn(state_machine_arn: str, name: str) -> str:
    """The ARN of the execution called ``name``, which Step Functions derives in the same way."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


def sla_schedule_name(
    pipeline_id: str, schedule_id: str, date: str, *, clock: SlaClock, moment: SlaMoment, at: datetime
) -> str:
    """The Scheduler name of a one-time entry for an SLA's warning or breach; 64 characters at most.

    The instant ``at`` is part of it, so that a deadline that is moved gets entries of its own.
    """
    tail = f"-{schedule_id}-{date}-{clock}-{moment}-{base36(millis(at))}"
    return fit(pipeline_id, tail, limit=SCHEDULE_NAME_LENGTH)


def cron_schedule_name(prefix: str, pipeline_id: str, *, part: int = 1) -> str:
    """The Scheduler name of a pipeline's cron or include dates: ``<prefix>-<id>``; 64 characters at most.

    A cron that EventBridge needs several expressions for gets one schedule for each ``part``,
    counted from 1. Parts after the first always carry a hash, since every readable suffix could
    also be the end of another pipeline's id.
    """
    return fit(f"{prefix}-{pipeline_id}", "" if part == 1 else f"#{part}", limit=SCHEDULE_NAME_LENGTH)


def base36(number: int) -> str:
    """A whole number, zero or more, in base 36 with lower-case letters."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


def _run_tail(schedule_id: str, date: str, attempt: int, started_at: datetime) -> str:
    return f"-{schedule_id}-{date}-{attempt}-{base36(millis(started_at))}"
