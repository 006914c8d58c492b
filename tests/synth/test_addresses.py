"""Terraform addresses: places in the state of everybody who has deployed this."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock_tf import Interlock
from interlock_tf._cdk import Construct, TerraformStack
from tests.fakes.stacks import Synthesised, own_stack

COMMITTED = Path(__file__).with_name("addresses.txt")


def test_no_address_changes_unnoticed(maximal: Synthesised) -> None:
    committed = [line for line in COMMITTED.read_text().splitlines() if line and not line.startswith("#")]
    changes = [line for line in difflib.ndiff(committed, maximal.addresses()) if line[0] in "+-"]
    assert not changes, (
        "Terraform would destroy what has the old address and create it anew, tables with their rows included. If that "
        f"is meant, edit {COMMITTED.name}, and tell in the changelog below 'Terraform addresses':\n"
        + "\n".join(changes)
    )


def test_the_minimal_stack_has_no_other_addresses(minimal: Synthesised, maximal: Synthesised) -> None:
    per_pipeline = ("aws_dynamodb_table_item.", "aws_scheduler_schedule.")
    others = set(minimal.addresses()) - set(maximal.addresses())
    assert all(address.startswith(per_pipeline) for address in others)


def test_every_address_says_what_it_is(maximal: Synthesised) -> None:
    for address in maximal.addresses():
        assert re.fullmatch(r"aws_[a-z_]+\.interlock_[A-Za-z0-9_-]+", address), address


def test_a_pipeline_id_with_a_dot_has_an_address_of_its_own(minimal: Synthesised) -> None:
    rows = minimal.resources("dynamodb_table_item")
    assert list(rows) == ["interlock_pipeline_daily", "interlock_pipeline_on_arrival_ad4808df"]


@pytest.mark.parametrize(
    ("outer", "inner", "prefix"),
    [
        ("data", "interlock", "data_interlock"),
        ("data platform", "a.b", "data_platform_a_b_36c18429"),
        ("1", "2", "_1_2"),
    ],
)
def test_the_path_of_the_construct_begins_every_address(outer: str, inner: str, prefix: str, tmp_path: Path) -> None:
    def nested(stack: TerraformStack, interlock: Callable[..., Interlock]) -> None:
        interlock(inner, scope=Construct(stack, outer))

    stack = own_stack(tmp_path, nested)
    assert [address for address in stack.addresses() if not address.split(".")[1].startswith(f"{prefix}_")] == []
