"""A stack of nothing but some pipelines, synthesised to be run here.

It is synthesised in a process of its own, which is where CDKTF and its Node.js stay.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from interlock_tf.local.terraform_json import StackError

_STACK = "interlock"

#: Folders of stacks that were synthesised, by what they were made of; removed when the process ends.
_made: dict[str, TemporaryDirectory[str]] = {}


def stack_of_pipelines(paths: Sequence[Path], *, calendars: Path | None = None, **settings: Any) -> Path:
    """The folder of a stack with the pipelines in ``paths``, directories or single files.

    The same stack is synthesised once per process. ``settings`` are variables of the construct.

    Raises:
        StackError: what is wrong with the pipelines or the settings.
    """
    variables = {"environment": "dev", "calendars_path": calendars and str(calendars.resolve()), **settings}
    key = json.dumps([[str(path.resolve()) for path in paths], variables], sort_keys=True)
    if key not in _made:
        folder = TemporaryDirectory(prefix="interlock-stack-")
        try:
            _synthesise(Path(folder.name), paths, variables)
        except BaseException:
            folder.cleanup()
            raise
        _made[key] = folder
    return Path(_made[key].name) / "out" / "stacks" / _STACK


def _synthesise(folder: Path, paths: Sequence[Path], variables: Mapping[str, Any]) -> None:
    pipelines = folder / "pipelines"
    pipelines.mkdir()
    originals = _linked(pipelines, paths)
    given = {"out": str(folder / "out"), "variables": {**variables, "pipelines_path": str(pipelines)}}
    run = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-W", "ignore", "-m", __name__],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        told = run.stderr.strip() or run.stdout.strip()
        for link, original in originals.items():
            told = told.replace(str(link), str(original))
        raise StackError(told or f"the stack could not be synthesised (exit code {run.returncode})")


def _linked(folder: Path, paths: Sequence[Path]) -> Mapping[Path, Path]:
    """Put links to all pipeline files into one folder; the files by their links."""
    originals: dict[Path, Path] = {}
    for path in paths:
        files = sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        if not files or not all(each.is_file() for each in files):
            raise StackError(f"{path}: there is no pipeline file here; expected *.yaml or *.yml")
        for file in files:
            link = folder / file.name
            if link in originals:
                raise StackError(f"{file}: {originals[link]} has the same name; simulate them one after the other")
            link.symlink_to(file.resolve())
            originals[link] = file
    return originals


def main() -> int:
    """Synthesise what standard input tells of, as JSON: the output folder and the construct's variables."""
    # Slow to load, and only this process needs it.
    from interlock_tf import App, InterlockStack  # noqa: PLC0415

    given = json.load(sys.stdin)
    app = App(outdir=given["out"])
    InterlockStack(app, _STACK, **given["variables"])
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
