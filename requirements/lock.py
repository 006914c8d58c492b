"""Writes the three Python lock files; `make lock` calls it in an environment that holds uv."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# One lock for all Python versions and platforms; no header, since it would name this machine's settings.
COMPILE = (
    sys.executable,
    "-m",
    "uv",
    "pip",
    "compile",
    "--quiet",
    "--upgrade",
    "--universal",
    "--python-version",
    "3.11",
)
FORM = ("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url")

# The development environment takes from Lambda's lock what is in both, so that tests run what is deployed.
LOCKS = (
    ("runtime/requirements.lock", "runtime/requirements.in"),
    ("requirements/dev.lock", "pyproject.toml", "--extra", "dev", "--constraint", "runtime/requirements.lock"),
    ("requirements/checkov.lock", "requirements/checkov.in"),
)

if __name__ == "__main__":
    root = Path(__file__).parents[1]
    for lock, *source in LOCKS:
        subprocess.run([*COMPILE, *FORM, *source, "--output-file", lock], cwd=root, check=True)  # noqa: S603
