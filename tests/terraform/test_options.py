"""What the example app does not use: every option on, against the provider's schemas and its plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock_tf.local.embedded import EmbeddedAws
from interlock_tf.local.terraform import Terraform
from tests.fakes.stacks import MAXIMAL, synthesised

pytestmark = [pytest.mark.slow, pytest.mark.terraform]


def test_a_stack_with_every_option_can_be_planned(terraform_usable: None, tmp_path: Path) -> None:
    stack = synthesised(tmp_path, MAXIMAL)
    with EmbeddedAws(region="eu-west-1") as aws:
        terraform = Terraform(folder=stack.folder, environment=aws.environment)
        terraform.init()
        terraform.validate()
        changes = terraform.plan()
    assert {change.actions for change in changes} == {("create",)}
    assert sorted(change.address for change in changes) == stack.addresses()
