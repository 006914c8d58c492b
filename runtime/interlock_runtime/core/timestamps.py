"""Times as sensors write them: RFC 3339 text, or seconds or milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock_runtime.core.instants import EPOCH
from interlock_runtime.core.numbers import number

#: A smaller number counts seconds, any other milliseconds (this many milliseconds after 1970 it was 2001).
_FIRST_MILLIS = 10**12

_RFC_3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<minute>\d\d:\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)

#: Completes a sentence about a value that :func:`parse_timestamp` does not read.
EXPECTED = "an RFC 3339 time with its offset, or seconds or milliseconds since 1970"


def parse_timestamp(value: Any) -> datetime | None:
    """The instant (UTC) that ``value`` names, or None when it names none; digits below a microsecond are dropped.

    A leap second is the second that follows it.
    """
    try:
        if isinstance(value, str) and (match := _RFC_3339.fullmatch(value.strip())):
            return _rfc_3339(match)
        found = number(value)
        if found is None:
            return None
        return EPOCH + timedelta(microseconds=int(found * (10**6 if found < _FIRST_MILLIS else 10**3)))
    except (ValueError, OverflowError):
        return None


def _rfc_3339(match: re.Match[str]) -> datetime:
    leap = match["second"] == "60"
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    offset = match["offset"].upper().replace("Z", "+00:00")
    text = f"{match['day']}T{match['minute']}:{'59' if leap else match['second']}.{fraction}{offset}"
    return datetime.fromisoformat(text).astimezone(UTC) + timedelta(seconds=leap)
