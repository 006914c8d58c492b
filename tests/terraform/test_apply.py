"""The second way of use: ``python main.py``, then plain Terraform in the output folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.local.embedded import EmbeddedAws
from interlock_tf.local.inventory import Inventory
from interlock_tf.local.terraform import Terraform
from tests.terraform.commands import copy_project, synthesise

pytestmark = [pytest.mark.slow, pytest.mark.terraform]


@dataclass(frozen=True)
class Applied:
    """The sample stack, applied in a folder to which its output had been moved."""

    terraform: Terraform
    aws: EmbeddedAws
    output: Mapping[str, Any]


@pytest.fixture(scope="module")
def applied(terraform_usable: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    project = copy_project(tmp_path_factory.mktemp("project"))
    built = synthesise(project, tmp_path_factory.mktemp("built") / "cdktf.out")
    moved = tmp_path_factory.mktemp("elsewhere") / "stack"
    built.rename(moved)
    with EmbeddedAws() as aws:
        terraform = Terraform(folder=moved, environment=aws.environment)
        terraform.init()
        terraform.validate()
        terraform.apply()
        yield Applied(terraform, aws, json.loads((moved / "cdk.tf.json").read_text()))


def _same_json(before: Any, after: Any) -> bool:
    return bool(json.loads(before) == json.loads(after))


#: What the simulator, and not our output, puts into a second plan: by type and attribute, with a test of
#: both values. Nothing else may differ.
ARTEFACTS: Mapping[tuple[str, str], Callable[[Any, Any], bool]] = {
    # moto returns the policy with other white space.
    ("aws_sqs_queue", "redrive_policy"): _same_json,
}


def test_every_resource_of_the_output_was_created(applied: Applied) -> None:
    expected = {f"{kind}.{name}" for kind, named in applied.output["resource"].items() for name in named}
    assert set(applied.terraform.addresses()) == expected


def test_what_was_created_can_be_read_back(applied: Applied) -> None:
    inventory = Inventory(applied.aws, applied.terraform.outputs()["control_table_name"].removesuffix("control"))
    sections = {section.title: section.rows for section in inventory.sections()}
    samples = {path.stem for path in (Path(__file__).parents[2] / "pipelines").glob("*.yaml")}
    assert {row[0] for row in sections["Pipelines"]} == samples
    assert len(sections["Functions"]) == 6
    assert all(called_by for *_, called_by in sections["Functions"]), "a function that nothing calls"


def test_a_second_plan_changes_nothing(applied: Applied) -> None:
    ours = [
        (change.address, name, *values)
        for change in applied.terraform.plan()
        for name, values in change.differences.items()
        if not ARTEFACTS.get((change.address.split(".")[0], name), lambda *_: False)(*values)
    ]
    assert ours == []


def test_destroy_leaves_nothing(applied: Applied) -> None:
    prefix = applied.terraform.outputs()["control_table_name"].removesuffix("control")
    applied.terraform.destroy()
    assert applied.terraform.addresses() == ()
    assert [row for section in Inventory(applied.aws, prefix).sections() for row in section.rows] == []
