"""The command line's questions, asked of a stack that the simulator runs, at the simulator's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from interlock_tf.installation.deployed import Installation
from interlock_tf.installation.tables import Table
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.world import World
from interlock_tf.names import Names


class WorldClient:
    """A DynamoDB client as botocore's, on the tables of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        name = "".join(word.title() for word in operation.split("_"))

        def call(**request: Any) -> Any:
            try:
                return self._world.answer("dynamodb", name, request)
            except ServiceError as error:
                raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, name) from error

        return call


def asked(world: World) -> Installation:
    """The installation of a world, as it is now."""
    names, client = Names("dev"), WorldClient(world)

    def refused(_operation: str, _table: str, error: Exception) -> NoReturn:
        raise error

    def table(what: str) -> Table:
        return Table(names(what), client, refused=refused)

    return Installation(
        names=names,
        control=table("control"),
        joblog=table("joblog"),
        rerun=table("rerun"),
        events=table("events"),
        now=world.now(),
    )
