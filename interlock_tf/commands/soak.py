"""Live through random days of pipelines on this machine, with faults, and check that Interlock keeps its promises.

Each seed is a day and a night in virtual time: sensors come late, early, in part, broken and again, jobs
fail and hang, people ask for reruns; calls of AWS fail, hang and lose their answers, functions die,
deliveries come twice, late and out of order, whole services are out. Then it is calm for half a
day, and what is left is looked at: every run has ended, nothing ran, was spent, stored or posted
twice, and every event is there.

A day that goes wrong is cut down to the least of it, and written as a file that --replay lives through again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.commands.stack_of_paths import add_paths, say, synthesised

if TYPE_CHECKING:
    from interlock_tf.local.soak import Result
    from interlock_tf.local.terraform_json import Configuration

#: How many days that go wrong are cut down: each takes a minute.
_CUT = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_paths(parser)
    parser.add_argument("--days", type=int, default=100, metavar="N", help="how many days (default: 100)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first day's seed (default: 0)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at a time (default: all)"
    )
    parser.add_argument(
        "--failures", type=Path, default=Path("soak"), metavar="DIR", help="where failing days go (default: soak)"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="live through a day that was written, and show it")


def run(arguments: argparse.Namespace) -> int:
    """Live through the days; 1 when one of them goes wrong."""
    for option in ("days", "processes"):
        if getattr(arguments, option) < 1:
            raise ConfigError(Problem(path=f"--{option}", message="must be 1 or more"))
    if arguments.replay is None:
        _check_place(arguments.failures)
    # They need the extra `local`, and a moment to load.
    from interlock_tf.local import soak  # noqa: PLC0415
    from interlock_tf.local.terraform_json import Configuration  # noqa: PLC0415

    folder = synthesised(arguments, **soak.CHANNEL)
    configuration = Configuration.read(folder, variables=soak.TOKEN)
    if arguments.replay is not None:
        return _replay(configuration, arguments.replay)
    seeds = range(arguments.seed, arguments.seed + arguments.days)
    began, failed = time.monotonic(), 0
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for number, result in enumerate(soak.soak(folder, seeds, processes=arguments.processes), start=1):
        totals.update(runs=result.runs, jobs=result.jobs, events=result.events)
        faults.update(result.faults)
        if result.wrong:
            failed += 1
            _tell(result, configuration, arguments, cut=failed <= _CUT)
        _progress(f"{number} of {len(seeds)} days, {failed} went wrong")
    _progress("")
    injected = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items()))
    sys.stdout.write(
        f"{len(seeds)} days in {time.monotonic() - began:.0f} s: {totals['runs']} runs, {totals['jobs']} jobs,"
        f" {totals['events']} events; {failed} days went wrong\n"
        f"{sum(faults.values())} faults: {injected or 'none'}\n"
    )
    return 1 if failed else 0


def _check_place(folder: Path) -> None:
    """Say before the work that what fails could not be written; the directory is made when something does."""
    there = next(each for each in (folder, *folder.absolute().parents) if os.path.exists(each))
    if not os.path.isdir(there) or not os.access(there, os.W_OK):
        raise ConfigError(Problem(path="--failures", message=f"nothing can be written into {there}"))


def _tell(result: Result, configuration: Configuration, arguments: argparse.Namespace, *, cut: bool) -> None:
    """Print a day that went wrong, cut down, and how to live through it again."""
    from interlock_tf.local import soak  # noqa: PLC0415 - loaded by now

    _progress("")
    if cut:
        say(f"The day of seed {result.day.seed} went wrong; cutting it down …")
        result = soak.least(configuration, result)
    file = arguments.failures / f"seed-{result.day.seed}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(result.day.text(), encoding="utf-8")
    wrong = "".join(f"  {check}: {what}\n" for check, what in result.wrong)
    calendars = f" --calendars {arguments.calendars}" if arguments.calendars else ""
    command = f"interlock-tf soak {' '.join(map(str, arguments.paths))}{calendars} --replay {file}"
    sys.stdout.write(f"seed {result.day.seed} went wrong:\n{wrong}{result.day.text()}once more: {command}\n\n")
    sys.stdout.flush()


def _replay(configuration: Configuration, file: Path) -> int:
    from interlock_tf.local import random_days, soak, timeline  # noqa: PLC0415 - loaded by now

    result = soak.live(configuration, random_days.read_day(file, pipeline_ids=configuration.pipeline_ids()))
    for line in timeline.text_lines(result.entries, UTC):
        sys.stdout.write(f"{line}\n")
    for check, what in result.wrong:
        sys.stdout.write(f"wrong: {check}: {what}\n")
    return 1 if result.wrong else 0


def _progress(what: str) -> None:
    """One line that is written over, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{what}")
        sys.stderr.flush()
