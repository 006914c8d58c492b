"""The numbers of the inventory, and every deviation from them with its reason."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.fakes.stacks import Synthesised

DECLARED = tomllib.loads(Path(__file__).with_name("deviations.toml").read_text())

#: These follow from the pipelines.
PER_PIPELINE = {"aws_dynamodb_table_item", "aws_scheduler_schedule"}


@pytest.mark.parametrize(("stack", "column"), [("minimal", 0), ("maximal", 1)])
def test_numbers_differ_from_the_inventory_only_as_declared(
    stack: str, column: int, request: pytest.FixtureRequest
) -> None:
    expected = Counter({kind: numbers[column] for kind, numbers in DECLARED["reference"].items()})
    for deviation in DECLARED["deviations"]:
        expected[deviation["type"]] += deviation["added"][column]

    emitted: Synthesised = request.getfixturevalue(stack)
    counted = {kind: len(named) for kind, named in emitted.json["resource"].items() if kind not in PER_PIPELINE}
    assert counted == {kind: number for kind, number in expected.items() if number}


def test_there_is_a_row_for_each_pipeline(minimal: Synthesised, maximal: Synthesised) -> None:
    assert (len(minimal.resources("dynamodb_table_item")), len(maximal.resources("dynamodb_table_item"))) == (2, 9)


def test_every_deviation_has_a_reason() -> None:
    assert all(deviation["why"] and any(deviation["added"]) for deviation in DECLARED["deviations"])
