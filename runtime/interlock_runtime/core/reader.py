"""From the JSON of a stored pipeline row to the types of a document.

The row was validated when it was written, at synth. This reader only converts; it is small
because it runs in every cold start. It refuses what it cannot convert, and passes over keys
that it does not know, so that rows written by a newer version do not stop an older function
during a deployment.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.scalars import Text

T = TypeVar("T")

_ABSENT: Any = object()


def camel(name: str) -> str:
    """The key of a field: ``max_drift_reruns`` is ``maxDriftReruns`` in a document."""
    head, *tail = name.split("_")
    return head + "".join(word.title() for word in tail)


def read(kind: type[T], data: object) -> T:
    """Convert the JSON value ``data`` into ``kind``.

    Raises:
        ConfigError: something required is absent or cannot be converted; the path says which.
    """
    value: T = _convert(kind, data, "")
    return value


@lru_cache(maxsize=128)
def annotated_fields(kind: type) -> tuple[tuple[str, str, Any, bool], ...]:
    """The fields of a document class as (attribute, key, annotated type, required)."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (item.name, camel(item.name), hints[item.name], item.default is MISSING and item.default_factory is MISSING)
        for item in fields(kind)
    )


def _convert(kind: Any, data: Any, path: str) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *notes = get_args(kind)
        for note in notes:
            if isinstance(note, Text):
                return _parse(note, data, path)
        return _convert(inner, data, path)
    if kind is Any:
        return data
    if is_dataclass(kind):
        return _object(kind, data, path)  # type: ignore[arg-type]
    if origin in (Union, types.UnionType):
        return _union(get_args(kind), data, path)
    if origin is tuple:
        if not isinstance(data, (list, tuple)):
            raise _wrong(path, data, "a list")
        item = get_args(kind)[0]
        return tuple(_convert(item, each, f"{path}[{index}]") for index, each in enumerate(data))
    if origin is Literal:
        if data not in get_args(kind):
            raise _wrong(path, data, "one of " + ", ".join(map(str, get_args(kind))))
        return data
    return _plain(origin or kind, data, path)


def _plain(kind: Any, data: Any, path: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return data
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise _wrong(path, data, kind.__name__.lower())
    return data


def _object(kind: type, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(path, data, "a map")
    values = {}
    for name, key, annotation, required in annotated_fields(kind):
        where = f"{path}.{key}" if path else key
        value = data.get(key, _ABSENT)
        if value is not _ABSENT:
            values[name] = _convert(annotation, value, where)
        elif required:
            raise ConfigError(Problem(path=where, message="is required"))
    return kind(**values)


def _union(members: tuple[Any, ...], data: Any, path: str) -> Any:
    if data is None and type(None) in members:
        return None
    members = tuple(member for member in members if member is not type(None))
    if len(members) == 1:
        return _convert(members[0], data, path)
    if all(is_dataclass(member) for member in members):
        return _tagged(members, data, path)
    for member in members:
        try:
            return _convert(member, data, path)
        except ConfigError:
            continue
    raise _wrong(path, data, "one of the allowed types")


def _tagged(members: tuple[Any, ...], data: Any, path: str) -> Any:
    tags = _tags(members)
    tag = data.get("type") if isinstance(data, Mapping) else None
    if not isinstance(tag, str) or tag not in tags:
        raise _wrong(f"{path}.type", tag, "one of " + ", ".join(tags))
    return _object(tags[tag], data, path)


@lru_cache(maxsize=16)
def _tags(members: tuple[type, ...]) -> Mapping[str, type]:
    """The members of a union by their ``type``."""
    return {get_args(get_type_hints(member)["type"])[0]: member for member in members}


def _parse(text: Text, data: Any, path: str) -> Any:
    if isinstance(data, str) or (text.numbers and isinstance(data, (int, float)) and not isinstance(data, bool)):
        try:
            return text.parse(data)
        except ValueError as error:
            raise ConfigError(Problem(path=path, message=f"{data!r}: {error}; expected {text.expected}")) from error
    raise _wrong(path, data, text.expected)


def _wrong(path: str, data: Any, expected: str) -> ConfigError:
    shown = repr(data)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return ConfigError(Problem(path=path, message=f"{shown} is not valid; expected {expected}"))
