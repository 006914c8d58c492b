"""Attribute values as DynamoDB writes them (``{"S": "…"}``), to and from Python.

Whole numbers become ``int`` and other numbers ``Decimal``, so that none loses a digit. Binary
values are ``bytes`` from the API and base64 text in stream records, as they arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from decimal import Context, Decimal
from typing import Any

#: Enough digits for any number that DynamoDB holds (38, and exponents up to 125).
_EXACT = Context(prec=400)

Item = Mapping[str, Mapping[str, Any]]


def decode_item(item: Item) -> dict[str, Any]:
    """A whole item.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(item, Mapping):
        raise ValueError("an item is a map of attribute values")
    try:
        return {str(name): decode(value) for name, value in item.items()}
    except TypeError as error:
        raise ValueError(f"an attribute value is not of its type: {error}") from error


def encode_item(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A whole row as an item."""
    return {name: encode(value) for name, value in row.items()}


def decode(value: Mapping[str, Any]) -> Any:
    """One attribute value.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError("an attribute value is a map with one key, its type")
    ((kind, content),) = value.items()
    if kind == "S":
        return content
    if kind == "N":
        return _number(content)
    if kind == "M":
        return decode_item(content)
    if kind == "L":
        return [decode(each) for each in content]
    if kind == "BOOL":
        return bool(content)
    if kind == "NULL":
        return None
    if kind == "B":
        return content
    if kind in ("SS", "BS"):
        return frozenset(content)
    if kind == "NS":
        return frozenset(_number(each) for each in content)
    raise ValueError(f"{kind!r} is not a type of attribute value")


def encode(value: Any) -> dict[str, Any]:
    """One Python value.

    Raises:
        TypeError: DynamoDB has no type for it.
    """
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, (int, float, Decimal)):
        return {"N": _digits(value)}
    if isinstance(value, Mapping):
        return {"M": encode_item(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [encode(each) for each in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"B": bytes(value)}
    if isinstance(value, Set) and value:
        return _set(value)
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def _number(text: str) -> int | Decimal:
    try:
        return int(text)
    except (ValueError, TypeError):
        pass
    try:
        return Decimal(text)
    except (ArithmeticError, ValueError, TypeError):
        raise ValueError(f"{text!r} is not the text of a number") from None


def _digits(value: int | float | Decimal) -> str:
    """The number as DynamoDB itself would write it."""
    if isinstance(value, int):
        return str(value)
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise TypeError(f"DynamoDB has no number {value}")
    return f"{number.normalize(_EXACT):f}" if number else "0"


def _set(values: Set[Any]) -> dict[str, Any]:
    if all(isinstance(each, str) for each in values):
        return {"SS": sorted(values)}
    if all(isinstance(each, (bytes, bytearray)) for each in values):
        return {"BS": sorted(bytes(each) for each in values)}
    if all(isinstance(each, (int, float, Decimal)) and not isinstance(each, bool) for each in values):
        return {"NS": sorted(_digits(each) for each in values)}
    raise TypeError("DynamoDB has no type for a set of mixed values")
