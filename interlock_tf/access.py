"""What roles outside Interlock may do with it: write sensors, report jobs, request reruns.

DynamoDB can limit a caller to some partitions (a pipeline's rows) and to some attributes, but not
to some sort keys. What follows from that is in ``docs/security.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from interlock_runtime.core.rows import PK_PREFIX, RESERVED_ATTRIBUTES
from interlock_tf.policies import Statement, allow

#: Attributes of a row that holds a sensor.
SENSOR_ATTRIBUTES = frozenset({"PK", "SK", "data", "ttl"})
#: Attributes of a row that requests a rerun.
REQUEST_ATTRIBUTES = ("PK", "SK", "reason", "requestedAt", "requestedBy", "interlockKind", "ttl")


def sensor_write(control: str, pipeline_ids: Iterable[str] | None) -> list[Statement]:
    """Write the sensors of some pipelines, or of all; never an attribute that Interlock itself keeps.

    Nothing is denied, since a denial would also take from the role what another grant gives it.
    """
    actions = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"]
    kept = {"dynamodb:Attributes": sorted(RESERVED_ATTRIBUTES - SENSOR_ATTRIBUTES)}
    return [allow(actions, [control], condition={**_partitions(pipeline_ids), "ForAllValues:StringNotEquals": kept})]


def job_events(joblog: str, pipeline_ids: Iterable[str] | None) -> list[Statement]:
    """Append to the job log of some pipelines, or of all."""
    return [allow(["dynamodb:PutItem"], [joblog], condition=_partitions(pipeline_ids))]


def rerun(control: str, pipeline_ids: Iterable[str] | None) -> list[Statement]:
    """Request reruns of some pipelines, or of all: put rows with the attributes of a request and no other."""
    partitions = _partitions(pipeline_ids)
    attributes = {"dynamodb:Attributes": list(REQUEST_ATTRIBUTES)}
    # Two keys below one operator must both hold.
    merged = {
        **partitions,
        "ForAllValues:StringEquals": {**partitions.get("ForAllValues:StringEquals", {}), **attributes},
    }
    return [allow(["dynamodb:PutItem"], [control], condition=merged)]


def cmk_use(key: str, endpoint: str) -> Statement:
    """Use the CMK of the tables, through DynamoDB and in no other way."""
    return allow(
        ["kms:Decrypt", "kms:GenerateDataKey"], [key], condition={"StringEquals": {"kms:ViaService": [endpoint]}}
    )


def _partitions(pipeline_ids: Iterable[str] | None) -> dict[str, Mapping[str, Any]]:
    # "For all values" also holds when there is no value; the second condition closes that.
    present = {"Null": {"dynamodb:LeadingKeys": "false"}}
    if pipeline_ids is None:
        return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{PK_PREFIX}*"]}, **present}
    return {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [PK_PREFIX + each for each in sorted(pipeline_ids)]},
        **present,
    }
