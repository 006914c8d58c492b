"""How long ``interlock-tf validate`` takes to start, and to check many files.

    python benchmarks/validate.py [--files 1000] [--rounds 7]

Every figure is the shortest of several rounds, each a process of its own, in wall-clock seconds.
The baselines are measured in the same rounds, because what a machine does besides changes from
minute to minute: an interpreter that does nothing, one that only imports what validation cannot
do without, and PyYAML alone over the same files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = sorted((ROOT / "pipelines").glob("*.yaml"))

MAIN = "import sys; from interlock_tf.cli import main; sys.exit(main())"
IMPORTS = "import yaml, pydantic_core"
PARSE = "import sys, yaml\nfor name in sys.argv[1:]: yaml.load(open(name, 'rb'), Loader=yaml.CSafeLoader)"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Measure interlock-tf validate.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder), options.files)
        calendars = ["--calendars", str(ROOT / "calendars")]
        commands = {
            "python -c pass": ["-c", "pass"],
            "python, importing yaml and pydantic_core": ["-c", IMPORTS],
            f"validate, {len(SAMPLES)} samples": ["-c", MAIN, "validate", str(ROOT / "pipelines"), *calendars],
            f"PyYAML alone, {options.files:,} files": ["-c", PARSE, *files],
            f"validate, {options.files:,} files": ["-c", MAIN, "validate", folder, *calendars],
        }
        times = measured(commands, options.rounds)
    for name, seconds in times.items():
        print(f"{name:<42} {seconds:7.3f} s")
    nothing, imports, samples, parse, many = times.values()
    print(f"start: {samples / imports:.2f} times the imports, {samples / nothing:.1f} times an empty interpreter")
    print(
        f"{options.files:,} files: {many / parse:.2f} times PyYAML alone, "
        f"{(many - samples) / max(options.files - len(SAMPLES), 1) * 1000:.2f} ms a file"
    )


def written(folder: Path, count: int) -> list[str]:
    """``count`` files in ``folder``, copies of the samples with ids of their own."""
    files = []
    for number in range(count):
        sample = SAMPLES[number % len(SAMPLES)]
        file = folder / f"{sample.stem}-{number}.yaml"
        file.write_text(sample.read_text("utf-8").replace(f"id: {sample.stem}", f"id: {file.stem}"), "utf-8")
        files.append(str(file))
    return files


def measured(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """The shortest time of each command, the rounds going through all of them in turn."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
    times = {name: float("inf") for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
            times[name] = min(times[name], time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
