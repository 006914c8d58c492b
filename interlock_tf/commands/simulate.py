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
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.commands.validate import add_variables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a directory of pipelines, or a single file"
    )
    parser.add_argument("--calendars", type=Path, metavar="DIR", help="the directory of calendars")
    add_variables(parser)
    parser.add_argument("--sensors", type=Path, metavar="FILE", help="what happens outside, one JSON object a line")
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="a date, or a date and time")
    parser.add_argument("--to", dest="end", metavar="TIME", help="a date, or a date and time (default: a day later)")
    parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="of --from, --to and the text (default: UTC)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for what is random (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Simulate, and print the timeline."""
    zone = _zone(arguments.timezone)
    start = _time("--from", arguments.start, zone)
    end = start + timedelta(days=1) if arguments.end is None else _time("--to", arguments.end, zone)
    if end <= start:
        raise ConfigError(Problem(path="--to", message="must be later than --from"))
    # They need the extra `local`, and a moment to load.
    from interlock_tf.local import simulation, synthesis, timeline  # noqa: PLC0415
    from interlock_tf.local.terraform_json import Configuration  # noqa: PLC0415

    _say("Synthesising the stack …")
    variables = dict(arguments.var)
    folder = synthesis.stack_of_pipelines(
        arguments.paths,
        calendars=arguments.calendars,
        environment=arguments.environment,
        pipeline_variables=variables,
        sfn_timeout_seconds=arguments.sfn_timeout_seconds,
    )
    configuration = Configuration.read(folder)
    lines = []
    if arguments.sensors is not None:
        ids = configuration.pipeline_ids()
        lines = simulation.read_lines(arguments.sensors, after=start, until=end, pipeline_ids=ids)
    _say("Running it …")
    entries = simulation.simulate(configuration, lines, start=start, end=end, seed=arguments.seed)
    shown: Iterator[str] = timeline.json_lines(entries) if arguments.json else timeline.text_lines(entries, zone)
    for line in shown:
        sys.stdout.write(f"{line}\n")
    return 0


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
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{what}\n")
