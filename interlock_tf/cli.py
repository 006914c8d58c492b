"""The command line, ``interlock-tf``: finds the command, runs it, and turns errors into messages.

The standard library's argparse does this, because ``validate`` must answer at once: typer takes
longer to load (it loads pydantic) than a hundred pipelines take to check.
"""

from __future__ import annotations

import argparse
import codecs
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from interlock_runtime import __version__
from interlock_runtime.core.errors import ConfigError, InterlockError, Problem

PROGRAM = "interlock-tf"

#: What each command does, for the list of them. The module ``interlock_tf.commands.<name>`` has the rest.
COMMANDS: Mapping[str, str] = {
    "validate": "check pipeline files and say everything that is wrong with them",
    "build": "write the six Lambda zips into a folder",
    "simulate": "show what Interlock would do with pipelines, and why",
    "soak": "live through random days of pipelines, with faults, and check what is left",
    "local": "run a synthesised stack on this machine",
    "status": "show how the pipelines of an installation stand, and what they wait for",
    "explain": "say why a pipeline ran, or did not, on one execution date",
    "events": "list what was published, the newest last",
    "sensor": "write a sensor as an outside process would, or list them",
    "rerun": "ask for another run of one execution date",
    "schema": "print the JSON Schema of pipeline or calendar files, for editors",
}

#: By command: the extra that holds what it needs besides.
EXTRAS: Mapping[str, str] = {
    **dict.fromkeys(("simulate", "soak", "local"), "local"),
    **dict.fromkeys(("status", "explain", "events", "sensor", "rerun"), "ask"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0, 1 for a mistake in what was given, 2 for wrong usage."""
    _write_anything()
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except InterlockError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has read enough; without this, Python complains again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _write_anything() -> None:
    """Have standard output escape what its encoding lacks, as JSON does, which only allows it within texts."""
    codecs.register_error("escaped-as-json", _escaped_as_json)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="escaped-as-json")


def _escaped_as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Interlock, a safety controller for data pipelines.",
        epilog="commands:\n" + "\n".join(f"  {name:<10} {summary}" for name, summary in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="what to do")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its arguments; -h lists them")
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    chosen = parser.parse_args(arguments)
    command = import_module(f"interlock_tf.commands.{chosen.command}")
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {chosen.command}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    given = parser.parse_args(chosen.rest)
    try:
        code: int = command.run(given)
    except ModuleNotFoundError as error:
        if (extra := EXTRAS.get(chosen.command)) is None:
            raise
        needed = f"{chosen.command} needs {error.name}, which is not installed: pip install '{PROGRAM}[{extra}]'"
        raise ConfigError(Problem(message=needed)) from None
    return code
