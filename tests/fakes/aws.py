"""An AWS in this process, by moto, with the tables, the bus and the clients that the runtime uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from interlock_runtime.aws.clients import Clients
from interlock_runtime.core.rows import EVENT_TYPE_INDEX, KIND, KIND_INDEX

REGION = "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
}


@contextmanager
def credentials() -> Iterator[None]:
    """An environment in which AWS can be asked for, whatever it was before and is again."""
    before = dict(os.environ)
    os.environ.update(CREDENTIALS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def simulated_aws(config: Any = None) -> Iterator[Clients]:
    """Clients of a fresh simulated AWS."""
    with credentials(), mock_aws(config=config) if config else mock_aws():
        yield Clients()


def create_table(clients: Clients, name: str, *, with_kind_index: bool = False, with_event_index: bool = False) -> None:
    """A table with the keys of all of ours, and the index of the control or of the events table."""
    attributes = {"PK": "S", "SK": "S"}
    indexes = []
    if with_kind_index:
        attributes |= {KIND: "S"}
        indexes.append(_index(KIND_INDEX, KIND, "PK"))
    if with_event_index:
        attributes |= {"eventType": "S", "timestamp": "N"}
        indexes.append(_index(EVENT_TYPE_INDEX, "eventType", "timestamp"))
    clients("dynamodb").create_table(
        TableName=name,
        KeySchema=_schema("PK", "SK"),
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": kind} for each, kind in attributes.items()],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def _index(name: str, hash_key: str, range_key: str) -> dict[str, Any]:
    projection = {"ProjectionType": "ALL"}
    return {"IndexName": name, "KeySchema": _schema(hash_key, range_key), "Projection": projection}


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
