"""The document classes as a schema of pydantic-core, which validates them.

Only ``pydantic_core`` is used here: importing pydantic itself takes longer than reading a
pipeline. :mod:`interlock_tf.documents.editor_schema` makes the JSON Schema for editors from the same schema.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from datetime import timedelta
from functools import lru_cache
from typing import Any

from pydantic_core import CoreSchema, PydanticCustomError, SchemaValidator, core_schema

from interlock_runtime.core.scalars import Between, Length, Text
from interlock_tf.documents.shapes import DocumentField, Shape, document_fields


@lru_cache(maxsize=8)
def validator(kind: type) -> SchemaValidator:
    """Validates JSON text into instances of a document class; call it with ``strict=True``."""
    return SchemaValidator(document_schema(kind))


def document_schema(kind: type) -> CoreSchema:
    """A document class and every class below it; unknown keys are refused."""
    definitions: dict[str, CoreSchema] = {}
    root = _document(kind, definitions)
    return core_schema.definitions_schema(root, list(definitions.values()))


def _document(kind: type, definitions: dict[str, CoreSchema]) -> CoreSchema:
    name = kind.__name__
    if name not in definitions:
        fields = document_fields(kind).values()
        arguments = core_schema.dataclass_args_schema(name, [_field(field, definitions) for field in fields])
        definitions[name] = core_schema.dataclass_schema(
            kind,
            arguments,
            [field.definition.name for field in fields],
            config=core_schema.CoreConfig(extra_fields_behavior="forbid"),
            ref=name,
        )
    return core_schema.definition_reference_schema(name)


def _field(field: DocumentField, definitions: dict[str, CoreSchema]) -> core_schema.DataclassField:
    schema = _value(field.shape, definitions)
    if field.definition.default is not MISSING:
        schema = core_schema.with_default_schema(schema, default=field.definition.default)
    elif field.definition.default_factory is not MISSING:
        schema = core_schema.with_default_schema(schema, default_factory=field.definition.default_factory)
    return core_schema.dataclass_field(
        field.definition.name, schema, kw_only=True, validation_alias=field.key, metadata={"others": field.others}
    )


def _value(shape: Shape, definitions: dict[str, CoreSchema]) -> CoreSchema:
    schema = _present(shape, definitions)
    return core_schema.nullable_schema(schema) if shape.optional else schema


def _present(shape: Shape, definitions: dict[str, CoreSchema]) -> CoreSchema:
    """A value that is not null."""
    if text := shape.note(Text):
        between = shape.note(Between)
        metadata = {"text": text, "between": between, "expected": shape.expected}
        return core_schema.no_info_plain_validator_function(_parser(text, between), metadata=metadata)
    if shape.document:
        return _document(shape.document, definitions)
    if shape.tagged:
        choices = {tag: _document(kind, definitions) for tag, kind in shape.tagged.items()}
        return core_schema.tagged_union_schema(dict(choices), "type")
    if shape.choices:
        return core_schema.literal_schema(list(shape.choices))
    if shape.item:
        return _list(_value(shape.item, definitions), shape.note(Length) or Length())
    if shape.values:
        return core_schema.dict_schema(core_schema.str_schema(), _value(shape.values, definitions))
    if len(shape.kinds) > 1:
        members = [_present(Shape((kind,)), definitions) for kind in shape.kinds]
        return core_schema.union_schema(list(members), custom_error_type="alternatives", custom_error_message="none")
    return _scalar(shape)


def _scalar(shape: Shape) -> CoreSchema:
    kind, bounds, length = shape.kinds[0], shape.note(Between) or Between(), shape.note(Length) or Length()
    if kind is str:
        return core_schema.str_schema(min_length=length.at_least or None)
    if kind is bool:
        return core_schema.bool_schema()
    if kind is int:
        return core_schema.int_schema(ge=_whole(bounds.at_least), le=_whole(bounds.at_most))
    if kind is float:
        return core_schema.float_schema(ge=bounds.at_least, le=bounds.at_most, allow_inf_nan=False)
    if kind is Any:
        return core_schema.any_schema()
    raise TypeError(f"no schema for {kind!r}; teach it to interlock_tf.documents.schema")


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _list(item: CoreSchema, length: Length) -> CoreSchema:
    entries = core_schema.tuple_variable_schema(item, min_length=length.at_least or None)
    if not length.unique:
        return entries
    return core_schema.no_info_after_validator_function(_without_duplicates, entries, metadata={"unique": True})


def _without_duplicates(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    seen = set()
    for index, entry in enumerate(entries):
        if entry in seen:
            raise PydanticCustomError("duplicate", "{entry} is listed twice", {"entry": str(entry), "index": index})
        seen.add(entry)
    return entries


def _parser(text: Text, between: Between | None) -> Callable[[Any], Any]:
    """Parses a scalar with a format of its own; bounds are seconds."""

    def parse(value: Any) -> Any:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not isinstance(value, str) and not (text.numbers and number):
            raise ValueError
        parsed = text.parse(value)
        if between is not None and not _within(parsed, between):
            raise ValueError
        return parsed

    return parse


def _within(duration: timedelta, between: Between) -> bool:
    low, high = between.at_least, between.at_most
    seconds = duration.total_seconds()
    return (low is None or seconds >= low) and (high is None or seconds <= high)
