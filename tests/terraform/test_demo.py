"""``make demo`` on a machine without Terraform; with it, its parts are those of the apply test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from interlock_tf.local import demo
from tests.terraform.commands import ROOT, copy_project, run

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What of the checkout the demo needs, in a folder of its own."""
    folder = tmp_path / "project"
    (folder / demo.LINES.parent).mkdir(parents=True)
    shutil.copy(ROOT / demo.LINES, folder / demo.LINES)
    return copy_project(folder)


@pytest.fixture
def without_terraform(tmp_path: Path) -> dict[str, str]:
    """An environment with Node.js alone on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    node = shutil.which("node")
    assert node is not None
    (programs / "node").symlink_to(node)
    return {**os.environ, "PATH": str(programs), "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100"}


DEMO = [sys.executable, "-m", "interlock_tf.local.demo"]


def test_without_terraform_the_demo_says_so_and_shows_all_the_rest(
    project: Path, without_terraform: dict[str, str]
) -> None:
    said = run(DEMO, folder=project, environment=without_terraform)
    assert "6 pipeline files checked" in said
    assert "terraform is not on the PATH" in said
    assert "lambda function" in said
    # In this order: the day, what would be created, and the day in numbers at the end.
    parts = [
        "gold-revenue        … waits",
        "gold-revenue        ✓ SLA met",
        "The stack is not applied",
        "The day in numbers",
    ]
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert said.count(demo.PAGE.name) == 2
    assert "<h2>gold-revenue</h2>" in (project / demo.PAGE).read_text("utf-8")
    names = sorted(path.name for path in project.iterdir())
    assert names == ["build", "calendars", "cdktf.json", "docs", "main.py", "pipelines"]


def test_a_demo_that_is_interrupted_says_so(project: Path, without_terraform: dict[str, str]) -> None:
    with subprocess.Popen(
        DEMO,
        cwd=project,
        env={**without_terraform, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "Check the documents" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert "Interrupted" in said
    assert "Traceback" not in said


def test_a_demo_in_the_wrong_folder_says_what_is_missing(
    tmp_path: Path, project: Path, without_terraform: dict[str, str]
) -> None:
    (project / demo.LINES).unlink()
    done = subprocess.run(DEMO, cwd=project, env=without_terraform, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(demo.LINES) in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
