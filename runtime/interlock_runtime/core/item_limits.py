"""What DynamoDB can hold, by its documentation: the numbers, the nesting and the size of an item."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: The size of an item, names included.
ITEM_BYTES = 400 * 1024

#: Nested maps and lists, with some room to the 32 that are allowed.
_DEPTH = 30
#: A number has 38 significant digits at most; any float has fewer.
_WHOLE_NUMBERS_BELOW = 10**38
_SMALLEST, _NUMBERS_BELOW = 1e-130, 1e126

#: What a map or a list costs besides its contents, and each of its members.
_CONTAINER_BYTES, _MEMBER_BYTES = 3, 1


def storable(value: Any, *, depth: int = 0) -> Any:
    """A value of JSON as an attribute can hold it: what cannot be stored as it is becomes text.

    That goes for numbers that are too long, too large or too small, NaN and the infinities, and
    for what is nested too deeply. A map's empty key becomes ``(empty)``.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if _is_number(value) else str(value)
    if isinstance(value, (Mapping, list)) and depth >= _DEPTH:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return {key or "(empty)": storable(each, depth=depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [storable(each, depth=depth + 1) for each in value]
    return value


def item_bytes(row: Mapping[str, Any]) -> int:
    """How large an item of storable values is at most; names count, too."""
    return sum(len(name.encode()) + _bytes(value) for name, value in row.items())


def cut(text: str, limit: int) -> str:
    """The beginning of a text, in at most ``limit`` bytes of UTF-8; a cut one ends in ``…``."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def _is_number(value: int | float) -> bool:
    if isinstance(value, int):
        return abs(value) < _WHOLE_NUMBERS_BELOW
    return value == 0 or _SMALLEST <= abs(value) < _NUMBERS_BELOW


def _bytes(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, (int, float)):
        return (len(str(value)) + 1) // 2 + 2
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping):
        members = (len(key.encode()) + _bytes(each) + _MEMBER_BYTES for key, each in value.items())
    else:
        members = (_bytes(each) + _MEMBER_BYTES for each in value)
    return _CONTAINER_BYTES + sum(members)
