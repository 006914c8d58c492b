"""Write a sensor as an outside process would, or list those that there are.

  interlock-tf sensor put --env dev gold-revenue orders-loaded status=complete row_count=48210 --date 2026-11-24
  interlock-tf sensor put --env dev gold-revenue refunds-loaded --updated-at now
  interlock-tf sensor list --env dev gold-revenue

A VALUE is a number, true, false or null as JSON writes them, or a text in double quotes; everything
else is text as it stands. A sensor that is there under the same key is replaced as a whole.
"""

from __future__ import annotations

import argparse

from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.explanation import date_of
from interlock_tf.installation.reach import add_options, reached
from interlock_tf.installation.screen import show, show_json
from interlock_tf.installation.sensor_rows import fields_of, put, sensor_to_put, sensors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="put|list", help="what to do")
    writing = actions.add_parser("put", help="write a sensor")
    writing.add_argument("pipeline", metavar="PIPELINE", help="the pipeline's id")
    writing.add_argument("key", metavar="KEY", help="the sensor's key, with or without #DATE at its end")
    writing.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="its fields")
    writing.add_argument("--data", metavar="JSON", help="fields as a JSON object")
    writing.add_argument("--date", metavar="DATE", help="the execution date that it is for: sets date, and hour")
    writing.add_argument("--updated-at", metavar="TIME", help="when the fact became true: now, or a time")
    writing.add_argument("--force", action="store_true", help="write it though no rule reads it, or for another date")
    add_options(writing)
    listing = actions.add_parser("list", help="list a pipeline's sensors")
    listing.add_argument("pipeline", metavar="PIPELINE", help="the pipeline's id")
    add_options(listing)


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    return answer(reached(arguments), arguments)


def answer(installation: Installation, arguments: argparse.Namespace) -> int:
    """Write or list."""
    return (_put if arguments.action == "put" else _list)(installation, arguments)


def _put(installation: Installation, arguments: argparse.Namespace) -> int:
    date = None
    if arguments.date is not None:
        date = date_of(installation.pipeline(arguments.pipeline), arguments.date, option="--date")
    now, updated = installation.now, arguments.updated_at
    fields = fields_of(arguments.fields, arguments.data, date=date, updated=updated, now=now)
    found = sensor_to_put(installation, arguments.pipeline, arguments.key, fields, unread=arguments.force)
    put(installation, found, fields)
    if arguments.json:
        show_json({"table": installation.control.name, **found.describe(), "date": found.date and str(found.date)})
        return 0
    # It needs rich, which is an extra and takes a moment to load.
    from interlock_tf.installation.sensor_text import put_parts  # noqa: PLC0415

    show(lambda _: put_parts(found, table=installation.control.name))
    return 0


def _list(installation: Installation, arguments: argparse.Namespace) -> int:
    with installation.progress:
        found = sensors(installation, arguments.pipeline)
    if arguments.json:
        show_json([each.describe() for each in found])
        return 0
    from interlock_tf.installation.sensor_text import list_parts  # noqa: PLC0415 - as above

    show(lambda _: list_parts(found, now=installation.now))
    return 0
