"""Values as messages show them: on one line, short, whatever they are."""

from __future__ import annotations

from typing import Any

_LONGEST = 80
#: An integer of more bits is not written out; Python refuses to, from 4,300 digits on.
_LONGEST_INTEGER = 4096


def shown(value: Any) -> str:
    """``value`` as a message shows it; at most 80 characters, and never an error."""
    if isinstance(value, str):
        return _cut(repr(value[: _LONGEST + 1]))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        return "a number of more than a thousand digits"
    if isinstance(value, dict):
        return f"a map of {len(value)}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"a list of {len(value)}"
    return "null" if value is None else _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
