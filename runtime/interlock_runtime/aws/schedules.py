"""One-time schedules of EventBridge Scheduler: each invokes one function once, and is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime.aws.calls import ask

#: For a day, and as many attempts as Scheduler makes in it: a late bell is better than none.
_RETRY_POLICY = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}

_SECOND = timedelta(seconds=1)


class Schedules:
    """Makes and deletes the schedules of one group. ``client`` gives a Scheduler client when one is needed.

    Scheduler invokes ``function_arn`` with ``role_arn``, and with the same role sends to
    ``dead_letters_arn`` what it could not deliver.
    """

    def __init__(
        self, group: str, *, function_arn: str, role_arn: str, dead_letters_arn: str, client: Callable[[], Any]
    ) -> None:
        self._group = group
        self._target = {
            "Arn": function_arn,
            "RoleArn": role_arn,
            "DeadLetterConfig": {"Arn": dead_letters_arn},
            "RetryPolicy": _RETRY_POLICY,
        }
        self._client = client

    def create(self, name: str, *, at: datetime, message: Mapping[str, Any]) -> bool:
        """Have the function invoked with ``message`` once, at the aware instant ``at`` or within a minute after.

        True when the schedule was made, False when one of that name exists already.

        Raises:
            PermanentError: Scheduler refuses the schedule, the role or the group.
            TransientError: whether it was made is unknown.
        """
        answer = ask(
            self._client(),
            "create_schedule",
            unless=("ConflictException",),
            GroupName=self._group,
            Name=name,
            ScheduleExpression=f"at({_not_before(at):%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={**self._target, "Input": json.dumps(message, separators=(",", ":"))},
        )
        return answer is not None

    def delete(self, name: str) -> None:
        """Delete a schedule; one that does not exist, or has fired, is as good as deleted.

        Raises:
            PermanentError: Scheduler refuses.
            TransientError: whether it was deleted is unknown.
        """
        ask(
            self._client(),
            "delete_schedule",
            unless=("ResourceNotFoundException",),
            GroupName=self._group,
            Name=name,
        )


def _not_before(at: datetime) -> datetime:
    """``at`` in UTC, rounded up to the second, which is the finest that Scheduler takes."""
    utc = at.astimezone(UTC)
    whole = utc.replace(microsecond=0)
    return whole if whole == utc else whole + _SECOND
