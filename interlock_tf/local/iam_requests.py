"""What calls of AWS services ask of IAM: for each, the actions, their resources, and the keys for conditions.

As the Service Authorization Reference tells it. ``tests/synth/test_least_privilege.py`` holds these
tables against the data of a linter for policies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from interlock_tf.local.iam_policies import Access, Values
from interlock_tf.local.terraform_json import Place

Call = Mapping[str, Any]
Accesses = Iterable[Access]

#: What Lambda does with the role of a function before it takes an event source or a network, and goes on doing.
STREAM_ACTIONS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
QUEUE_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
NETWORK_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
#: What Step Functions asks of a machine's role before it takes a log.
LOG_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)

#: Six characters with which a secret's ARN ends; here they are always the same.
_SECRET_ENDING, _STAND_IN = re.compile(r"-[A-Za-z0-9]{6}"), "-SIMULA"
#: Names in an expression, but not those of members inside of an attribute: placeholders, and names as they are.
_PLACEHOLDER, _PLAIN = re.compile(r"(?<!\.)#\w+"), re.compile(r"(?<![#:.\w])[A-Za-z_]\w*(?!\w|\()")


class UnknownCall(Exception):  # noqa: N818 - it says what it is about
    """It is not known here what a call asks of IAM."""


def accesses_of(place: Place, service: str, operation: str, call: Call) -> tuple[Access, ...]:
    """What a call asks for; all of it has to be allowed.

    Raises:
        UnknownCall: it is not in the table.
    """
    find = _CALLS.get((service, operation))
    if find is None:
        raise UnknownCall(f"it is not known here which rights {operation} of {service} takes")
    return tuple(find(place, call))


def arn(place: Place, service: str, resource: str) -> str:
    """An ARN in a place."""
    return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{resource}"


def polls(source_arn: str) -> Accesses:
    """What Lambda does with a function's role to read from a queue or a stream."""
    if ":sqs:" in source_arn:
        return [Access(action, source_arn) for action in QUEUE_ACTIONS]
    return [*(Access(action, source_arn) for action in STREAM_ACTIONS), Access("dynamodb:ListStreams", "*")]


def log_writes(place: Place, function_name: str) -> Accesses:
    """What Lambda does with a function's role, so that there is a log."""
    stream = arn(place, "logs", f"log-group:/aws/lambda/{function_name}:log-stream:2026/01/01/[$LATEST]0123")
    return [Access("logs:CreateLogStream", stream), Access("logs:PutLogEvents", stream)]


def key_uses(place: Place, key: str, service: str, *actions: str) -> Iterator[Access]:
    """What a service does with a key on behalf of whoever calls it."""
    for action in actions:
        yield Access(f"kms:{action}", key, {"kms:ViaService": (f"{service}.{place.region}.{place.dns_suffix}",)})


def function_arn(place: Place, name: str, qualifier: str | None = None) -> str:
    """The ARN of a function that is called by name, by part of an ARN, or by ARN, maybe with a version or alias."""
    parts = name.split(":")
    if parts[0] == "arn":
        found = name
    elif len(parts) > 2 and parts[1] == "function":
        found = f"arn:{place.partition}:lambda:{place.region}:{name}"
    else:
        found = arn(place, "lambda", f"function:{name}")
    return found if qualifier is None else f"{found}:{qualifier}"


def machine_arn(qualified: str) -> tuple[str, str | None]:
    """The ARN of a state machine without version or alias, and that."""
    parts = qualified.split(":", 7)
    return ":".join(parts[:7]), parts[7] if len(parts) == 8 else None


def _passed(role: str, service: str) -> Access:
    return Access("iam:PassRole", role, {"iam:PassedToService": (f"{service}.amazonaws.com",)})


def _table(place: Place, name: str) -> str:
    return name if name.startswith("arn:") else arn(place, "dynamodb", f"table/{name}")


def _item_keys(row: Call, *more: Iterable[str]) -> Mapping[str, Values]:
    """The keys of a call about one row; ``row`` has the table's keys at least."""
    named = dict.fromkeys([*row, *(name for names in more for name in names)])
    return {"dynamodb:LeadingKeys": (next(iter(row["PK"].values())),), "dynamodb:Attributes": tuple(named)}


def _item(action: str, row: str) -> Callable[[Place, Call], Accesses]:
    def accesses(place: Place, call: Call) -> Accesses:
        keys = _item_keys(call[row], call.get("ExpressionAttributeNames", {}).values())
        return [Access(f"dynamodb:{action}", _table(place, call["TableName"]), keys)]

    return accesses


def _update(place: Place, call: Call) -> Accesses:
    expressions = " ".join(call.get(name, "") for name in ("UpdateExpression", "ConditionExpression"))
    plain = [word for word in _PLAIN.findall(expressions) if word not in _WORDS]
    named = call.get("ExpressionAttributeNames", {})
    used = [named.get(placeholder, placeholder) for placeholder in _PLACEHOLDER.findall(expressions)]
    keys = _item_keys(call["Key"], used, plain)
    return [Access("dynamodb:UpdateItem", _table(place, call["TableName"]), keys)]


_WORDS = frozenset({"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"})


def _batch_get(place: Place, call: Call) -> Iterator[Access]:
    for name, wanted in call["RequestItems"].items():
        leading = tuple(dict.fromkeys(next(iter(key["PK"].values())) for key in wanted["Keys"]))
        yield Access("dynamodb:BatchGetItem", _table(place, name), {"dynamodb:LeadingKeys": leading})


