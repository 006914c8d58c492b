"""The JSON Schema of pipeline and calendar files, for editors.

pydantic writes it from the very schema that validates (:mod:`interlock_tf.documents.schema`). The
result is part of the package, since importing pydantic takes longer than everything else that
the command line does; ``python -m interlock_tf.documents.editor_schema`` writes it anew.

An editor sees a document before its placeholders are filled in, so that a placeholder is allowed
wherever a scalar is.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from interlock_runtime.core.documents import Calendar, Pipeline, Schedule
from interlock_runtime.core.scalars import Between, Text, format_duration
from interlock_tf.documents.schema import document_schema

#: The files of the package, and the document class that each describes.
FILES: Mapping[str, type] = {"pipeline.schema.json": Pipeline, "calendar.schema.json": Calendar}

_PLACEHOLDER = r"\$\{[a-z][a-z0-9_]*\}"


def editor_schema(kind: type) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the files that hold a document of the class ``kind``."""
    schema = _EditorSchema().generate(document_schema(kind), mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.__name__, **schema}


def written(schema: Mapping[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


class _EditorSchema(GenerateJsonSchema):
    """Knows what pydantic does not: our scalars, other spellings of keys, private keys, placeholders."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        metadata = schema["metadata"]
        text: Text = metadata["text"]
        found: JsonSchemaValue = {"type": "string", "description": "Expected: " + metadata["expected"] + "."}
        if text.pattern:
            found["pattern"] = f"{text.pattern}|{_PLACEHOLDER}"
        if not text.numbers:
            return found
        bounds: Between = metadata["between"] or Between()
        number = {"type": "number", "minimum": bounds.at_least, "maximum": bounds.at_most}
        return {"anyOf": [found, {key: value for key, value in number.items() if value is not None}]}

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        unique = {"uniqueItems": True} if schema.get("metadata", {}).get("unique") else {}
        return {**super().function_after_schema(schema), **unique}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return _or_placeholder(super().int_schema(schema))

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return _or_placeholder(super().float_schema(schema))

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return _or_placeholder(super().bool_schema(schema))

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        found = super().literal_schema(schema)
        return found if "const" in found else _or_placeholder(found)

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return dft.key if isinstance(dft, ZoneInfo) else super().encode_default(dft)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        found = super().dataclass_schema(schema)
        arguments = cast(core_schema.DataclassArgsSchema, schema["schema"])
        for field in arguments["fields"]:
            _spell(found, str(field["validation_alias"]), field["metadata"]["others"])
        if schema["cls"] is Schedule:
            found["properties"]["calendar"] = {"type": "string", "description": "The same as exclude.calendar."}
        found["description"] = inspect.cleandoc(schema["cls"].__doc__ or "")
        return {**found, "additionalProperties": False, "patternProperties": {"^x-": True}}


def _spell(schema: JsonSchemaValue, key: str, others: tuple[str, ...]) -> None:
    """Allow other spellings of a key, and where it is required any one of them."""
    for other in others:
        schema["properties"][other] = {**schema["properties"][key], "description": f"Another spelling of {key}."}
    if others and key in schema.get("required", ()):
        schema["required"].remove(key)
        schema.setdefault("allOf", []).append({"anyOf": [{"required": [each]} for each in (key, *others)]})


def _or_placeholder(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, {"type": "string", "pattern": f"^{_PLACEHOLDER}$"}]}


def main() -> None:
    """Write the schema files of the package anew."""
    for name, kind in FILES.items():
        Path(__file__).parents[1].joinpath(name).write_text(written(editor_schema(kind)), encoding="utf-8")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
