"""What the example app does not use: every option on, against the provider's schemas and its plan."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from interlock_tf import App, InterlockStack, InterlockWarning
from interlock_tf._cdk import TerraformOutput, TerraformStack
from interlock_tf.local.embedded import EmbeddedAws
from interlock_tf.local.terraform import Terraform
from tests.fakes.stacks import MAXIMAL, MINIMAL, synthesised, zips_in

pytestmark = [pytest.mark.slow, pytest.mark.terraform]


def test_terraform_reads_from_another_stack_what_is_asked_of_it(terraform_usable: None, tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterlockWarning)
        core = InterlockStack(app, "core", dist_path=zips_in(tmp_path / "zips"), **MINIMAL)
    value = core.interlock.control_table.name
    TerraformOutput(TerraformStack(app, "reader"), "table", value=value, sensitive=True, static_id=True)
    app.synth()
    stacks = (tmp_path / "cdktf.out").rename(tmp_path / "moved") / "stacks"
    # The state that an apply would leave, with the one output that CDKTF has made for the reader.
    outputs = json.loads((stacks / "core" / "cdk.tf.json").read_text())["output"]
    (name,) = (each for each in outputs if each.startswith("cross-stack-output"))
    applied = {"value": "dev-interlock-control", "type": "string", "sensitive": True}
    state = {"version": 4, "terraform_version": "1.5.0", "serial": 1, "lineage": "a", "outputs": {name: applied}}
    (stacks / "core" / "terraform.tfstate").write_text(json.dumps({**state, "resources": []}))
    terraform = Terraform(folder=stacks / "reader")
    terraform.init()
    terraform.apply()
    assert terraform.outputs() == {"table": "dev-interlock-control"}


def test_a_stack_with_every_option_can_be_planned(terraform_usable: None, tmp_path: Path) -> None:
    stack = synthesised(tmp_path, MAXIMAL)
    with EmbeddedAws(region="eu-west-1") as aws:
        terraform = Terraform(folder=stack.folder, environment=aws.environment)
        terraform.init()
        terraform.validate()
        changes = terraform.plan()
    assert {change.actions for change in changes} == {("create",)}
    assert sorted(change.address for change in changes) == stack.addresses()
