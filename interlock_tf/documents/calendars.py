"""Named calendars, merged into the pipelines that refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlock_runtime.core.documents import Calendar
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.findings import Finding
from interlock_runtime.core.scalars import Weekday
from interlock_runtime.core.wording import shown
from interlock_tf.documents.placeholders import Variables
from interlock_tf.documents.source import Source, yaml_files
from interlock_tf.documents.validation import did_you_mean, nearest


@dataclass(frozen=True)
class Calendars:
    """The calendars of a directory by name.

    ``problems`` are those of their files. While there are any, a calendar that seems to be
    missing may only be unreadable.
    """

    by_name: Mapping[str, Calendar] = field(default_factory=dict)
    directory: str | None = None
    problems: tuple[Problem, ...] = ()

    def missing(self, name: str) -> str | None:
        """Why a reference to ``name`` cannot be resolved, or None when it can or will be."""
        if name in self.by_name or self.problems:
            return None
        if self.directory is None:
            return f"there is no calendar {shown(name)}: no directory of calendars was given"
        known = sorted(self.by_name)
        if not known:
            return f"there is no calendar {shown(name)}: {self.directory} holds none"
        return f"there is no calendar {shown(name)}{did_you_mean(nearest(name, known))}; there are {', '.join(known)}"


def load_calendars(directory: str | Path | None, variables: Variables) -> Calendars:
    """Read every calendar of a directory; without one there are none. Nothing is raised."""
    if directory is None:
        return Calendars()
    try:
        files = yaml_files(directory)
    except ConfigError as error:
        return Calendars(directory=str(directory), problems=error.problems)
    problems: list[Problem] = []
    sources: dict[str, Source[Calendar]] = {}
    for file in files:
        source = Source(Calendar, file, variables)
        if source.document and not source.problems:
            first = sources.setdefault(source.document.name, source)
            if first is not source:
                message = f"{shown(source.document.name)} is also the name of {first.file}; names are unique"
                source.complain(Finding(path=("name",), message=message))
        problems += source.problems
    found = {name: source.document for name, source in sources.items() if source.document}
    return Calendars(found, str(directory), tuple(problems))


def merged(data: dict[str, Any], calendar: Calendar) -> dict[str, Any]:
    """A pipeline's stored form with a calendar in its exclusions: sorted, each day and date once."""
    schedule = data["schedule"]
    exclude = schedule["exclude"]
    days = {day.lower() for day in exclude.get("days", ())} | set(calendar.days)
    dates = {*exclude.get("dates", ()), *(day.isoformat() for day in calendar.dates)}
    whole = {
        **exclude,
        **({"days": [str(day) for day in Weekday if day in days]} if days else {}),
        **({"dates": sorted(dates)} if dates else {}),
    }
    return {**data, "schedule": {**schedule, "exclude": whole}}
