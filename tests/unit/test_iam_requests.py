"""What calls ask of IAM, where it is not just the operation's name and the name in the call."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_tf.local.iam_requests import UnknownCall, accesses_of
from interlock_tf.local.terraform_json import Place

PLACE = Place(region="eu-west-1")
HERE = "eu-west-1:123456789012"


def asked(service: str, operation: str, place: Place = PLACE, **call: Any) -> list[tuple[str, str]]:
    return [(each.action, each.resource) for each in accesses_of(place, service, operation, call)]


def keys(service: str, operation: str, **call: Any) -> dict[str, Any]:
    (access,) = accesses_of(PLACE, service, operation, call)
    return dict(access.keys)


def test_a_query_of_an_index_is_about_the_index() -> None:
    table = f"arn:aws:dynamodb:{HERE}:table/control"
    assert asked("dynamodb", "Query", TableName="control") == [("dynamodb:Query", table)]
    assert asked("dynamodb", "Query", TableName="control", IndexName="kind-index") == [
        ("dynamodb:Query", f"{table}/index/kind-index")
    ]


def test_a_batch_is_about_each_of_its_tables() -> None:
    rows = {"Keys": [{"PK": {"S": "a"}, "SK": {"S": "x"}}]}
    assert [resource for _, resource in asked("dynamodb", "BatchGetItem", RequestItems={"one": rows, "two": rows})] == [
        f"arn:aws:dynamodb:{HERE}:table/{name}" for name in ("one", "two")
    ]


def test_a_write_tells_its_partition_and_its_attributes() -> None:
    row = {"PK": {"S": "PIPELINE#gold"}, "SK": {"S": "x"}}
    assert keys("dynamodb", "PutItem", TableName="t", Item={**row, "data": {"N": "1"}}) == {
        "dynamodb:LeadingKeys": ("PIPELINE#gold",),
        "dynamodb:Attributes": ("PK", "SK", "data"),
    }
    update = {
        "UpdateExpression": "SET #s = :v, plain = if_not_exists(other, :v), #d.#s = :v, deep.member = :v REMOVE gone",
        "ConditionExpression": "attribute_exists(PK) AND #s = :w",
        "ExpressionAttributeNames": {"#s": "status", "#d": "data"},
    }
    named = keys("dynamodb", "UpdateItem", TableName="t", Key=row, **update)["dynamodb:Attributes"]
    assert set(named) == {"PK", "SK", "status", "plain", "other", "data", "deep", "gone"}
    requests = {"t": [{"PutRequest": {"Item": row}}, {"DeleteRequest": {"Key": {**row, "PK": {"S": "b"}}}}]}
    assert keys("dynamodb", "BatchWriteItem", RequestItems=requests)["dynamodb:LeadingKeys"] == ("PIPELINE#gold", "b")


@pytest.mark.parametrize(
    ("call", "resource"),
    [
        ({"FunctionName": "publish"}, f"{HERE}:function:publish"),
        ({"FunctionName": "publish:live"}, f"{HERE}:function:publish:live"),
        ({"FunctionName": "publish", "Qualifier": "7"}, f"{HERE}:function:publish:7"),
        ({"FunctionName": "999999999999:function:publish"}, "eu-west-1:999999999999:function:publish"),
        ({"FunctionName": "arn:aws:lambda:us-east-1:1:function:publish"}, "us-east-1:1:function:publish"),
    ],
)
def test_a_function_by_whatever_names_it(call: dict[str, str], resource: str) -> None:
    assert asked("lambda", "Invoke", **call) == [("lambda:InvokeFunction", f"arn:aws:lambda:{resource}")]


def test_a_version_or_alias_of_a_machine_is_asked_for_on_the_machine() -> None:
    machine = f"arn:aws:states:{HERE}:stateMachine:orders"
    assert asked("stepfunctions", "StartExecution", stateMachineArn=f"{machine}:prod") == [
        ("states:StartExecution", machine)
    ]
    key = "states:StateMachineQualifier"
    assert keys("stepfunctions", "StartExecution", stateMachineArn=f"{machine}:prod")[key] == ("prod",)
    assert keys("stepfunctions", "StartExecution", stateMachineArn=machine)[key] is None


def test_whoever_hands_a_role_over_needs_the_right_to() -> None:
    role = "arn:aws:iam::123456789012:role/bell"
    accesses = accesses_of(
        PLACE, "scheduler", "CreateSchedule", {"GroupName": "sla", "Name": "x", "Target": {"RoleArn": role}}
    )
    assert [(each.action, each.resource, dict(each.keys)) for each in accesses] == [
        ("scheduler:CreateSchedule", f"arn:aws:scheduler:{HERE}:schedule/sla/x", {}),
        ("iam:PassRole", role, {"iam:PassedToService": ("scheduler.amazonaws.com",)}),
    ]


@pytest.mark.parametrize("name", ["db", f"arn:aws:secretsmanager:{HERE}:secret:db"])
def test_a_secret_has_six_more_characters_than_it_is_called_by(name: str) -> None:
    ((_, resource),) = asked("secretsmanager", "GetSecretValue", SecretId=name)
    assert resource.startswith(f"arn:aws:secretsmanager:{HERE}:secret:db-")
    assert len(resource) == len(f"arn:aws:secretsmanager:{HERE}:secret:db") + 7
    assert asked("secretsmanager", "GetSecretValue", SecretId=resource)[0][1] == resource


def test_another_partition_has_other_arns() -> None:
    place = Place(region="cn-north-1")
    assert asked("events", "PutEvents", place, Entries=[{"EventBusName": "bus"}, {"EventBusName": "bus"}]) == [
        ("events:PutEvents", "arn:aws-cn:events:cn-north-1:123456789012:event-bus/bus")
    ]


def test_a_call_that_is_not_known_is_no_call_that_asks_for_nothing() -> None:
    with pytest.raises(UnknownCall, match="which rights Scan of dynamodb takes"):
        asked("dynamodb", "Scan", TableName="control")
