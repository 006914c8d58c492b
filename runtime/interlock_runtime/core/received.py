"""An event as its consumers get it: read as far as it can be read, since showing it raw is better than losing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_runtime.core.names import digest
from interlock_runtime.core.timestamps import parse_timestamp
from interlock_runtime.core.wording import shown

#: The type of an event that does not say what it is, and the pipeline of one that does not say whose it is.
UNREADABLE = "UNREADABLE"
UNKNOWN_PIPELINE = "UNKNOWN"

#: These become parts of keys, which DynamoDB limits. EventBridge allows 128 characters for a type.
_LONGEST_TYPE = 128
_LONGEST_PIPELINE = 256
_LONGEST_PART = 64


@dataclass(frozen=True, kw_only=True)
class ReceivedEvent:
    """What a consumer knows of an event, whoever published it.

    ``date``, ``schedule_id`` and ``attempt`` are None for an event about none. ``published_at``
    is None when the event does not tell. ``dedupe_key`` is the same for every delivery of the
    event. ``problem`` says what could not be read; then ``raw`` is the whole event as text.
    """

    type: str
    pipeline_id: str
    schedule_id: str | None
    date: str | None
    message: str
    detail: Mapping[str, Any]
    attempt: int | None
    published_at: datetime | None
    correlation_id: str | None
    dedupe_key: str
    problem: str | None = None
    raw: str | None = None

    @property
    def subject(self) -> dict[str, Any]:
        """What log lines about the event name, as keyword arguments."""
        return {
            "event_type": self.type,
            "pipeline": self.pipeline_id,
            "schedule": self.schedule_id,
            "date": self.date,
            "attempt": self.attempt,
            "correlation_id": self.correlation_id,
        }

    @classmethod
    def of(cls, event: Any) -> ReceivedEvent:
        """Read an event in the form in which EventBridge delivers it."""
        text = _well_formed(json.dumps(event, ensure_ascii=False, sort_keys=True, default=str))
        problems: list[str] = []
        envelope = _Reading.of(json.loads(text), "the event", problems)
        payload = envelope.part("detail")
        detail = payload.part("detail", optional=True)
        kind = envelope.name("detail-type", longest=_LONGEST_TYPE) or UNREADABLE
        message = payload.text("message") or ""
        if kind == "INFRA_ALARM":
            message = _alarm_message(detail.values) or message
        known: dict[str, Any] = {
            "pipeline_id": payload.name("pipelineId", longest=_LONGEST_PIPELINE) or UNKNOWN_PIPELINE,
            "schedule_id": payload.text("scheduleId", longest=_LONGEST_PART),
            "date": payload.text("date", longest=_LONGEST_PART),
            "attempt": payload.whole_number("attempt"),
            "correlation_id": payload.text("correlationId"),
            "published_at": payload.instant("timestamp") or envelope.instant("time"),
            "dedupe_key": payload.text("dedupeKey") or envelope.text("id") or _key_of(text),
        }
        return cls(
            type=kind,
            message=message,
            detail=detail.values,
            problem="; ".join(problems) or None,
            raw=text if problems else None,
            **known,
        )

    @classmethod
    def parse(cls, text: str) -> ReceivedEvent:
        """Read an event from its JSON text; what is no JSON is an event of which nothing is known but the text."""
        try:
            return cls.of(json.loads(text))
        except (ValueError, RecursionError) as error:
            problem = f"the event is not JSON: {error}" if isinstance(error, ValueError) else "it is nested too deeply"
        text = _well_formed(text)
        return cls(
            type=UNREADABLE,
            pipeline_id=UNKNOWN_PIPELINE,
            schedule_id=None,
            date=None,
            message="",
            detail={},
            attempt=None,
            published_at=None,
            correlation_id=None,
            dedupe_key=_key_of(text),
            problem=problem,
            raw=text,
        )


@dataclass(frozen=True)
class _Reading:
    """A map, or what stands in for one that cannot be read; ``problems`` grows as values turn out wrong."""

    values: Mapping[str, Any]
    problems: list[str]
    is_readable: bool

    @classmethod
    def of(cls, value: Any, name: str, problems: list[str]) -> _Reading:
        if isinstance(value, Mapping):
            return cls(value, problems, True)
        problems.append(f"{name} is {shown(value)}, expected a map")
        return cls({}, problems, False)

    def part(self, name: str, *, optional: bool = False) -> _Reading:
        """The map under ``name``."""
        value = self.values.get(name)
        if not self.is_readable or (optional and value is None):
            return _Reading({}, self.problems, False)
        return _Reading.of(value, name, self.problems)

    def name(self, name: str, *, longest: int) -> str | None:
        """A text that must be there, neither empty nor longer than ``longest``."""
        found = self.text(name, longest=longest)
        if found is None and self.is_readable and self.values.get(name) in (None, ""):
            self.problems.append(f"{name} is missing")
        return found

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """A text, or None; an empty one says nothing, either."""
        value = self.values.get(name)
        if value is None or (isinstance(value, str) and (longest is None or len(value) <= longest)):
            return value or None
        expected = "a text" if longest is None else f"a text of at most {longest} characters"
        self.problems.append(f"{name} is {shown(value)}, expected {expected}")
        return None

    def instant(self, name: str) -> datetime | None:
        """A time, or None."""
        return parse_timestamp(self.values.get(name))

    def whole_number(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.problems.append(f"{name} is {shown(value)}, expected a whole number")
        return None


def _alarm_message(detail: Mapping[str, Any]) -> str | None:
    """``<alarm>: <state> — <reason>``: the rule of an alarm passes on its parts, since it cannot compose a text."""
    name, state, reason = (detail.get(each) for each in ("alarmName", "state", "reason"))
    return f"{name}: {state} — {reason}" if name and state else None


def _key_of(text: str) -> str:
    """The key of an event that has none."""
    return f"sha256:{digest(text)}"


def _well_formed(text: str) -> str:
    """``text`` as UTF-8 can hold it: JSON can spell halves of characters, which no table and no message takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
