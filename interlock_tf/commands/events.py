"""Show what was published: the newest events, the newest last.

  interlock-tf events --env prod
  interlock-tf events --env prod gold-revenue --since 2h
  interlock-tf events --env prod --type SLA_BREACH --type JOB_FAILED --since 2026-11-24 --json

Times are those of the pipeline's time zone when one is given, else UTC. --json prints an object a line.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, tzinfo

from interlock_runtime.core.errors import ConfigError
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.history import event_type, history, since_of
from interlock_tf.installation.reach import add_options, reached
from interlock_tf.installation.screen import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="only those of this pipeline (default: all)")
    parser.add_argument("--since", metavar="TIME", help="not before: 2h, 2026-11-24, or 2026-11-24T08:00:00Z")
    parser.add_argument("--type", action="append", default=[], metavar="TYPE", help="only this type; may be repeated")
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (default: 50)")
    add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, and print."""
    return answer(reached(arguments), arguments)


def answer(installation: Installation, arguments: argparse.Namespace) -> int:
    """Print the events."""
    types = [event_type(each) for each in arguments.type]
    with installation.progress:
        zone = _zone(installation, arguments.pipeline)
        since = arguments.since and since_of(arguments.since, now=installation.now, zone=zone)
        found = history(installation, arguments.pipeline, since=since, types=types, limit=arguments.limit)
    if arguments.json:
        for event in found:
            sys.stdout.write(json.dumps(event.describe(), separators=(",", ":"), ensure_ascii=False) + "\n")
        return 0
    # It needs rich, which is an extra and takes a moment to load.
    from interlock_tf.installation.events_text import events_parts  # noqa: PLC0415

    show(lambda width: events_parts(found, zone, width=width))
    return 0


def _zone(installation: Installation, pipeline_id: str | None) -> tzinfo:
    """That of the pipeline; UTC for one that was removed, whose events are still there."""
    if pipeline_id is None:
        return UTC
    try:
        (pipeline,), _ = installation.pipelines([pipeline_id])
    except (ConfigError, ValueError):
        return UTC
    return pipeline.schedule.timezone


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)
