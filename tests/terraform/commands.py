"""Running commands, the example app among them, as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed; it must succeed.

    ``environment`` replaces this process's; without it the command inherits that.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ if environment is None else environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}"
    return done.stdout


def copy_project(folder: Path) -> Path:
    """Copy the example app into ``folder``, so that no run writes into the checkout."""
    for name in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / name, folder)
    for name in ("pipelines", "calendars"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def synthesise(project: Path, out: Path) -> Path:
    """Run ``main.py`` in ``project``, and return the folder of its only stack."""
    run([sys.executable, "main.py"], folder=project, environment={**os.environ, "CDKTF_OUTDIR": str(out)})
    (stack,) = (out / "stacks").iterdir()
    return stack
