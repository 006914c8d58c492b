"""What happened, in the order in which it happened, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from interlock_runtime.core.instants import rfc3339


class Kind(StrEnum):
    """What an entry is about."""

    SENSOR = "sensor"
    NOTE = "note"
    REQUEST = "request"
    TICK = "tick"
    RUN = "run"
    EVALUATION = "evaluation"
    JOB = "job"
    EVENT = "event"
    ALARM = "alarm"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened: to which pipeline and execution date, in a word, and why."""

    at: datetime
    kind: Kind
    what: str
    pipeline_id: str | None = None
    date: str | None = None
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        return {
            "at": rfc3339(self.at),
            "kind": str(self.kind),
            "pipeline": self.pipeline_id,
            "date": self.date,
            "what": self.what,
            "why": self.why,
            "detail": dict(self.detail),
        }


def text_lines(entries: Iterable[Entry], zone: tzinfo) -> Iterator[str]:
    """The entries as lines of text: a heading for each day, then time, pipeline, what, and why."""
    entries = list(entries)
    width = max((len(_subject(entry)) for entry in entries), default=0)
    words = max((len(f"{entry.kind} {entry.what}") for entry in entries), default=0)
    day = None
    for entry in entries:
        local = entry.at.astimezone(zone)
        if local.date() != day:
            yield from ([""] if day else [])
            day = local.date()
            yield f"{day:%A} {day} {local.tzname()}"
        what = f"{entry.kind} {entry.what}"
        yield f"  {local:%H:%M:%S}  {_subject(entry):{width}}  {what:{words}}  {entry.why}".rstrip()


def one_line(entry: Entry) -> str:
    """One entry as a line of text by itself; its time is in UTC."""
    return f"{rfc3339(entry.at)}  {_subject(entry)}  {entry.kind} {entry.what}  {entry.why}".rstrip()


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """The entries as JSON, one a line."""
    for entry in entries:
        yield json.dumps(entry.describe(), separators=(",", ":"), ensure_ascii=False)


def spelt(value: Any) -> str:
    """A value as JSON spells it, on one line; what cannot be printed is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def _subject(entry: Entry) -> str:
    return " ".join(part for part in (entry.pipeline_id, entry.date) if part)
