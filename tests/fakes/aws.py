"""An AWS in this process, by moto, with the tables, the bus and the clients that the runtime uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from interlock_runtime.aws.clients import Clients
from interlock_runtime.core.rows import KIND, KIND_INDEX

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


def create_table(clients: Clients, name: str, *, with_kind_index: bool = False) -> None:
    """A table with the keys of all of ours."""
    attributes = ["PK", "SK", KIND] if with_kind_index else ["PK", "SK"]
    index = {
        "IndexName": KIND_INDEX,
        "KeySchema": [{"AttributeName": KIND, "KeyType": "HASH"}, {"AttributeName": "PK", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    clients("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": [index]} if with_kind_index else {}),
    )
