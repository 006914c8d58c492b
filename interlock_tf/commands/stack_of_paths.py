"""What the commands have in common that run the stack of some pipelines on this machine; no command itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from interlock_tf.commands.validate import add_variables


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say which pipelines, and what is filled into them."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a directory of pipelines, or a single file"
    )
    parser.add_argument("--calendars", type=Path, metavar="DIR", help="the directory of calendars")
    add_variables(parser)


def synthesised(arguments: argparse.Namespace, **settings: Any) -> Path:
    """The folder of a stack of these pipelines; ``settings`` are further variables of it."""
    # It needs the extra `local`.
    from interlock_tf.local.synthesis import stack_of_pipelines  # noqa: PLC0415

    say("Synthesising the stack …")
    return stack_of_pipelines(
        arguments.paths,
        calendars=arguments.calendars,
        environment=arguments.environment,
        pipeline_variables=dict(arguments.var),
        sfn_timeout_seconds=arguments.sfn_timeout_seconds,
        **settings,
    )


def say(what: str) -> None:
    """Tell a person at a terminal what takes its time."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{what}\n")
