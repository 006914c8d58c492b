"""Numbers as DynamoDB, JSON and people write them, without losing a digit of an integer."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Set
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)


def plain(value: Any) -> Any:
    """Turn what DynamoDB gave into what JSON can hold.

    Integers stay exact whatever their size; other decimals become floats (their text where a
    float would be infinite). Sets become sorted lists, bytes become base64 text; anything else
    becomes its text.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return _plain_decimal(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted((plain(each) for each in value), key=lambda each: (str(type(each)), str(each)))
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode("ascii")
    return str(value)


def number(value: Any) -> Decimal | None:
    """``value`` as a finite number, or None when it is not one.

    Numeric strings count (``"12.5"``, also with white space around); booleans do not, nor NaN
    and the infinities. A number of more than 400 digits is not accepted.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, Decimal)):
        found = Decimal(value)
    elif isinstance(value, float):
        found = Decimal(repr(value))
    elif isinstance(value, str) and len(value) <= 400 and _NUMBER.fullmatch(value.strip()):
        found = Decimal(value.strip())
    else:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= 400 else None


def _plain_decimal(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if abs(value.adjusted()) <= 400 and value == value.to_integral_value():
        return int(value)
    found = float(value)
    return found if math.isfinite(found) else str(value)
