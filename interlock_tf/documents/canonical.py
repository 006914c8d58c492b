"""From what people write to what is stored: one spelling, no private keys, placeholders filled in.

Defaults are not filled in, and nothing is judged but what concerns spelling: a value that is of
the wrong kind goes through, for the validator to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from interlock_runtime.core.documents import Schedule
from interlock_runtime.core.findings import Finding, Path
from interlock_tf.documents.placeholders import Scalar, Variables, fill_in, has_placeholder
from interlock_tf.documents.shapes import ANYTHING, Shape, document_fields
from interlock_tf.documents.yaml_text import MAX_PROBLEMS

#: Keys that begin so are for the author's own use, anchors for instance.
PRIVATE = "x-"

_RUN_TIME: Path = ("job", "config")


@dataclass
class Canonical:
    """A document in its stored form; ``data`` shares no map or list with what it was made of.

    ``moved`` says where in the file the values stand whose path is another one there.
    """

    data: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    moved: dict[Path, Path] = field(default_factory=dict)

    def written(self, path: Path) -> Path:
        """The path in the file of a path in the stored form."""
        for length in range(len(path), 0, -1):
            if (origin := self.moved.get(path[:length])) is not None:
                return origin + path[length:]
        return path


def canonical(kind: type, written: Mapping[str, Any], variables: Variables) -> Canonical:
    """Bring a document of the class ``kind`` into its stored form."""
    result = Canonical({})
    result.data = _Writer(result, variables).document(kind, written, ())
    return result


@dataclass
class _Writer:
    """Writes one stored form; every path is one in it."""

    result: Canonical
    variables: Variables

    def document(self, kind: type, data: Mapping[str, Any], path: Path) -> dict[str, Any]:
        fields = document_fields(kind)
        keys = {other: field.key for field in fields.values() for other in field.others}
        if kind is Schedule:
            data = self.adopt_calendar(data, path)
        found: dict[str, Any] = {}
        for name, value in data.items():
            if name.startswith(PRIVATE):
                continue
            key = keys.get(name, name)
            if key in found:
                self.complain((*path, name), f"is another spelling of {key}; keep one of them")
                continue
            if name != key:
                self.result.moved[*path, key] = (*self.result.written(path), name)
            shape = fields[key].shape if key in fields else ANYTHING
            found[key] = self.value(shape, value, (*path, key))
        return found

    def adopt_calendar(self, data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
        """``schedule.calendar`` is accepted for ``schedule.exclude.calendar``."""
        exclude = data.get("exclude", {})
        if "calendar" not in data or not isinstance(exclude, dict):
            return data
        rest = {name: value for name, value in data.items() if name != "calendar"}
        if "calendar" in exclude or "holidays" in exclude:
            self.complain((*path, "calendar"), "is another spelling of exclude.calendar; keep one of them")
            return rest
        self.result.moved[*path, "exclude", "calendar"] = (*self.result.written(path), "calendar")
        return {**rest, "exclude": {**exclude, "calendar": data["calendar"]}}

    def value(self, shape: Shape, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self.text(value, path)
        if isinstance(value, list):
            item = shape.item or ANYTHING
            return [self.value(item, each, (*path, index)) for index, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        kind = shape.document or shape.tagged.get(self.tag(value))
        return self.document(kind, value, path) if kind else self.free_map(value, path)

    def tag(self, value: Mapping[str, Any]) -> str:
        """What tells the class of a map apart from its alternatives."""
        tag = value.get("type")
        return str(fill_in(tag, self.variables)) if isinstance(tag, str) else ""

    def free_map(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """A map whose keys are the author's: headers, arguments, a body."""
        for key in value:
            if has_placeholder(key):
                self.complain((*path, key), "placeholders are filled in in values, not in keys")
        return {key: self.value(ANYTHING, each, (*path, key)) for key, each in value.items()}

    def text(self, value: str, path: Path) -> Scalar:
        return fill_in(
            value,
            self.variables,
            keep_escapes=path[:2] == _RUN_TIME,
            complain=lambda message: self.complain(path, message),
        )

    def complain(self, path: Path, message: str) -> None:
        if len(self.result.findings) <= MAX_PROBLEMS:
            self.result.findings.append(Finding(path=path, message=message))
