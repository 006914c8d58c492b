"""How the scalars of a document are spelled, and what they become.

The types of :mod:`interlock_runtime.core.documents` carry these as ``Annotated`` metadata.
Whoever reads a document (the small reader in Lambda, the validator at synth, the JSON Schema)
takes the rule from here, so that a bound or a spelling is written once.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from interlock_runtime.core.cron import Cron


@dataclass(frozen=True)
class Between:
    """Inclusive bounds of a number; ``None`` leaves that side open."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Length:
    """How many entries a list has, or characters a string."""

    at_least: int = 0
    unique: bool = False


@dataclass(frozen=True)
class Spelled:
    """Other spellings of a key that are accepted and stored under the key's own name."""

    others: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A scalar with a format of its own.

    ``parse`` takes what YAML gave and returns the value, or raises ``ValueError``; ``expected``
    completes the sentence "expected …"; ``pattern`` is the format for JSON Schema, as far as a
    regular expression can tell it. ``numbers`` admits YAML numbers besides strings.
    """

    parse: Callable[[Any], Any]
    expected: str
    pattern: str | None = None
    numbers: bool = False


class Mode(StrEnum):
    """Whether every rule must pass, or one is enough."""

    ALL = "ALL"
    ANY = "ANY"


class Weekday(StrEnum):
    """The days of the week, in the order of ``date.weekday()``."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @classmethod
    def of(cls, day: date) -> Weekday:
        """The weekday of a calendar date."""
        return tuple(cls)[day.weekday()]


@dataclass(frozen=True, order=True)
class Deadline:
    """A wall-clock deadline: ``HH:MM``, or ``:MM`` (``hour`` is None) past the hour that follows."""

    hour: int | None
    minute: int

    def __str__(self) -> str:
        return f":{self.minute:02}" if self.hour is None else f"{self.hour:02}:{self.minute:02}"


#: The years of a date. Beyond them lie only mistakes, and the ends of what a ``datetime`` can hold.
YEARS = range(1970, 3000)

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+"
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_DURATION_WHOLE = re.compile(_DURATION, re.ASCII)
_MAX_DURATION = timedelta(days=3650)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_CLOCK_WHOLE = re.compile(_CLOCK, re.ASCII)
_MINUTE_WHOLE = re.compile(r":([0-5]\d)", re.ASCII)
#: How long a sensor key may be. With what stands before and after it, DynamoDB takes 1,024 bytes of UTF-8.
KEY_CHARACTERS = 200
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_ID_WHOLE = re.compile(_ID)


def parse_duration(text: str) -> timedelta:
    """Read a Go-style duration (``90s``, ``1h30m``, ``1.5h``) with days (``2d``) added.

    Raises:
        ValueError: it is not one, or longer than ten years.
    """
    if not isinstance(text, str) or len(text) > 64 or not _DURATION_WHOLE.fullmatch(text):
        raise ValueError("not a duration")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))
    if seconds > _MAX_DURATION.total_seconds():
        raise ValueError("longer than ten years")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration as people write it: ``1h30m``, ``90s`` becomes ``1m30s``, zero is ``0s``."""
    millis = round(duration / timedelta(milliseconds=1))
    sign, millis = ("-", -millis) if millis < 0 else ("", millis)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, millis = divmod(millis, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts) if parts else "0s"


def _seconds(value: str | int | float) -> timedelta:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not abs(value) <= _MAX_DURATION.total_seconds():
        raise ValueError("not a number of seconds within ten years")
    return timedelta(seconds=value)


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("not a date")
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(f"not in the years {YEARS[0]} to {YEARS[-1]}")
    return day


def _time(text: str) -> time:
    if not _CLOCK_WHOLE.fullmatch(text):
        raise ValueError("not a time of day")
    return time.fromisoformat(text)


def _deadline(text: str) -> Deadline:
    if match := _MINUTE_WHOLE.fullmatch(text):
        return Deadline(None, int(match[1]))
    clock = _time(text)
    return Deadline(clock.hour, clock.minute)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """The names of the tzdata package; a machine's own database may have more, such as ``localtime``."""
    return frozenset((pkgutil.get_data("tzdata", "zones") or b"").decode().split()) - {"Factory"}


@lru_cache(maxsize=1024)
def _zone(key: str) -> ZoneInfo:
    if key not in _zones():
        raise ValueError(f"{key!r} is not in the time zone database")
    try:
        zone = ZoneInfo(key)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"{key!r} is not in the time zone database") from error
    return zone


def _choice(kind: type[StrEnum], fold: Callable[[str], str]) -> Callable[[str], StrEnum]:
    return lambda text: kind(fold(text))


def _pipeline_id(text: str) -> str:
    if not _ID_WHOLE.fullmatch(text):
        raise ValueError("not a pipeline id")
    return text


def _sensor_key(text: str) -> str:
    if not 1 <= len(text) <= KEY_CHARACTERS:
        raise ValueError("not a sensor key")
    return text


def _any_case(word: str) -> str:
    return "".join(f"[{letter.lower()}{letter.upper()}]" for letter in word)


DURATION = Text(parse_duration, "a duration such as 90s, 1h30m or 2d", f"^{_DURATION}$")
SECONDS = Text(_seconds, "a number of seconds, or a duration such as 30s", f"^{_DURATION}$", numbers=True)
DATE = Text(_date, "a date such as 2026-12-25", r"^\d{4}-\d{2}-\d{2}$")
TIME = Text(_time, "a time of day such as 06:30", f"^{_CLOCK}$")
DEADLINE = Text(
    _deadline, "a time of day such as 06:30, or minutes past the hour such as :45", f"^(?:{_CLOCK}|:[0-5]\\d)$"
)
TIMEZONE = Text(_zone, "an IANA time zone such as Europe/Berlin")
CRON = Text(Cron.parse, "a five-field cron expression such as '0 6 * * 1-5'")
WEEKDAY = Text(
    _choice(Weekday, str.lower),
    "a weekday: " + ", ".join(Weekday),
    "^(?:" + "|".join(_any_case(day) for day in Weekday) + ")$",
)
MODE = Text(_choice(Mode, str.upper), "ALL or ANY", f"^(?:{_any_case('all')}|{_any_case('any')})$")
PIPELINE_ID = Text(
    _pipeline_id,
    "1 to 63 letters, digits, '.', '_' or '-', the first one a letter or digit",
    f"^{_ID}$",
)
SENSOR_KEY = Text(_sensor_key, f"1 to {KEY_CHARACTERS} characters", f"^[\\s\\S]{{1,{KEY_CHARACTERS}}}$")
