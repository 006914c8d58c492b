"""Which installation, and the way to it: the options of every command that asks, and boto3."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NoReturn

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.faults import explained
from interlock_tf.installation.tables import WORKERS
from interlock_tf.names import Names

#: Where ``--env`` comes from when it is not given.
ENVIRONMENT = "INTERLOCK_ENV"

_CONNECT_TIMEOUT = 5.0
_READ_TIMEOUT = 20.0
_ATTEMPTS = 5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say which installation is meant, and how to get there."""
    group = parser.add_argument_group("the installation")
    group.add_argument("--env", metavar="NAME", help=f"its environment (default: what {ENVIRONMENT} holds)")
    group.add_argument("--name-suffix", default="", metavar="TEXT", help="its name_suffix, when it has one")
    group.add_argument("--region", metavar="NAME", help="the region (default: that of the AWS configuration)")
    group.add_argument("--profile", metavar="NAME", help="the profile of the AWS configuration")
    group.add_argument("--endpoint-url", metavar="URL", help="another AWS, such as that of interlock-tf local up")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def reached(arguments: argparse.Namespace) -> Installation:
    """The installation that the options name. Nothing is asked of it yet.

    Raises:
        ConfigError: the options lead nowhere.
    """
    _check_texts(arguments)
    environment = arguments.env or os.environ.get(ENVIRONMENT)
    if not environment:
        message = f"which installation? Give its environment, as in --env prod, or set {ENVIRONMENT}"
        raise ConfigError(Problem(path="--env", message=message))
    names = Names(environment, arguments.name_suffix)
    looked_for = f"the installation with --env {environment}"
    looked_for += f" --name-suffix {arguments.name_suffix}" if arguments.name_suffix else " and no --name-suffix"

    def refused(operation: str, table: str, error: Exception) -> NoReturn:
        told = explained(error, operation=operation, table=table, place=place, looked_for=looked_for)
        raise told or error from None

    place = arguments.endpoint_url or arguments.region or "AWS"
    try:
        client = _client(arguments)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was is told in words, or raised again
        refused("dynamodb", names("control"), error)
    place = arguments.endpoint_url or client.meta.region_name
    return Installation.through(client, names, now=datetime.now(UTC), refused=refused)


def _check_texts(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be written into a row: arguments that are not UTF-8."""
    for name, value in vars(arguments).items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    raise ConfigError(Problem(path=name, message=f"{text!a} is not UTF-8")) from None


def _client(arguments: argparse.Namespace) -> Any:
    # They take a while to load, and are an extra. rich is needed later, but whether it is there must be known
    # before anything is written.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    if not arguments.json:
        import_module("rich")
    session = boto3.Session(profile_name=arguments.profile, region_name=arguments.region)
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=WORKERS,
        user_agent_extra="interlock-tf",
    )
    return session.client("dynamodb", endpoint_url=arguments.endpoint_url, config=config)
