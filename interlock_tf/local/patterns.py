"""Event patterns: of EventBridge's rules, and of the filters of stream mappings, which are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from interlock_tf.local.terraform_json import StackError

_MISSING = object()


def _numeric(value: Any, comparison: list[Any]) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    tests: Mapping[str, Callable[[Any, Any], bool]] = {
        "=": lambda one, other: one == other,
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    pairs = zip(comparison[::2], comparison[1::2], strict=True)
    return all(tests[operator](value, bound) for operator, bound in pairs)


def _anything_but(value: Any, excluded: Any) -> bool:
    if isinstance(excluded, Mapping):
        return value is not _MISSING and not _matches_one(value, excluded)
    return value is not _MISSING and value not in (excluded if isinstance(excluded, list) else [excluded])


def _wildcard(value: Any, wanted: str) -> bool:
    """``*`` stands for any text; a backslash takes that meaning from it."""
    parts = re.findall(r"\\.|.", wanted, re.DOTALL)
    pattern = "".join(".*" if part == "*" else re.escape(part[-1]) for part in parts)
    return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


_FILTERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "suffix": lambda value, wanted: isinstance(value, str) and value.endswith(wanted),
    "equals-ignore-case": lambda value, wanted: isinstance(value, str) and value.lower() == wanted.lower(),
    "wildcard": _wildcard,
    "exists": lambda value, wanted: (value is not _MISSING) is wanted,
    "numeric": _numeric,
    "anything-but": _anything_but,
}


def check(pattern: Any, address: str) -> None:
    """Refuse a pattern that is not understood here.

    Raises:
        StackError: naming what it is.
    """
    if not isinstance(pattern, Mapping) or not pattern:
        raise StackError(f"{address}: {pattern!r} is not an event pattern: expected an object that is not empty")
    for key, wanted in pattern.items():
        if isinstance(wanted, Mapping):
            check(wanted, address)
        elif not isinstance(wanted, list) or not wanted:
            raise StackError(f"{address}: the pattern's {key!r} must be a list of values, and is {wanted!r}")
        elif unknown := [each for each in wanted if isinstance(each, Mapping) and not _is_known(each)]:
            raise StackError(f"{address}: the pattern's filter {unknown[0]!r} is not understood here")


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event is what the pattern describes."""
    return all(_member_matches(wanted, _member(event, key)) for key, wanted in pattern.items())


def _is_known(wanted: Mapping[str, Any]) -> bool:
    return len(wanted) == 1 and next(iter(wanted)) in _FILTERS


def _member(event: Any, key: str) -> Any:
    return event.get(key, _MISSING) if isinstance(event, Mapping) else _MISSING


def _member_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, value)
    values = value if isinstance(value, list) else [value]
    return any(_matches_one(each, alternative) for alternative in wanted for each in values)


def _matches_one(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        ((name, argument),) = wanted.items()
        return _FILTERS[name](value, argument)
    return value is not _MISSING and type(value) is type(wanted) and bool(value == wanted)
