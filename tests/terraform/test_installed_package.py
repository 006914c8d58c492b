"""The third way of use: the package installed in an environment of its own, in somebody's own app."""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from interlock_tf.local.terraform import Terraform
from interlock_tf.packaging.locked_wheels import locked_hashes
from tests.terraform.commands import ROOT, copy_project, run

pytestmark = [pytest.mark.slow, pytest.mark.wheel]

APP = """\
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from interlock_tf import Interlock
app = App()
stack = TerraformStack(app, "platform")
AwsProvider(stack, "aws", region="eu-central-1")
topic = SnsTopic(stack, "on_call", name="on-call")
for environment in ("dev", "test"):
    Interlock(stack, environment, environment=environment, pipelines_path="pipelines", calendars_path="calendars",
              sns_alarm_topic_arn=topic.arn)
app.synth()
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the source distribution and the wheel made from it, by suffix."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)], folder=out)
    return {path.suffix: path for path in out.iterdir()}


def test_the_wheel_holds_all_that_an_app_needs(distributions: dict[str, Path]) -> None:
    names = set(zipfile.ZipFile(distributions[".whl"]).namelist())
    for needed in (
        "interlock_runtime/core/documents.py",
        "interlock_runtime/handlers/__init__.py",
        "interlock_tf/asl/pipeline.asl.json",
        "interlock_tf/local/page/page.css",
        "interlock_tf/py.typed",
        "interlock_tf/runtime/requirements.lock",
    ):
        assert needed in names
    locked = locked_hashes(ROOT / "runtime" / "requirements.lock")
    carried = [Path(name).name.split("-")[0] for name in names if name.startswith("interlock_tf/third_party/")]
    assert sorted(carried) == sorted(locked)


def test_the_wheel_holds_nothing_else(distributions: dict[str, Path]) -> None:
    names = zipfile.ZipFile(distributions[".whl"]).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"interlock_tf", "interlock_runtime"}
    assert not [name for name in names if re.search(r"(^|/)(__pycache__|tests?|test_.*|conftest\.py)(/|$)", name)]
    assert not [name for name in names if not re.search(r"\.(py|json|css|lock|whl)$|/py\.typed$|\.dist-info/", name)]


def test_the_source_distribution_builds_without_fetching_anything(distributions: dict[str, Path]) -> None:
    with tarfile.open(distributions[".gz"]) as archive:
        carried = [name for name in archive.getnames() if name.endswith(".whl")]
    assert len(carried) == len(locked_hashes(ROOT / "runtime" / "requirements.lock"))


@pytest.mark.terraform
@pytest.mark.parametrize("bindings", ["20.1.0", "21.22.1"])
def test_two_constructs_in_somebodys_own_stack_are_valid_terraform(
    bindings: str, distributions: dict[str, Path], tmp_path: Path, terraform_usable: None
) -> None:
    python = _environment_with(distributions[".whl"], bindings, tmp_path / "venv")
    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    (project / "main.py").write_text(APP)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run([str(python), "main.py"], folder=project, environment=clean)
    stack = project / "cdktf.out" / "stacks" / "platform"
    resources = json.loads((stack / "cdk.tf.json").read_text())["resource"]
    assert sorted(resources["aws_sfn_state_machine"]) == ["dev_state_machine", "test_state_machine"]
    assert len(resources["aws_lambda_function"]) == 12
    assert len(resources["aws_sns_topic"]) == 1
    terraform = Terraform(folder=stack)
    terraform.init()
    terraform.validate()


def _environment_with(wheel: Path, bindings: str, folder: Path) -> Path:
    """Return the Python of a new environment that holds the wheel, what it needs, and these bindings."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    # The versions of everything else are those that are tested; their hashes are of no use in a constraint.
    locked = re.findall(
        r"^([\w.-]+==\S+(?: ; .*?)?) \\$", (ROOT / "requirements" / "dev.lock").read_text(), re.MULTILINE
    )
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(line for line in locked if not line.startswith("cdktf-cdktf-provider-aws")))
    install = [str(python), "-m", "pip", "install", "-qq", "--no-compile", "--constraint", str(constraints)]
    run([*install, str(wheel), f"cdktf-cdktf-provider-aws=={bindings}"], folder=folder)
    return python
