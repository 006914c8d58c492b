"""The first way of use: ``cdktf synth``, ``cdktf deploy``, ``cdktf destroy``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from interlock_tf.local.embedded import EmbeddedAws
from interlock_tf.local.inventory import Inventory
from interlock_tf.local.terraform import cli_environment
from tests.terraform.commands import ROOT, copy_project, run

pytestmark = [pytest.mark.slow, pytest.mark.cdktf]


@pytest.fixture(scope="module")
def cdktf() -> str:
    """Return the path of the cdktf command."""
    local = ROOT / "node_modules" / ".bin"
    program = shutil.which("cdktf", path=str(local)) or shutil.which("cdktf")
    if program is None:
        pytest.skip("the cdktf command is missing: make setup installs it")
    return program


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path)


def _stacks(project: Path) -> dict[str, Path]:
    manifest = json.loads((project / "cdktf.out" / "manifest.json").read_text())
    return {name: project / "cdktf.out" / stack["synthesizedStackPath"] for name, stack in manifest["stacks"].items()}


def test_synth_writes_the_stack(cdktf: str, project: Path) -> None:
    run([cdktf, "synth"], folder=project, environment=cli_environment(project))
    (output,) = _stacks(project).values()
    assert json.loads(output.read_text())["resource"]["aws_sfn_state_machine"]


@pytest.mark.terraform
def test_deploy_creates_the_stack_and_destroy_removes_it(cdktf: str, project: Path, terraform_usable: None) -> None:
    with EmbeddedAws() as aws:
        environment = {**cli_environment(project), **aws.environment}
        options = ["--auto-approve", "--skip-provider-lock"]  # that lock would be fetched from the registry
        run([cdktf, "deploy", *options], folder=project, environment=environment)
        (table,) = [name for name in aws.client("dynamodb").list_tables()["TableNames"] if name.endswith("-control")]
        prefix = table.removesuffix("control")
        there = {section.title: section.rows for section in Inventory(aws, prefix).sections()}
        assert len(there["Functions"]) == 6
        assert len(there["Pipelines"]) == len(list((project / "pipelines").glob("*.yaml")))
        run([cdktf, "destroy", *options], folder=project, environment=environment)
        assert aws.client("dynamodb").list_tables()["TableNames"] == []
        assert aws.client("lambda").list_functions()["Functions"] == []
