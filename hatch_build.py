"""Build hook: puts the locked third-party wheels of the Lambda zips into the package.

They are fetched by pip, from whatever index pip is set up for, and accepted by hash only. When the
right ones are there already (a second build, or a wheel built from the source distribution, which
carries them) nothing is fetched.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ThirdPartyWheels(BuildHookInterface[Any]):
    """Fetches the wheels before the wheel, the editable install or the source distribution is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave exactly the locked wheels in ``interlock_tf/third_party``."""
        root = Path(self.root)
        lock, folder = root / "runtime" / "requirements.lock", root / "interlock_tf" / "third_party"
        wheels = _locked_wheels_module(root)
        try:
            wheels.locked_wheels(lock, folder)
        except wheels.WheelsError:
            self.clean([])
            _download(lock, folder)
            wheels.locked_wheels(lock, folder)

    def clean(self, versions: list[str]) -> None:
        """Remove what was fetched."""
        for path in (Path(self.root) / "interlock_tf" / "third_party").glob("*.whl"):
            path.unlink()


def _locked_wheels_module(root: Path) -> ModuleType:
    # By path: importing it as part of the package would need the package's dependencies.
    path = root / "interlock_tf" / "packaging" / "locked_wheels.py"
    spec = importlib.util.spec_from_file_location("locked_wheels", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _download(lock: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    # Any platform's files: the zips must not depend on the machine that builds them.
    command += ["--platform", "any", "--implementation", "py", "--python-version", "3.13", "--abi", "none"]
    subprocess.run([*command, "--requirement", str(lock)], check=True)  # noqa: S603
