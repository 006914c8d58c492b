"""Ask for another run of one execution date, as a person on call does.

  interlock-tf rerun --env prod gold-revenue 2026-11-24 --reason "the refunds were loaded again"
  interlock-tf rerun --env prod gold-revenue --reason correction --wait

Without DATE it is the one that explain would explain. A request that is sure to be refused is not
written; any other is, and stream-router decides. --wait tells what it decided, and is 1 when it refused.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from interlock_runtime.core import dates
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem, TransientError
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.explanation import date_of, default_date
from interlock_tf.installation.reach import add_options, reached
from interlock_tf.installation.requests import Answer, Asked, ask, follow
from interlock_tf.installation.screen import clean, show_json

#: How far ahead a date may be that is run before its time.
_AHEAD = timedelta(days=31)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="the pipeline's id")
    parser.add_argument("date", nargs="?", metavar="DATE", help="the execution date: 2026-11-24, or 2026-11-24T10")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it is recorded with the rerun")
    parser.add_argument("--by", metavar="NAME", help="who asks (default: the name of the user)")
    parser.add_argument("--wait", action="store_true", help="wait for the answer, and tell it")
    parser.add_argument(
        "--timeout", type=_seconds, default=60, metavar="SECONDS", help="how long --wait waits (default: 60)"
    )
    add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and maybe wait."""
    return answer(reached(arguments), arguments)


def answer(
    installation: Installation, arguments: argparse.Namespace, *, sleep: Callable[[float], None] = time.sleep
) -> int:
    """Put the request, and tell what becomes of it; 1 when it is refused.

    Raises:
        TransientError: there was no answer in the time that was given.
    """
    with installation.progress:
        pipeline = installation.pipeline(arguments.pipeline)
        date = _given_date(installation, pipeline, arguments.date) or _begun_date(installation, pipeline)
        asked = ask(installation, pipeline, date, reason=arguments.reason, by=arguments.by or _user())
    if not arguments.json:
        sys.stdout.write(_told(asked, table=installation.control.name))
        sys.stdout.flush()
    found = None
    if arguments.wait:
        if sys.stderr.isatty():
            sys.stderr.write("Waiting for the answer …\n")
        found = follow(installation, asked, seconds=arguments.timeout, sleep=sleep)
    if arguments.json:
        show_json(_describe(asked, found))
    elif found is not None:
        sys.stdout.write(f"{found.event}: {clean(found.why)}\n")
    if arguments.wait and found is None:
        words = f"there was no answer within {arguments.timeout:g} seconds; look for it with interlock-tf events"
        raise TransientError(f"{words} {pipeline.id}, or explain {pipeline.id} {date}")
    return 1 if found is not None and found.is_refusal else 0


def _given_date(installation: Installation, pipeline: Pipeline, text: str | None) -> ExecutionDate | None:
    """The date that is given. It may be to come, though not so far that its year must be wrong."""
    date = date_of(pipeline, text) if text else None
    latest = dates.of_instant(pipeline, installation.now + _AHEAD)
    if date is not None and date > latest:
        message = f"{date} is more than {_AHEAD.days} days ahead; expected one up to {latest}"
        raise ConfigError(Problem(path="DATE", message=message))
    return date


def _begun_date(installation: Installation, pipeline: Pipeline) -> ExecutionDate:
    """The date that explain would explain, unless that is still to come."""
    date = default_date(installation, pipeline)
    if date > dates.of_instant(pipeline, installation.now):
        raise ConfigError(Problem(path="DATE", message=f"{pipeline.id} has not run yet; say for which date it shall"))
    return date


def _user() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        raise ConfigError(Problem(path="--by", message="say who asks: this user has no name here")) from None


def _told(asked: Asked, *, table: str) -> str:
    lines = [f"Requested a rerun of {asked.pipeline.id} for {asked.key.date} in {table}."]
    if asked.pipeline.dry_run:
        lines.append("The pipeline is a dry run: nothing is started, and an event tells what would be.")
    if asked.doubt is not None:
        lines.append(f"As things stand it will be refused: {clean(asked.doubt.why)}")
    return "".join(f"{line}\n" for line in lines)


def _describe(asked: Asked, found: Answer | None) -> dict[str, object]:
    return {
        "pipeline": asked.pipeline.id,
        "scheduleId": asked.key.schedule_id,
        "date": asked.key.date,
        "reason": asked.row["reason"],
        "requestedBy": asked.row["requestedBy"],
        "requestedAt": asked.row["requestedAt"],
        "cause": asked.cause,
        "doubt": asked.doubt and {"check": str(asked.doubt.check), "why": asked.doubt.why},
        "answer": found and found.describe(),
    }


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 3600")
    return seconds
