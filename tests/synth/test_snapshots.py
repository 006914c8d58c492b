"""What is emitted, to be read in a review: all of the minimal stack, and how the maximal one differs.

``pytest tests/synth/test_snapshots.py --snapshot-update`` writes the snapshots anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.fakes.stacks import Synthesised

#: Long texts with tests of their own.
ELSEWHERE = {"definition": "(test_state_machine.py)", "dashboard_body": "(test_dashboard.py)"}

Parts = Mapping[str, Mapping[str, Any]]


class OneLineEach(JSONSnapshotExtension):
    """JSON with a line for each attribute of each resource, so that a change is a line."""

    def serialize(self, data: Any, **_: Any) -> str:
        return (
            "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(part)}" for name, part in sorted(data.items())) + "\n}\n"
        )


def _lines(part: Mapping[str, Any]) -> str:
    lines = (f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in sorted(part.items()))
    return "{\n" + ",\n".join(lines) + "\n}"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(OneLineEach)


def test_the_minimal_stack(minimal: Synthesised, snapshot: SnapshotAssertion) -> None:
    assert _parts(minimal.json) == snapshot


def test_what_the_maximal_stack_has_besides(
    minimal: Synthesised, maximal: Synthesised, snapshot: SnapshotAssertion
) -> None:
    before = _parts(minimal.json)
    after = _parts(json.loads(_with_names_of_minimal(json.dumps(maximal.json))))
    assert {
        name: changed for name, part in after.items() if (changed := _changed(before.get(name, {}), part))
    } == snapshot


def _parts(emitted: Mapping[str, Any]) -> Parts:
    """Everything in the output by address, as Terraform spells it; settings of Terraform under their keys."""
    parts: dict[str, Mapping[str, Any]] = {"terraform": emitted["terraform"]}
    for section in ("variable", "output"):
        parts |= {f"{section}.{name}": part for name, part in emitted.get(section, {}).items()}
    for kind, named in emitted["resource"].items():
        parts |= {f"{kind}.{name}": _readable(part) for name, part in named.items()}
    return parts


def _readable(part: Any) -> Any:
    """``part`` without CDKTF's metadata, and with JSON in place of texts that are JSON."""
    if isinstance(part, dict):
        return {key: ELSEWHERE.get(key) or _readable(each) for key, each in part.items() if key != "//"}
    if isinstance(part, list):
        return [_readable(each) for each in part]
    if isinstance(part, str) and part.startswith("{"):
        with suppress(ValueError):  # an input template has placeholders without quotes
            return _readable(json.loads(part))
    return part


def _with_names_of_minimal(text: str) -> str:
    # The other names, tags and alarm actions are a difference of every resource, and would hide all
    # others; test_construct.py asserts them.
    text = re.sub(r"\bprod-interlock((?:-[\w*]+)+?)-eu\b", r"dev-interlock\1", text)
    return text.replace('"tags": {"team": "data"}', '"tags": {}').replace(
        '["arn:aws:sns:eu-west-1:123456789012:on-call"]', "[]"
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    return {**changed, **dict.fromkeys(before.keys() - after.keys(), "(absent)")}