def _batch_write(place: Place, call: Call) -> Iterator[Access]:
    for name, requests in call["RequestItems"].items():
        rows = [
            each["PutRequest"]["Item"] if "PutRequest" in each else each["DeleteRequest"]["Key"] for each in requests
        ]
        leading = tuple(dict.fromkeys(next(iter(row["PK"].values())) for row in rows))
        named = tuple(dict.fromkeys(attribute for row in rows for attribute in row))
        keys: Mapping[str, Values] = {"dynamodb:LeadingKeys": leading, "dynamodb:Attributes": named}
        yield Access("dynamodb:BatchWriteItem", _table(place, name), keys)


def _query(place: Place, call: Call) -> Accesses:
    table = _table(place, call["TableName"])
    return [Access("dynamodb:Query", f"{table}/index/{call['IndexName']}" if "IndexName" in call else table)]


def _put_events(place: Place, call: Call) -> Accesses:
    names = dict.fromkeys(entry.get("EventBusName", "default") for entry in call["Entries"])
    return [
        Access("events:PutEvents", name if name.startswith("arn:") else arn(place, "events", f"event-bus/{name}"))
        for name in names
    ]


def _schedule(action: str) -> Callable[[Place, Call], Accesses]:
    def accesses(place: Place, call: Call) -> Iterator[Access]:
        name = f"schedule/{call.get('GroupName', 'default')}/{call['Name']}"
        yield Access(f"scheduler:{action}", arn(place, "scheduler", name))
        if "Target" in call:
            yield _passed(call["Target"]["RoleArn"], "scheduler")

    return accesses


def _start_execution(_: Place, call: Call) -> Accesses:
    machine, qualifier = machine_arn(call["stateMachineArn"])
    keys: Mapping[str, Values] = {"states:StateMachineQualifier": None if qualifier is None else (qualifier,)}
    return [Access("states:StartExecution", machine, keys)]


def _invoke(place: Place, call: Call) -> Accesses:
    return [Access("lambda:InvokeFunction", function_arn(place, call["FunctionName"], call.get("Qualifier")))]


def _glue(action: str) -> Callable[[Place, Call], Accesses]:
    return lambda place, call: [Access(f"glue:{action}", arn(place, "glue", f"job/{call['JobName']}"))]


def _emr(action: str, cluster: str) -> Callable[[Place, Call], Accesses]:
    def accesses(place: Place, call: Call) -> Accesses:
        return [Access(f"elasticmapreduce:{action}", arn(place, "elasticmapreduce", f"cluster/{call[cluster]}"))]

    return accesses


def _start_serverless(place: Place, call: Call) -> Accesses:
    application = arn(place, "emr-serverless", f"/applications/{call['applicationId']}")
    return [
        Access("emr-serverless:StartJobRun", application),
        _passed(call["executionRoleArn"], "emr-serverless"),
    ]


def _get_serverless(place: Place, call: Call) -> Accesses:
    run = f"/applications/{call['applicationId']}/jobruns/{call['jobRunId']}"
    return [Access("emr-serverless:GetJobRun", arn(place, "emr-serverless", run))]


def _filter_log(place: Place, call: Call) -> Accesses:
    group = call.get("logGroupIdentifier") or call["logGroupName"]
    whole = group if group.startswith("arn:") else arn(place, "logs", f"log-group:{group}")
    return [Access("logs:FilterLogEvents", f"{whole}:log-stream:")]


def _get_secret(place: Place, call: Call) -> Accesses:
    name = call["SecretId"]
    if not name.startswith("arn:"):
        name = arn(place, "secretsmanager", f"secret:{name}") + _STAND_IN
    elif not _SECRET_ENDING.fullmatch(name[-7:]):
        name += _STAND_IN
    return [Access("secretsmanager:GetSecretValue", name)]


def _queue(action: str) -> Callable[[Place, Call], Accesses]:
    return lambda place, call: [Access(f"sqs:{action}", arn(place, "sqs", call["QueueUrl"].rpartition("/")[2]))]


_CALLS: Mapping[tuple[str, str], Callable[[Place, Call], Accesses]] = {
    ("dynamodb", "GetItem"): _item("GetItem", "Key"),
    ("dynamodb", "PutItem"): _item("PutItem", "Item"),
    ("dynamodb", "UpdateItem"): _update,
    ("dynamodb", "DeleteItem"): _item("DeleteItem", "Key"),
    ("dynamodb", "BatchGetItem"): _batch_get,
    ("dynamodb", "BatchWriteItem"): _batch_write,
    ("dynamodb", "Query"): _query,
    ("events", "PutEvents"): _put_events,
    ("scheduler", "CreateSchedule"): _schedule("CreateSchedule"),
    ("scheduler", "DeleteSchedule"): _schedule("DeleteSchedule"),
    ("scheduler", "GetSchedule"): _schedule("GetSchedule"),
    ("stepfunctions", "StartExecution"): _start_execution,
    ("stepfunctions", "DescribeExecution"): lambda _, call: [Access("states:DescribeExecution", call["executionArn"])],
    ("glue", "StartJobRun"): _glue("StartJobRun"),
    ("glue", "GetJobRun"): _glue("GetJobRun"),
    ("glue", "GetJobRuns"): _glue("GetJobRuns"),
    ("emr", "AddJobFlowSteps"): _emr("AddJobFlowSteps", "JobFlowId"),
    ("emr", "DescribeStep"): _emr("DescribeStep", "ClusterId"),
    ("emr", "ListSteps"): _emr("ListSteps", "ClusterId"),
    ("emr-serverless", "StartJobRun"): _start_serverless,
    ("emr-serverless", "GetJobRun"): _get_serverless,
    ("lambda", "Invoke"): _invoke,
    ("logs", "FilterLogEvents"): _filter_log,
    ("secretsmanager", "GetSecretValue"): _get_secret,
    ("sqs", "SendMessage"): _queue("SendMessage"),
}
