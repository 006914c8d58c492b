"""What roles outside may do with ``grant_sensor_write`` and its like, as IAM decides about their writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from interlock_tf import access
from interlock_tf.local.iam_policies import Statement, decide
from interlock_tf.local.iam_requests import accesses_of, key_uses
from interlock_tf.local.terraform_json import Place

PLACE = Place(region="eu-west-1")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/dev-interlock-control"
KEY = {"PK": {"S": "PIPELINE#gold"}, "SK": {"S": "SENSOR#orders"}}
OTHERS = {**KEY, "PK": {"S": "PIPELINE#silver"}}


def may(told: Sequence[Any], operation: str, **call: Any) -> bool:
    """Whether statements allow a call of DynamoDB on the control table."""
    if "RequestItems" not in call:
        call["TableName"] = "dev-interlock-control"
    statements = [Statement("loader", "given", each) for each in told]
    return all(decide(statements, each).allowed for each in accesses_of(PLACE, "dynamodb", operation, call))


def put(told: Sequence[Any], key: dict[str, Any], *attributes: str) -> bool:
    return may(told, "PutItem", Item={**key, **{name: {"S": "x"} for name in attributes}})


def test_a_loader_writes_sensors_of_its_pipelines_and_nothing_that_interlock_keeps() -> None:
    told = access.sensor_write(TABLE, ["gold"])
    assert put(told, KEY, "data", "ttl")
    assert not put(told, OTHERS, "data")
    assert not put(told, KEY, "data", "status")
    assert may(told, "UpdateItem", Key=KEY, UpdateExpression="SET #d.#s = :x", **names(d="data", s="status"))
    assert not may(told, "UpdateItem", Key=KEY, UpdateExpression="SET #s = :x", **names(s="status"))
    assert not may(told, "UpdateItem", Key=KEY, UpdateExpression="SET config = :x")
    assert not may(told, "GetItem", Key=KEY)
    assert not may(told, "DeleteItem", Key=KEY)


def test_a_batch_is_allowed_as_a_whole_or_not() -> None:
    told = access.sensor_write(TABLE, ["gold"])

    def batch(*rows: dict[str, Any]) -> bool:
        return may(
            told,
            "BatchWriteItem",
            RequestItems={"dev-interlock-control": [{"PutRequest": {"Item": row}} for row in rows]},
        )

    assert batch({**KEY, "data": {"M": {}}})
    assert not batch({**KEY, "data": {"M": {}}}, OTHERS)
    assert not batch(KEY, {**KEY, "executionArn": {"S": "x"}})


def test_every_pipeline_is_still_no_other_partition() -> None:
    told = access.sensor_write(TABLE, None)
    assert put(told, OTHERS, "data")
    assert not put(told, {**KEY, "PK": {"S": "EVENT#gold"}}, "data")


def test_a_request_for_a_rerun_has_its_attributes_and_no_other() -> None:
    told = access.rerun(TABLE, ["gold"])
    assert put(told, KEY, "reason", "requestedBy", "interlockKind")
    assert not put(told, KEY, "reason", "data")
    assert not put(told, OTHERS, "reason")
    assert not may(told, "UpdateItem", Key=KEY, UpdateExpression="SET reason = :x")


def test_the_job_log_can_be_appended_to() -> None:
    told = access.job_events(TABLE, ["gold"])
    assert put(told, KEY, "event", "anything")
    assert not put(told, OTHERS, "event")
    assert not may(told, "UpdateItem", Key=KEY, UpdateExpression="SET event = :x")


@pytest.mark.parametrize("service", ["dynamodb", "sqs"])
def test_the_key_is_used_through_dynamodb_only(service: str) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    (statement,) = [Statement("loader", "given", access.cmk_use(key, "dynamodb.eu-west-1.amazonaws.com"))]
    (use,) = key_uses(PLACE, key, service, "Decrypt")
    assert decide([statement], use).allowed is (service == "dynamodb")


def names(**placeholders: str) -> dict[str, Any]:
    return {"ExpressionAttributeNames": {f"#{name}": each for name, each in placeholders.items()}}
