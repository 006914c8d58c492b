"""Explain one execution date of a pipeline: every rule with what was observed, and why it ran or did not.

  interlock-tf explain --env prod gold-revenue
  interlock-tf explain --env prod gold-revenue 2026-11-24
  interlock-tf explain --env prod clickstream-hourly 2026-11-24T10 --json

Without DATE it is the last date that ran, or the one that was due since and did not. Rules are
judged as the sensors are now. Nothing is changed.
"""

from __future__ import annotations

import argparse

from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.explanation import explain
from interlock_tf.installation.reach import add_options, reached
from interlock_tf.installation.screen import show, show_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="the pipeline's id")
    parser.add_argument(
        "date", nargs="?", metavar="DATE", help="the execution date, such as 2026-11-24 or 2026-11-24T10"
    )
    add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, and print."""
    return answer(reached(arguments), arguments)


def answer(installation: Installation, arguments: argparse.Namespace) -> int:
    """Print what there is to know about the date."""
    with installation.progress:
        found = explain(installation, arguments.pipeline, arguments.date)
    if arguments.json:
        show_json(found.describe())
        return 0
    # It needs rich, which is an extra and takes a moment to load.
    from interlock_tf.installation.explain_text import explain_parts  # noqa: PLC0415

    show(lambda _: explain_parts(found))
    return 0
