"""What an annotation of a document class admits, taken apart once.

The classes of :mod:`interlock_runtime.core.documents` are the only description of a document. The
validator, the JSON Schema and the messages for people are all derived from them through here.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from interlock_runtime.core.reader import annotated_fields
from interlock_runtime.core.scalars import Between, Length, Spelled, Text, format_duration

N = TypeVar("N")


@dataclass(frozen=True)
class Shape:
    """An annotation: its alternatives without None, its notes, and whether None is allowed."""

    kinds: tuple[Any, ...]
    notes: tuple[Any, ...] = ()
    optional: bool = False

    def note(self, kind: type[N]) -> N | None:
        """The note of a class (``Text``, ``Between``, ``Length``, ``Spelled``), if there is one."""
        return next((note for note in self.notes if isinstance(note, kind)), None)

    @cached_property
    def document(self) -> type | None:
        """The document class, when it is one."""
        kind = self.kinds[0]
        return kind if len(self.kinds) == 1 and isinstance(kind, type) and is_dataclass(kind) else None

    @cached_property
    def tagged(self) -> Mapping[str, type]:
        """The document classes that a key ``type`` tells apart, by its values; empty when it is no such union."""
        if len(self.kinds) < 2 or not all(map(is_dataclass, self.kinds)):
            return {}
        return {document_fields(kind)["type"].shape.choices[0]: kind for kind in self.kinds}

    @cached_property
    def item(self) -> Shape | None:
        """The entries of a list, when it is one."""
        return shape(get_args(self.kinds[0])[0]) if self._is_only(tuple) else None

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The values of a ``Literal``."""
        return get_args(self.kinds[0]) if self._is_only(Literal) else ()

    @cached_property
    def values(self) -> Shape | None:
        """The values of a map with free keys, when it is one."""
        return shape(get_args(self.kinds[0])[1]) if self._is_only(Mapping) else None

    @cached_property
    def expected(self) -> str:
        """What may stand there, completing the sentence "expected …"."""
        if self.tagged:
            return "a map with the key type"
        text = self.note(Text)
        words = text.expected if text else " or ".join(map(_words, self.kinds))
        if self.choices:
            words = "one of " + ", ".join(self.choices)
        if between := self.note(Between):
            words += _bounds(between, of_time=text is not None)
        if (length := self.note(Length)) and length.at_least:
            words += " that is not empty"
        return words

    def _is_only(self, kind: Any) -> bool:
        return len(self.kinds) == 1 and get_origin(self.kinds[0]) is kind


#: What is not described: free values, and those of unknown keys.
ANYTHING = Shape((Any,))


@dataclass(frozen=True)
class DocumentField:
    """A field of a document class: its attribute, its key, other accepted spellings, and what it holds."""

    definition: Field[Any]
    key: str
    others: tuple[str, ...]
    shape: Shape
    required: bool


@lru_cache(maxsize=256)
def shape(annotation: Any) -> Shape:
    """Take an annotation apart."""
    if get_origin(annotation) is Annotated:
        inner = shape(get_args(annotation)[0])
        return Shape(inner.kinds, (*inner.notes, *annotation.__metadata__), inner.optional)
    if get_origin(annotation) not in (Union, types.UnionType):
        return Shape((annotation,))
    members = [member for member in get_args(annotation) if member is not type(None)]
    optional = len(members) < len(get_args(annotation))
    if len(members) == 1:
        inner = shape(members[0])
        return Shape(inner.kinds, inner.notes, optional or inner.optional)
    return Shape(tuple(members), optional=optional)


@lru_cache(maxsize=128)
def document_fields(kind: type) -> Mapping[str, DocumentField]:
    """The fields of a document class by key."""
    definitions = {item.name: item for item in fields(kind)}
    found = {}
    for name, key, annotation, required in annotated_fields(kind):
        taken_apart = shape(annotation)
        spelled = taken_apart.note(Spelled)
        others = spelled.others if spelled else ()
        found[key] = DocumentField(definitions[name], key, others, taken_apart, required)
    return found


def _words(kind: Any) -> str:
    if isinstance(kind, type) and is_dataclass(kind):
        return "a map with the keys " + ", ".join(document_fields(kind))
    return _WORDS.get(get_origin(kind) or kind, "a value")


_WORDS: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
    Mapping: "a map",
}


def _bounds(between: Between, *, of_time: bool) -> str:
    low, high = (
        None if bound is None else format_duration(timedelta(seconds=bound)) if of_time else f"{bound:g}"
        for bound in (between.at_least, between.at_most)
    )
    if low is None or high is None:
        return f", at most {high}" if low is None else f", at least {low}"
    return f", {low} to {high}"
