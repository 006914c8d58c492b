"""EventBridge's ``cron(…)`` expressions, as far as a five-field cron can say the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from interlock_runtime.core.cron import Cron
from interlock_tf.local.terraform_json import StackError

_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \*\)")
_NUMBER = re.compile(r"\d+")
#: ``5/10`` of EventBridge: every tenth from the fifth on.
_FROM = re.compile(r"(?<![-\w])(\d+)/")


def fires_after(expression: str, zone: str, address: str) -> Callable[[datetime], datetime | None]:
    """What tells the first time after an instant at which the expression fires in a time zone.

    Raises:
        StackError: it is not understood here.
    """
    match = _CRON.fullmatch(expression)
    if match is None or (match[3] == "?") == (match[5] == "?"):
        raise StackError(f"{address}: the schedule {expression!r} is not understood here")
    minutes, hours, days, months = (
        _FROM.sub(rf"\g<1>-{highest}/", field)
        for field, highest in zip(match.groups()[:4], (59, 23, 31, 12), strict=True)
    )
    weekdays = match[5]
    # EventBridge counts Sunday as 1, cron as 0; names are the same in both.
    weekdays = _NUMBER.sub(lambda number: str(int(number[0]) - 1), weekdays)
    try:
        cron = Cron.parse(f"{minutes} {hours} {days} {months} {weekdays}".replace("?", "*"))
    except ValueError as error:
        raise StackError(f"{address}: the schedule {expression!r}: {error}") from None
    return lambda now: cron.next(now, ZoneInfo(zone))
