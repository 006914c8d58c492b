"""The tables of the documentation, generated from the code that they describe.

A generated table stands between two comments in a page::

    <!-- table: events -->
    | ... |
    <!-- end of table -->

``python docs/tables.py`` writes all of them anew; a test fails when one is out of date. Columns
that tell what the code knows (a field's type, default, bounds) are generated; the column *meaning*
of such a table is written by hand, and kept.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from interlock_runtime.core.documents import Calendar, Pipeline, Rule, TriggerCondition
from interlock_runtime.core.events import EVENT_TYPES
from interlock_runtime.core.job_documents import JobLimits
from interlock_runtime.core.reader import camel
from interlock_runtime.core.scalars import Between, Length, Spelled, Text, format_duration

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end of table -->)", re.DOTALL)

Row = tuple[str, ...]


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def refreshed(page: str) -> str:
    """The page's text with every generated table written anew.

    Raises:
        KeyError: a table that nobody generates.
    """
    return _BLOCK.sub(lambda block: block[1] + TABLES[block["name"]](block["body"]) + block[4], page)


def _events(_: str) -> str:
    rows = (
        (f"`{event.name}`", event.severity, "yes" if event.alerts else "no", event.meaning)
        for event in EVENT_TYPES.values()
    )
    return _table(("event", "severity", "alert", "meaning"), rows)


def _document(kind: type, *, prefix: str = "", leave: tuple[str, ...] = ()) -> Callable[[str], str]:
    """A generator for the fields of a document class, nested ones included, with hand-written meanings."""

    def generate(old: str) -> str:
        meanings = _column(old, "meaning")
        rows = (
            (f"`{path}`", type_, default, meanings.get(f"`{path}`", ""))
            for path, type_, default in _fields(kind, prefix)
            if path not in leave
        )
        return _table(("field", "value", "default", "meaning"), rows)

    return generate


def _fields(kind: type, prefix: str) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(kind, include_extras=True)
    for item in fields(kind):
        path = prefix + camel(item.name)
        annotation = hints[item.name]
        nested = _nested(annotation)
        if nested is not None:
            yield from _fields(nested, path + ".")
        else:
            yield path, _value(annotation), _default(item)


def _nested(annotation: Any) -> type | None:
    """The document class that a field holds, unless it is a class with a table of its own."""
    members = [member for member in _members(annotation) if member is not type(None)]
    if len(members) == 1 and isinstance(members[0], type) and is_dataclass(members[0]):
        return None if members[0] is TriggerCondition else members[0]
    return None


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _value(annotation: Any) -> str:
    """What may stand there, in words."""
    notes = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    inner = get_args(annotation)[0] if notes else annotation
    text = next((note.expected for note in notes if isinstance(note, Text)), None) or _plain(inner)
    for note in notes:
        if isinstance(note, Between):
            text += _bounds(note)
        elif isinstance(note, Length):
            text += (", not empty" if note.at_least else "") + (", no duplicates" if note.unique else "")
        elif isinstance(note, Spelled):
            text += " (also spelled " + ", ".join(f"`{other}`" for other in note.others) + ")"
    return text


def _plain(annotation: Any) -> str:
    members = [member for member in _members(annotation) if member is not type(None)]
    if len(members) > 1:
        return "one of the job types" if all(map(is_dataclass, members)) else " or ".join(map(_value, members))
    kind = members[0]
    if get_origin(kind) is Annotated:
        return _value(kind)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return "list of: " + _value(get_args(kind)[0])
    return _WORDS.get(kind, "a map")


_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Any: "any value",
    Rule: "a rule",
    TriggerCondition: "a trigger condition",
}


def _bounds(bounds: Between) -> str:
    if bounds.at_most is None:
        return f", at least {bounds.at_least}"
    return f", {bounds.at_least} to {bounds.at_most}"


def _default(item: Field[Any]) -> str:
    if item.default is MISSING:
        return "required" if item.default_factory is MISSING else "none"
    value = item.default
    match value:
        case None | ():
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{format_duration(value)}`"
        case ZoneInfo():
            return f"`{value.key}`"
        case Enum():
            return f"`{value.value}`"
        case _:
            return f"`{value}`"


def _table(head: Row, rows: Iterator[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _column(table: str, name: str) -> dict[str, str]:
    """One column of a Markdown table by the cells of its first column."""
    lines = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    if not lines or name not in lines[0]:
        return {}
    index = lines[0].index(name)
    return {line[0]: line[index] for line in lines[2:]}


#: Every generated table by its name. A generator gets the old table, to keep what was written by hand.
TABLES: Mapping[str, Callable[[str], str]] = {
    "events": _events,
    "pipeline-fields": _document(Pipeline, leave=("job",)),
    "rule-fields": _document(Rule),
    "trigger-fields": _document(TriggerCondition),
    "job-fields": _document(JobLimits, prefix="job."),
    "calendar-fields": _document(Calendar),
}


def main() -> None:
    """Write every generated table anew."""
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = refreshed(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
