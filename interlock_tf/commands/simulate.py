"""Show what Interlock would do with pipelines, in a time that passes in seconds.

The pipelines are synthesised into a stack of their own, and that stack is run on this machine, its
functions included. Nothing is deployed, no job is started, and nobody outside is asked anything.

A line of the file of sensors is a JSON object, such as
  {"at": "2026-03-03T12:55:00Z", "pipeline": "gold", "key": "orders", "data": {"rows": 1200}}
  {"at": "2026-03-03T14:00:00Z", "pipeline": "gold", "job": "fail", "category": "TRANSIENT"}
  {"at": "2026-03-03T18:00:00Z", "pipeline": "gold", "rerun": "a correction"}
Without such lines a job succeeds after the pipeline's expectedDuration, or ten minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.commands.stack_of_paths import add_paths, say, synthesised

if TYPE_CHECKING:
    from interlock_tf.local.timeline import Entry

#: Those that an execution date may be in.
_YEARS = range(1970, 3000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_paths(parser)
    parser.add_argument("--sensors", type=Path, metavar="FILE", help="what happens outside, one JSON object a line")
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="a date, or a date and time")
    parser.add_argument("--to", dest="end", metavar="TIME", help="a date, or a date and time (default: a day later)")
    parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="of --from, --to and the text (default: UTC)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--full", action="store_true", help="print everything on a terminal, too, as into a file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page as well: a lane for each pipeline")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for what is random (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Simulate, and print the timeline."""
    zone = _zone(arguments.timezone)
    start = _time("--from", arguments.start, zone)
    end = start + timedelta(days=1) if arguments.end is None else _time("--to", arguments.end, zone)
    if end <= start:
        raise ConfigError(Problem(path="--to", message="must be later than --from"))
    if arguments.html is not None:
        _check_place(arguments.html)
    # They need the extra `local`, and a moment to load.
    from interlock_tf.local import simulation  # noqa: PLC0415
    from interlock_tf.local.page import page  # noqa: PLC0415
    from interlock_tf.local.terraform_json import Configuration  # noqa: PLC0415

    configuration = Configuration.read(synthesised(arguments))
    lines = []
    if arguments.sensors is not None:
        ids = configuration.pipeline_ids()
        lines = simulation.read_lines(arguments.sensors, after=start, until=end, pipeline_ids=ids)
    say("Running it …")
    entries = list(simulation.simulate(configuration, lines, start=start, end=end, seed=arguments.seed))
    pipelines = configuration.pipelines()
    _print(entries, pipelines, zone, arguments)
    if arguments.html is not None:
        _write(arguments.html, page(entries, pipelines, start=start, end=end, zone=zone))
    return 0


def _print(
    entries: list[Entry], pipelines: Mapping[str, Pipeline], zone: ZoneInfo, arguments: argparse.Namespace
) -> None:
    """Print everything, plainly; people at a terminal get what matters, in colour."""
    from rich.console import Console  # noqa: PLC0415 - of the extra `local`

    from interlock_tf.local import moments, tally, telling, timeline  # noqa: PLC0415

    if sys.stdout.isatty() and not (arguments.json or arguments.full):
        console = Console(highlight=False)
        telling.tell(console, moments.folded(moments.moments(entries, pipelines, zone), pipelines), zone)
        console.print()
        console.print(telling.table(tally.tallies(entries, pipelines)))
        return
    lines: Iterator[str] = timeline.json_lines(entries) if arguments.json else timeline.text_lines(entries, zone)
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _check_place(file: Path) -> None:
    """Say before the work that its result could not be written."""
    if os.path.isdir(file):  # unlike the path's own, it never raises
        raise ConfigError(Problem(path="--html", message=f"{file} is a directory; expected a file to write"))
    if not os.path.isdir(file.parent):
        raise ConfigError(Problem(path="--html", message=f"there is no directory {file.parent} to write a page into"))
    if not os.access(file if os.path.exists(file) else file.parent, os.W_OK):
        raise ConfigError(Problem(path="--html", message=f"{file} cannot be written: permission denied"))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(Problem(path="--html", message=f"{file} cannot be written: {error.strerror}")) from error
    sys.stderr.write(f"The page is {file.resolve().as_uri()}\n")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ConfigError(Problem(path="--timezone", message=f"there is no time zone {name!r}")) from error


def _time(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a time; expected such as 2026-03-03 or 2026-03-03T07:55"
        raise ConfigError(Problem(path=option, message=message)) from None
    if time.year not in _YEARS:
        message = f"{text!r} is not in the years {_YEARS[0]} to {_YEARS[-1]}"
        raise ConfigError(Problem(path=option, message=message))
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
