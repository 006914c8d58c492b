"""The tables of the documentation, generated from the code that they describe.

A generated table stands between two comments in a page::

    <!-- table: events -->
    | ... |
    <!-- end of table -->

``make docs`` writes all of them anew; a test fails when one is out of date. Columns
that tell what the code knows (a field's type, default, bounds) are generated; the column *meaning*
of such a table is written by hand, and kept.
"""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from interlock_runtime.core.documents import Calendar, Pipeline, Rule, TriggerCondition
from interlock_runtime.core.events import EVENT_TYPES
from interlock_runtime.core.job_documents import JobLimits
from interlock_runtime.core.reader import camel
from interlock_runtime.core.scalars import DURATION, Between, Length, Spelled, Text, format_duration
from interlock_tf.settings import Settings
from interlock_tf.variables import Variables

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end of table -->)", re.DOTALL)

Row = tuple[str, ...]

#: Makes a table of the old one, whose hand-written column it keeps.
Generator = Callable[[str], str]


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def table_names(page: str) -> set[str]:
    """The names of the generated tables in a page's text."""
    return {block["name"] for block in _BLOCK.finditer(page)}


def refreshed(page: str, generators: Mapping[str, Generator]) -> str:
    """The page's text with every table that one of ``generators`` makes written anew."""

    def written(block: re.Match[str]) -> str:
        generate = generators.get(block["name"])
        return block[1] + generate(block["body"]) + block[4] if generate else block[0]

    return _BLOCK.sub(written, page)


def _events(_: str) -> str:
    rows = (
        (f"`{event.name}`", event.severity, "yes" if event.alerts else "no", event.meaning)
        for event in EVENT_TYPES.values()
    )
    return table(("event", "severity", "alert", "meaning"), rows)


def _variables(_: str) -> str:
    hints, documented = get_type_hints(Settings), variable_docs()
    rows = (
        (f"`{item.name}`", _python(hints[item.name]), python_default(item), documented[item.name].meaning)
        for item in fields(Settings)
    )
    return table(("variable", "type", "default", "meaning"), rows)


@dataclass(frozen=True)
class VariableDoc:
    """What the docstring of a variable says; the ``default`` is ``required`` when there is none."""

    meaning: str
    default: str


def variable_docs() -> Mapping[str, VariableDoc]:
    """The docstrings of the variables, which stand below them in :class:`Variables`, by name."""
    (kind,) = ast.parse(getsource(Variables)).body
    found = {}
    for each, below in pairwise(kind.body):  # type: ignore[attr-defined] # it is a class
        if isinstance(each, ast.AnnAssign) and isinstance(below, ast.Expr):
            text = " ".join(ast.literal_eval(below.value).split())
            match = re.fullmatch(r"(?P<meaning>.+?) (?:Default: (?P<default>.+)|Required)\.", text)
            assert match, text
            found[ast.unparse(each.target)] = VariableDoc(match["meaning"], match["default"] or "required")
    return found


def _python(annotation: Any) -> str:
    """A Python type as people say it; that ``None`` is allowed shows in the default."""
    members = [member for member in _members(annotation) if member is not type(None)]
    if get_origin(members[0]) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(members[0]))
    if str in members and Path in members:
        return "path"
    return _PYTHON_WORDS.get(get_origin(members[0]) or members[0], f"`{members[0].__name__}`")


_PYTHON_WORDS: Mapping[Any, str] = {
    str: "string",
    int: "number",
    bool: "bool",
    tuple: "list of strings",
    Mapping: "mapping of strings",
}


def python_default(item: Field[Any]) -> str:
    """A variable's default as it stands in the table."""
    if item.default is not MISSING:
        return "`[]`" if item.default == () else '`""`' if item.default == "" else f"`{item.default}`"
    if item.default_factory is MISSING:
        return "required"
    value = item.default_factory()
    return "`{}`" if value == {} else f"`{type(value).__name__}()`"


def _document(kind: type, *, prefix: str = "", leave: tuple[str, ...] = ()) -> Generator:
    """A generator for the fields of a document class, nested ones included, with hand-written meanings."""

    def generate(old: str) -> str:
        meanings = column(old, "meaning")
        rows = (
            (f"`{path}`", type_, default, meanings.get(f"`{path}`", ""))
            for path, type_, default in _fields(kind, prefix)
            if path not in leave
        )
        return table(("field", "value", "default", "meaning"), rows)

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
    format_ = next((note for note in notes if isinstance(note, Text)), None)
    text = format_.expected if format_ else _plain(inner)
    for note in notes:
        if isinstance(note, Between):
            text += _bounds(note, seconds=format_ is DURATION)
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


def _bounds(bounds: Between, *, seconds: bool) -> str:
    least, most = (
        format_duration(timedelta(seconds=bound)) if seconds and bound is not None else bound
        for bound in (bounds.at_least, bounds.at_most)
    )
    return f", at least {least}" if most is None else f", {least} to {most}"


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


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def column(table: str, name: str) -> dict[str, str]:
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


#: Every table that the code alone tells, by its name.
TABLES: Mapping[str, Generator] = {
    "events": _events,
    "variables": _variables,
    "pipeline-fields": _document(Pipeline, leave=("job",)),
    "rule-fields": _document(Rule),
    "trigger-fields": _document(TriggerCondition),
    "job-fields": _document(JobLimits, prefix="job."),
    "calendar-fields": _document(Calendar),
}


def main() -> None:
    """Write every generated table anew."""
    # These need a synthesis, which takes seconds.
    import command_line  # noqa: PLC0415
    from stack_tables import STACK_TABLES  # noqa: PLC0415

    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = refreshed(old, {**TABLES, **STACK_TABLES})
        new = command_line.played(new) if page == command_line.PAGE else new
        if new != old:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
