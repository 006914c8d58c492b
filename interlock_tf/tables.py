"""The four DynamoDB tables, and the rows that Terraform keeps in one of them: a row for each pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from interlock_runtime.core.rows import CONFIG, EVENT_TYPE_INDEX, KIND, KIND_INDEX, Kind, pk
from interlock_tf._cdk import DynamodbTable, DynamodbTableGlobalSecondaryIndex
from interlock_tf.context import Context


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables, as resources."""

    control: DynamodbTable
    joblog: DynamodbTable
    rerun: DynamodbTable
    events: DynamodbTable

    def __iter__(self) -> Iterator[DynamodbTable]:
        return (getattr(self, each.name) for each in fields(self))


def add_tables(context: Context) -> Tables:
    """Add the tables: control and joblog with streams, control and events with an index each."""
    return Tables(
        control=_table(
            context,
            "control",
            stream=True,
            attributes={KIND: "S"},
            index=_index(KIND_INDEX, KIND, "PK"),
        ),
        joblog=_table(context, "joblog", stream=True),
        rerun=_table(context, "rerun"),
        events=_table(
            context,
            "events",
            attributes={"eventType": "S", "timestamp": "N"},
            index=_index(EVENT_TYPE_INDEX, "eventType", "timestamp"),
        ),
    )


def _table(
    context: Context,
    what: str,
    *,
    stream: bool = False,
    attributes: dict[str, str] | None = None,
    index: DynamodbTableGlobalSecondaryIndex | None = None,
) -> DynamodbTable:
    return context.add(
        DynamodbTable,
        what,
        name=context.names(what),
        billing_mode="PAY_PER_REQUEST",
        hash_key="PK",
        range_key="SK",
        attribute=[{"name": name, "type": kind} for name, kind in {"PK": "S", "SK": "S", **(attributes or {})}.items()],
        global_secondary_index=[index] if index else None,
        ttl={"attribute_name": "ttl", "enabled": True},
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True, "kms_key_arn": context.settings.kms_key_arn},
        stream_enabled=stream or None,
        stream_view_type="NEW_IMAGE" if stream else None,
        deletion_protection_enabled=context.settings.deletion_protection,
        tags=context.tags,
    )


def _index(name: str, hash_key: str, range_key: str) -> DynamodbTableGlobalSecondaryIndex:
    return DynamodbTableGlobalSecondaryIndex(name=name, hash_key=hash_key, range_key=range_key, projection_type="ALL")


def add_pipeline_rows(context: Context, control: DynamodbTable, configs: Mapping[str, str]) -> None:
    """Add the row of each pipeline to the control table.

    ``configs`` has the documents by id: JSON, as a Terraform string must be written to evaluate to it.
    """
    table = {"table_name": control.name, "hash_key": control.hash_key, "range_key": control.range_key}
    context.add_batch(
        "aws_dynamodb_table_item",
        "pipeline",
        {id_: {**table, "item": _row(id_, config)} for id_, config in configs.items()},
    )


def _row(id_: str, config: str) -> str:
    row = {"PK": pk(id_), "SK": CONFIG, "config": config, KIND: Kind.CONFIG.value}
    return json.dumps({name: {"S": value} for name, value in row.items()}, separators=(",", ":"), sort_keys=True)
