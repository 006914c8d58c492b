"""What a rule's target is given of an event: all of it, a part, a text of its own, or a text with parts filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from interlock_tf.local.terraform_json import StackError

_PATH = re.compile(r"\$(?:\.[\w-]+)*")
_MARK = re.compile(r"<([\w.-]+)>")


def check_transformer(transformer: Mapping[str, Any], address: str) -> None:
    """Refuse an input transformer whose parts do not fit together.

    Raises:
        StackError: naming the mark that has no path, or the path that is not understood.
    """
    paths = transformer.get("input_paths", {})
    for name, path in paths.items():
        if not _PATH.fullmatch(path):
            raise StackError(f"{address}: the input path {name} = {path!r} is not understood here")
    for mark in _MARK.findall(transformer["input_template"]):
        if mark not in paths:
            raise StackError(f"{address}: the input template has <{mark}>, which no input path gives")


def transformed(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """The template with every mark filled in: JSON outside of quotes, bare text within them."""
    template: str = transformer["input_template"]
    values = {name: at_path(path, event) for name, path in transformer.get("input_paths", {}).items()}
    filled: list[str] = []
    position, quoted = 0, False
    for match in _MARK.finditer(template):
        before = template[position : match.start()]
        filled.append(before)
        quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        filled.append(_shown(values[match[1]], quoted))
        position = match.end()
    return "".join(filled) + template[position:]


def at_path(path: str, event: Any) -> Any:
    """What stands at a path of an event, or None."""
    for step in path.split(".")[1:]:
        event = event.get(step) if isinstance(event, Mapping) else None
    return event


def _shown(value: Any, quoted: bool) -> str:
    if not quoted:
        return json.dumps(value)
    return "" if value is None else json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value)
