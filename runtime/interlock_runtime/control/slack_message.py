"""An alert as Slack shows it: what happened to what, in how many words there is room for.

Every part has room of its own, so that a long message cannot push out the hint of what to do.
Lengths are in UTF-16 units, the way of counting that comes out longest. All parts together stay
well below the 12,000 or so at which Slack refuses a message as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interlock_runtime.core.events import EVENT_TYPES, Severity
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.slack import Message

MARKS: Mapping[Severity, str] = {
    Severity.INFO: "ℹ️",
    Severity.NOTICE: "🔔",
    Severity.WARNING: "⚠️",
    Severity.CRITICAL: "🚨",
}

#: What of an event's detail is shown as a field, by its label. The last four are an alarm's.
FIELDS: Mapping[str, str] = {
    "Deadline": "deadline",
    "Status": "status",
    "Source": "source",
    "Cron": "cron",
    "State": "state",
    "Region": "region",
    "Account": "account",
    "Time": "time",
}

#: Slack's own limits.
_HEADER, _SECTION = 150, 3000
#: Ours: ten fields may have 2,000 each in Slack, which together would be too much.
_FIELD, _HINT, _RAW = 300, 1000, 2000
#: In the text that notifications show, and that stands for the blocks where they cannot be shown.
_TEXT_MESSAGE, _TEXT_HINT = 1000, 300

#: Stands where something was cut out.
_GAP = " […] "

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def severity_of(event: ReceivedEvent) -> Severity:
    """How loudly an event is told; one of an unknown type is a warning."""
    known = EVENT_TYPES.get(event.type)
    return known.severity if known else Severity.WARNING


def body_of(event: ReceivedEvent) -> str:
    """What is to be told, as plain text of any length."""
    known = EVENT_TYPES.get(event.type)
    parts = [event.message] if event.message.strip() else []
    if event.problem:
        parts.append(f"This event is not as Interlock publishes it: {event.problem}")
    return "\n".join(parts) or (known.meaning if known else event.type)


def compose(event: ReceivedEvent) -> Message:
    """The message about an event."""
    title = " · ".join(part for part in (event.type, event.pipeline_id, event.date) if part)
    title = fitted(f"{MARKS[severity_of(event)]} {title}", _HEADER, escape=False)
    body, hint, fields = body_of(event), event.detail.get("actionHint"), dict(_fields(event.detail))
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}},
        _section(fitted(body, _SECTION)),
    ]
    text = [f"*{fitted(title, 2 * _HEADER)}*", fitted(body, _TEXT_MESSAGE)]
    if fields:
        cells = [_mrkdwn(f"*{label}*\n{fitted(value, _FIELD)}") for label, value in fields.items()]
        blocks.append({"type": "section", "fields": cells})
        text.append(", ".join(f"{label}: {fitted(value, _FIELD // 4)}" for label, value in fields.items()))
    if hint:
        blocks.append(_section(f"*What to do:* {fitted(_shown(hint), _HINT)}"))
        text.append(f"What to do: {fitted(_shown(hint), _TEXT_HINT)}")
    if event.raw:
        code = fitted(event.raw.replace("```", "'''"), _RAW)
        blocks.append(_section(f"```{code}```"))
    return Message(text="\n".join(text), blocks=blocks)


def fitted(text: str, limit: int, *, escape: bool = True) -> str:
    """``text`` in at most ``limit`` UTF-16 units, escaped as mrkdwn wants it.

    What is too long loses its middle: a message begins with what happened, and an error often
    ends with why.
    """
    whole = text.translate(_ESCAPED) if escape else text
    if _units(whole) <= limit:
        return whole
    room = limit - _units(_GAP)
    pieces = (each.translate(_ESCAPED) if escape else each for each in text)
    backwards = (each.translate(_ESCAPED) if escape else each for each in reversed(text))
    head = list(_taken(pieces, room - room // 3))
    tail = list(_taken(backwards, room // 3))
    return "".join(head) + _GAP + "".join(reversed(tail))


def _fields(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, name in FIELDS.items():
        if detail.get(name) not in (None, ""):
            yield label, _shown(detail[name])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    # Verbatim: a name of a person or a channel in an event calls nobody.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _taken(pieces: Iterable[str], limit: int) -> Iterator[str]:
    """As many pieces as there is room for."""
    for piece in pieces:
        limit -= _units(piece)
        if limit < 0:
            return
        yield piece


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
