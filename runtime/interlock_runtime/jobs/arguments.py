"""Arguments of a job as the strings that job services take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def text(value: Any) -> str:
    """A value as one argument: text as it is, nothing as an empty text, all else as JSON spells it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def words(arguments: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """Arguments as a list: ``key=value`` for each entry of a map in its order, a list as it is."""
    if isinstance(arguments, Mapping):
        return [f"{key}={text(value)}" for key, value in arguments.items()]
    return [text(value) for value in arguments]
