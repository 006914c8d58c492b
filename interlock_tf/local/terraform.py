"""The ``terraform`` command on a folder of Terraform JSON, with the AWS provider from wherever it is.

With network access Terraform fetches the provider itself. Without, it is taken from a filesystem
mirror: the folder named by ``INTERLOCK_PROVIDER_MIRROR``, else one found on this machine.

As a command, this module says whether Terraform can be used here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from interlock_runtime.core.errors import InterlockError

_MIRROR_VARIABLE = "INTERLOCK_PROVIDER_MIRROR"
_CONFIG_VARIABLE = "TF_CLI_CONFIG_FILE"
_PLUGIN_CACHE = Path.home() / ".cache" / "interlock-tf" / "terraform-plugins"
_PROBE = {"terraform": {"required_version": ">= 1.5", "required_providers": {"aws": {"source": "hashicorp/aws"}}}}
_MIRROR_CONFIG = """\
provider_installation {
  filesystem_mirror {
    path    = %s
    include = ["hashicorp/aws"]
  }
  direct {
    exclude = ["hashicorp/aws"]
  }
}
"""


class TerraformError(InterlockError):
    """A terraform command failed; the message ends with what it printed."""


@dataclass(frozen=True)
class Change:
    """One resource that a plan would change: what differs has the attribute's value before and after."""

    address: str
    actions: tuple[str, ...]
    differences: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """Terraform in one folder. ``environment`` is laid over this process's own."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def init(self) -> None:
        """Get the provider, and write the lock file."""
        self._run("init")

    def validate(self) -> None:
        """Check the configuration against the provider's schemas; a warning is an error too."""
        answer = json.loads(self._run("validate", "-json"))
        if answer["diagnostics"]:
            raise TerraformError(json.dumps(answer["diagnostics"], indent=2))

    def plan(self) -> tuple[Change, ...]:
        """Return what an apply would change."""
        path = self.folder / "interlock.tfplan"
        try:
            self._run("plan", f"-out={path.name}")
            plan = json.loads(self._run("show", "-json", path.name))
        finally:
            path.unlink(missing_ok=True)
        return tuple(_changes(plan))

    def apply(self, done: Callable[[str], None] = lambda address: None) -> None:
        """Create or change what the configuration says; ``done`` is called with each address."""
        self._stream(done, "apply", "-auto-approve")

    def destroy(self, done: Callable[[str], None] = lambda address: None) -> None:
        """Remove everything that the state knows; ``done`` is called with each address."""
        self._stream(done, "destroy", "-auto-approve")

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses of the managed resources in the state."""
        lines = self._run("state", "list").splitlines()
        return tuple(line for line in lines if not line.startswith("data."))

    def outputs(self) -> Mapping[str, Any]:
        """Return the values of the outputs."""
        return {name: output["value"] for name, output in json.loads(self._run("output", "-json")).items()}

    def _stream(self, done: Callable[[str], None], *arguments: str) -> None:
        said: list[str] = []
        with subprocess.Popen(  # noqa: S603
            self._command(*arguments, "-json"),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("type") == "apply_complete" and event["hook"]["action"] != "read":
                    done(event["hook"]["resource"]["addr"])
        if process.returncode:
            raise TerraformError(f"terraform {arguments[0]} failed:\n{_reasons(said)}")

    def _run(self, *arguments: str) -> str:
        run = subprocess.run(  # noqa: S603
            self._command(*arguments),
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise TerraformError(f"terraform {arguments[0]} failed:\n{run.stdout}{run.stderr}")
        return run.stdout

    def _command(self, *arguments: str) -> Sequence[str]:
        program = shutil.which("terraform")
        if program is None:
            raise TerraformError("terraform is not on the PATH: install Terraform 1.5 or later")
        return (program, *arguments, "-no-color")

    def _environment(self) -> Mapping[str, str]:
        return {**cli_environment(self.folder), **self.environment}


def cli_environment(folder: Path) -> Mapping[str, str]:
    """Return this process's environment, changed so that ``terraform`` and ``cdktf`` find the provider.

    A mirror needs a configuration file; it is written into ``folder``, which must exist.
    """
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    if not Path(environment.get(_CONFIG_VARIABLE, "")).is_file():
        environment.pop(_CONFIG_VARIABLE, None)  # Terraform would warn, in every answer
    if mirror := provider_mirror():
        config = folder.resolve() / "interlock.tfrc"
        config.write_text(_MIRROR_CONFIG % json.dumps(str(mirror)))
        environment[_CONFIG_VARIABLE] = str(config)
    elif "TF_PLUGIN_CACHE_DIR" not in environment:
        _PLUGIN_CACHE.mkdir(parents=True, exist_ok=True)  # 700 MB, wanted once and not once a folder
        environment["TF_PLUGIN_CACHE_DIR"] = str(_PLUGIN_CACHE)
    return environment


def obstacle() -> str | None:
    """Return why Terraform cannot be used here, in words for a person, or None when it can."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "probe.tf.json").write_text(json.dumps(_PROBE))
        try:
            Terraform(folder=Path(folder)).init()
        except TerraformError as error:
            return str(error)
    return None


@cache
def provider_mirror() -> Path | None:
    """Return the filesystem mirror that holds the AWS provider, or None: Terraform then looks itself.

    Raises TerraformError when ``INTERLOCK_PROVIDER_MIRROR`` names a folder without the provider.
    """
    named = os.environ.get(_MIRROR_VARIABLE)
    if named:
        if not _is_mirror(Path(named)):
            raise TerraformError(f"{_MIRROR_VARIABLE}={named} holds no folder <registry>/hashicorp/aws")
        return Path(named)
    return next(filter(_is_mirror, _folders(Path("/"), depth=3)), None)


def _is_mirror(folder: Path) -> bool:
    return any(folder.glob("*.*/hashicorp/aws/**/terraform-provider-aws*"))


def _folders(folder: Path, *, depth: int) -> Iterator[Path]:
    """Yield the folders below ``folder`` that hold no user's files and no kernel's."""
    passed_over = {"dev", "home", "proc", "root", "run", "sys", "tmp", "Users", "Volumes", "System"}
    try:
        below = sorted(Path(each.path) for each in os.scandir(folder) if each.is_dir(follow_symlinks=False))
    except OSError:
        return
    for each in below:
        if each.name in passed_over:
            continue
        yield each
        if depth > 1:
            yield from _folders(each, depth=depth - 1)


def _changes(plan: Mapping[str, Any]) -> Iterator[Change]:
    for each in plan.get("resource_changes", ()):
        actions = tuple(each["change"]["actions"])
        if actions not in (("no-op",), ("read",)):
            before, after = (each["change"][side] or {} for side in ("before", "after"))
            pairs = {key: (before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())}
            yield Change(each["address"], actions, {key: pair for key, pair in pairs.items() if pair[0] != pair[1]})


def _reasons(lines: Sequence[str]) -> str:
    events = [json.loads(line) for line in lines if line.startswith("{")]
    diagnostics = [event["diagnostic"] for event in events if event.get("type") == "diagnostic"]
    errors = [f"{each['summary']}\n{each.get('detail', '')}" for each in diagnostics if each["severity"] == "error"]
    return "\n".join(errors) or "".join(lines[-20:])


if __name__ == "__main__":
    reason = obstacle()
    sys.stdout.write(f"Terraform cannot be used here: {reason}\n" if reason else "Terraform can be used here.\n")
    sys.exit(1 if reason else 0)
