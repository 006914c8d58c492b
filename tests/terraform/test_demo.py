"""``make demo`` on a machine without Terraform; with it, its parts are those of the apply test."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.terraform.commands import copy_project, run

pytestmark = pytest.mark.slow


def test_without_terraform_the_demo_says_so_and_shows_what_would_be_created(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    programs = tmp_path / "bin"  # all that is on the PATH
    programs.mkdir()
    node = shutil.which("node")
    assert node is not None
    (programs / "node").symlink_to(node)

    said = run(
        [sys.executable, "-m", "interlock_tf.local.demo"],
        folder=project,
        environment={**os.environ, "PATH": str(programs)},
    )
    assert "6 pipeline files checked" in said
    assert "terraform is not on the PATH" in said
    assert "lambda function" in said
    assert sorted(path.name for path in project.iterdir()) == ["calendars", "cdktf.json", "main.py", "pipelines"]
