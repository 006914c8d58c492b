"""The paths, intrinsic functions and payload templates of the Amazon States Language (JSONPath)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from interlock_tf.local.terraform_json import StackError

_PATH = re.compile(r"\$\$?(?:\.\w+|\['[^']+'\]|\[\d+\])*")
_STEP = re.compile(r"\.(\w+)|\['([^']+)'\]|\[(\d+)\]")
_CALL = re.compile(r"(States\.\w+)\((.*)\)", re.DOTALL)

_INTRINSICS = frozenset({"States.JsonToString", "States.StringToJson"})


class StateError(Exception):
    """An error of a state, as ``Retry`` and ``Catch`` know it."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause

    def output(self) -> dict[str, str]:
        """What a catcher is given."""
        return {"Error": self.name, "Cause": self.cause}


def check_expression(text: Any, place: str) -> None:
    """Refuse a path or intrinsic function that is not understood here.

    Raises:
        StackError: naming it.
    """
    if isinstance(text, str) and _PATH.fullmatch(text):
        return
    call = _CALL.fullmatch(text) if isinstance(text, str) else None
    if call is None or call[1] not in _INTRINSICS:
        raise StackError(f"{place}: {text!r} is neither a path nor an intrinsic function that is understood here")
    check_expression(call[2].strip(), place)


def check_template(template: Any, place: str) -> None:
    """Refuse a payload template with an expression that is not understood here.

    Raises:
        StackError: naming it.
    """
    if isinstance(template, Mapping):
        for key, value in template.items():
            if key.endswith(".$"):
                check_expression(value, f"{place}.{key}")
            else:
                check_template(value, f"{place}.{key}")
    elif isinstance(template, list):
        for each in template:
            check_template(each, place)


def value_of(text: str, data: Any, context: Any) -> Any:
    """What a path or intrinsic function stands for.

    Raises:
        StateError: the path leads to nothing, or the function refuses its argument.
    """
    if call := _CALL.fullmatch(text):
        argument = value_of(call[2].strip(), data, context)
        if call[1] == "States.JsonToString":
            return json.dumps(argument, separators=(",", ":"))
        try:
            return json.loads(argument)
        except (TypeError, ValueError) as error:
            raise StateError("States.IntrinsicFailure", f"{text}: {error}") from None
    found = context if text.startswith("$$") else data
    for name, quoted, index in _STEP.findall(text):
        try:
            found = found[int(index)] if index else found[name or quoted]
        except (KeyError, IndexError, TypeError):
            raise StateError(
                "States.Runtime", f"The JSONPath '{text}' could not be found in the input '{json.dumps(data)}'"
            ) from None
    return found


def filled(template: Any, data: Any, context: Any) -> Any:
    """A payload template with its expressions evaluated.

    Raises:
        StateError: one of them leads to nothing.
    """
    if isinstance(template, Mapping):
        return {
            key.removesuffix(".$"): value_of(value, data, context)
            if key.endswith(".$")
            else filled(value, data, context)
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [filled(each, data, context) for each in template]
    return template


def put(path: str | None, data: Any, result: Any) -> Any:
    """The state's output: ``result`` at ``ResultPath`` of its input; None keeps the input as it is."""
    if path is None:
        return data
    steps = [name or quoted for name, quoted, _ in _STEP.findall(path)]
    if not steps:
        return result
    if not isinstance(data, dict):
        raise StateError("States.ResultPathMatchFailure", f"{path} cannot be set in an input that is not an object")
    top = inner = dict(data)
    for step in steps[:-1]:
        below = inner.get(step)
        inner[step] = dict(below) if isinstance(below, dict) else {}
        inner = inner[step]
    inner[steps[-1]] = result
    return top
