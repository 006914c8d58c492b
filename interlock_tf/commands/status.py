"""Show how the pipelines of a deployed installation stand: the last run, and what is waited for.

  interlock-tf status --env prod
  interlock-tf status --env prod gold-revenue fx-rates
  interlock-tf status --env prod --failing --json

Reads the control table by its index and in batches; nothing is scanned, and nothing is changed.
"""

from __future__ import annotations

import argparse

from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.overview import overview
from interlock_tf.installation.reach import add_options, reached
from interlock_tf.installation.screen import show, show_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("pipelines", nargs="*", metavar="PIPELINE", help="only these pipelines (default: all)")
    parser.add_argument("--owner", metavar="NAME", help="only the pipelines of this owner")
    parser.add_argument("--failing", action="store_true", help="only those about which somebody has to do something")
    add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look, and print."""
    return answer(reached(arguments), arguments)


def answer(installation: Installation, arguments: argparse.Namespace) -> int:
    """Print how the pipelines stand."""
    with installation.progress:
        found = overview(installation, arguments.pipelines, owner=arguments.owner, failing=arguments.failing)
    if arguments.json:
        show_json(found.describe())
        return 0
    # It needs rich, which is an extra and takes a moment to load.
    from interlock_tf.installation.status_text import status_parts  # noqa: PLC0415

    show(lambda width: status_parts(found, width=width))
    return 0
