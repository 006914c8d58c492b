"""The command line's questions, asked of a stack that the simulator runs, at the simulator's time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from interlock_tf.installation.deployed import Installation
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.world import World
from interlock_tf.names import Names

#: An action on a table, and the index that it is on.
Call = tuple[str, str, str | None]


class WorldClient:
    """A DynamoDB client as botocore's, on the tables of a world; ``calls`` are those that were made."""

    def __init__(self, world: World, calls: set[Call]) -> None:
        self._world = world
        self._calls = calls

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        name = "".join(word.title() for word in operation.split("_"))

        def call(**request: Any) -> Any:
            for table in request.get("RequestItems") or [request["TableName"]]:
                self._calls.add((name, table, request.get("IndexName")))
            try:
                return self._world.answer("dynamodb", name, request)
            except ServiceError as error:
                raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, name) from error

        return call


def asked(world: World, calls: set[Call] | None = None) -> Installation:
    """The installation of a world, as it is now; ``calls`` gets what is asked of it."""
    client = WorldClient(world, set() if calls is None else calls)
    return Installation.through(client, Names("dev"), now=world.now())
