"""Check pipeline files: syntax, every field, and what the fields say together.

Every problem of every file is printed as file:line:column: path: what is wrong. Nothing is
deployed, and no AWS account is needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from interlock_runtime.core.errors import Problem
from interlock_tf.documents.calendars import load_calendars
from interlock_tf.documents.placeholders import Scalar, Variables
from interlock_tf.documents.source import yaml_files
from interlock_tf.documents.yaml_text import plain_scalar
from interlock_tf.pipelines import Report, no_pipelines, place, read_pipelines
from interlock_tf.settings import DEFAULT_SFN_TIMEOUT_SECONDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a directory of pipelines, or a single file")
    parser.add_argument("--calendars", metavar="DIR", help="the directory of calendars")
    add_variables(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_variables(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say what is filled into pipelines, and what they must fit into."""
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="what a placeholder ${NAME} stands for; may be repeated",
    )
    parser.add_argument("--environment", default="dev", help="what ${environment} stands for (default: dev)")
    parser.add_argument(
        "--sfn-timeout-seconds",
        type=int,
        default=DEFAULT_SFN_TIMEOUT_SECONDS,
        metavar="N",
        help=f"how long an execution may take (default: {DEFAULT_SFN_TIMEOUT_SECONDS})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the files; 1 when anything is wrong with them."""
    variables = Variables({**dict(arguments.var), "environment": arguments.environment})
    files: dict[str, None] = {}
    warnings: list[Problem] = []
    for path in arguments.paths:
        found = yaml_files(path) if Path(path).is_dir() else (path,)
        warnings += [] if found else [no_pipelines(path)]
        files |= dict.fromkeys(found)
    report = read_pipelines(
        files,
        calendars=load_calendars(arguments.calendars, variables),
        variables=variables,
        sfn_timeout_seconds=arguments.sfn_timeout_seconds,
        today=datetime.now(UTC).date(),
    )
    report = replace(report, warnings=(*warnings, *report.warnings))
    if arguments.json:
        _print_json(report)
    else:
        _print(report, files=len(files))
    return 1 if report.problems else 0


def _variable(text: str) -> tuple[str, Scalar]:
    """``retries=3`` is the number 3, but ``release=010`` stays text: a value that would be written otherwise."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        scalar = plain_scalar(value)
    except ValueError:
        return name, value
    return name, scalar if scalar is not None and json.dumps(scalar) == value else value


def _print(report: Report, *, files: int) -> None:
    """Problems and warnings on standard error, in the order of their places, and a summary on standard output."""
    marked = [(problem, "") for problem in report.problems] + [(problem, "warning") for problem in report.warnings]
    for problem, mark in sorted(marked, key=lambda each: place(each[0])):
        path = ": ".join(part for part in (mark, problem.path) if part)
        sys.stderr.write(f"{replace(problem, path=path)}\n")
    counts = [_count(len(report.problems), "problem") if report.problems else "no problems"]
    counts += [_count(len(report.warnings), "warning")] if report.warnings else []
    sys.stdout.write(f"{_count(files, 'pipeline file')} checked: {', '.join(counts)}\n")


def _print_json(report: Report) -> None:
    shown = {
        "pipelines": [pipeline.id for pipeline in report.stored],
        "problems": [asdict(problem) for problem in report.problems],
        "warnings": [asdict(problem) for problem in report.warnings],
    }
    sys.stdout.write(json.dumps(shown, indent=2) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
