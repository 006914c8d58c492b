"""Print the JSON Schema of pipeline files, or of calendar files.

Save it beside your pipelines, and let their first line be
# yaml-language-server: $schema=<its path>: an editor that knows YAML then completes keys and marks
mistakes while you type.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--calendar", action="store_true", help="the schema of calendar files")


def run(arguments: argparse.Namespace) -> int:
    """Print the schema that the package carries."""
    name = "calendar" if arguments.calendar else "pipeline"
    sys.stdout.write(files("interlock_tf").joinpath(f"{name}.schema.json").read_text(encoding="utf-8"))
    return 0
