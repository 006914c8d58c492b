"""The ``rate(…)`` and ``cron(…)`` expressions of EventBridge rules, as far as the watchdog may have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from interlock_runtime.core.cron import MONTHS, WEEKDAYS, Field
from interlock_runtime.core.wording import shown

#: A watchdog that looks less often tells what is missing when nobody can do anything about it.
LONGEST_RATE = timedelta(days=1)

_RATE = re.compile(r"rate\((?P<number>0|[1-9][0-9]{0,17}) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON = re.compile(r"cron\((?P<fields>[!-~]+(?: [!-~]+)*)\)")
_TERM = re.compile(r"(?:\*|(?P<first>[A-Z0-9]+)(?:-(?P<last>[A-Z0-9]+))?)(?:/(?P<step>[0-9]+))?")

_DAY = Field("day of the month", 1, 31)
_WEEKDAY = Field("day of the week", 1, 7, WEEKDAYS)
_FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    _DAY,
    Field("month", 1, 12, MONTHS),
    _WEEKDAY,
    Field("year", 1970, 2199),
)
#: What the day fields have besides: the last day or weekday, the nearest working day, the third Monday.
_OF_DAYS = {
    _DAY: re.compile(r"L(?:W|-(?P<before>[0-9]+))?|(?P<day>[0-9]+)W"),
    _WEEKDAY: re.compile(r"L|(?P<day>[A-Z0-9]+)(?:L|#[1-5])"),
}


def rate(expression: str) -> timedelta | None:
    """How long it is from one time to the next; None when it is no ``rate(…)``."""
    match = _RATE.fullmatch(expression)
    return match and timedelta(**{match["unit"] + "s": int(match["number"])})


def check_schedule(expression: str) -> None:
    """See that EventBridge takes an expression, and that a watchdog may look so seldom.

    Raises:
        ValueError: it does not, with the reason, or without when it is no such expression at all.
    """
    if match := _RATE.fullmatch(expression):
        _check_rate(int(match["number"]), match["unit"], plural=bool(match["plural"]))
    elif match := _CRON.fullmatch(expression):
        _check_cron(match["fields"].upper().split(" "))
    else:
        raise ValueError


def _check_rate(number: int, unit: str, *, plural: bool) -> None:
    if number == 0:
        raise ValueError("the shortest rate is a minute")
    if plural != (number > 1):
        raise ValueError(f"EventBridge wants rate({number} {unit}{'s' if number > 1 else ''})")
    if number > LONGEST_RATE / timedelta(**{unit + "s": 1}):
        raise ValueError("the watchdog has to look once a day at least")


def _check_cron(texts: list[str]) -> None:
    if len(texts) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        raise ValueError(f"EventBridge wants six fields ({names}), here are {len(texts)}")
    by_field = dict(zip(_FIELDS, texts, strict=True))
    if (by_field[_DAY] == "?") == (by_field[_WEEKDAY] == "?"):
        raise ValueError(f"EventBridge wants ? as the {_DAY.name} or the {_WEEKDAY.name}, and not as both")
    for field, text in by_field.items():
        if text != "?" or field not in _OF_DAYS:
            for term in text.split(","):
                _check_term(field, term)


def _check_term(field: Field, text: str) -> None:
    if field in _OF_DAYS and (match := _OF_DAYS[field].fullmatch(text)):
        numbers: Iterator[str | None] = iter(match.groupdict().values())
    elif match := _TERM.fullmatch(text):
        numbers = iter((match["first"], match["last"]))
        if match["step"] and not 1 <= int(match["step"][:5]) <= field.high:
            raise ValueError(f"{field.name}: {shown(text)} has a step that is not 1 to {field.high}")
    else:
        raise ValueError(f"{field.name}: {shown(text)} is not a value, a range or a step")
    for number in numbers:
        if number is not None:
            field.number(number)
