"""What each function may do: one table, exactly the calls that its code makes.

``tests/scenarios/test_least_privilege.py`` proves it both ways.

``on`` names resources; :func:`policies` is told their ARNs. A name that stands for no ARN (no
CMK, no VPC, no secret) leaves its grant out. ``by_service`` marks what no code of ours calls:
Lambda itself does, with the function's role (it writes logs, reads streams, polls queues,
delivers failures, attaches network interfaces).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interlock_tf.policies import Statement, allow


@dataclass(frozen=True)
class Grant:
    """Some actions of one service (``dynamodb:GetItem PutItem``) on some resources, in the policy ``policy``.

    ``via`` limits the use of a key to these services; ``passed_to`` limits the passing of a role to one.
    """

    policy: str
    actions: str
    on: tuple[str, ...]
    by_service: bool = False
    via: tuple[str, ...] = ()
    passed_to: str | None = None

    @property
    def action_names(self) -> tuple[str, ...]:
        """The actions as IAM spells them: ``dynamodb:GetItem``, ``dynamodb:PutItem``."""
        service, _, names = self.actions.partition(":")
        return tuple(f"{service}:{name}" for name in names.split())


_LOG = Grant("logs", "logs:CreateLogStream PutLogEvents", ("own_log",), by_service=True)
_PUBLISH = Grant("eventbridge-put", "events:PutEvents", ("bus",))
_FAILURES = Grant("sqs-dlq", "sqs:SendMessage", ("events_dlq",), by_service=True)
_NETWORK = Grant(
    "vpc",
    "ec2:CreateNetworkInterface DescribeNetworkInterfaces DescribeSubnets DeleteNetworkInterface "
    "AssignPrivateIpAddresses UnassignPrivateIpAddresses",
    ("network",),
    by_service=True,
)


def _cmk(*services: str) -> Grant:
    return Grant("kms", "kms:Decrypt GenerateDataKey", ("cmk",), by_service=True, via=services)


def _scheduler_role(policy: str) -> Grant:
    return Grant(policy, "iam:PassRole", ("scheduler_role",), passed_to="scheduler.amazonaws.com")


GRANTS: Mapping[str, tuple[Grant, ...]] = {
    "stream_router": (
        Grant("dynamodb-rw", "dynamodb:GetItem BatchGetItem PutItem UpdateItem DeleteItem", ("control",)),
        Grant("dynamodb-rw", "dynamodb:Query PutItem", ("joblog", "rerun")),
        _PUBLISH,
        Grant("dynamodb-streams", "dynamodb:DescribeStream GetRecords GetShardIterator", ("streams",), by_service=True),
        Grant("dynamodb-streams", "dynamodb:ListStreams", ("any",), by_service=True),
        Grant("sfn-start", "states:StartExecution", ("machine",)),
        Grant("sqs-dlq", "sqs:SendMessage", ("stream_dlqs",), by_service=True),
        _FAILURES,
        _cmk("dynamodb", "sqs"),
        _LOG,
    ),
    "orchestrator": (
        Grant("dynamodb-rw", "dynamodb:GetItem BatchGetItem PutItem UpdateItem", ("control",)),
        Grant("dynamodb-rw", "dynamodb:Query PutItem", ("joblog",)),
        _PUBLISH,
        _NETWORK,
        _cmk("dynamodb", "secretsmanager"),
        _LOG,
    ),
    "sla_monitor": (
        Grant("dynamodb-rw", "dynamodb:GetItem BatchGetItem PutItem", ("control",)),
        _PUBLISH,
        Grant("scheduler-manage", "scheduler:CreateSchedule DeleteSchedule", ("sla_schedules",)),
        _scheduler_role("scheduler-manage"),
        _FAILURES,
        _cmk("dynamodb", "sqs"),
        _LOG,
    ),
    "watchdog": (
        Grant("dynamodb-rw", "dynamodb:GetItem BatchGetItem PutItem UpdateItem DeleteItem", ("control",)),
        Grant("dynamodb-rw", "dynamodb:Query", ("control_kinds",)),
        Grant("dynamodb-rw", "dynamodb:Query PutItem", ("joblog", "rerun")),
        _PUBLISH,
        Grant("sfn-start", "states:StartExecution", ("machine",)),
        Grant("sfn-start", "states:DescribeExecution", ("executions",)),
        Grant("scheduler-create", "scheduler:CreateSchedule", ("sla_schedules",)),
        _scheduler_role("scheduler-create"),
        _FAILURES,
        _cmk("dynamodb", "sqs"),
        _LOG,
    ),
    "event_sink": (
        Grant("dynamodb-events-write", "dynamodb:PutItem", ("events",)),
        _FAILURES,
        _cmk("dynamodb", "sqs"),
        _LOG,
    ),
    "alert_dispatcher": (
        Grant(
            "sqs-alert-receive",
            "sqs:ReceiveMessage DeleteMessage GetQueueAttributes",
            ("alert_queue",),
            by_service=True,
        ),
        Grant("dynamodb-events-thread", "dynamodb:GetItem PutItem UpdateItem", ("events",)),
        Grant("secrets-read", "secretsmanager:GetSecretValue", ("slack_secret",)),
        _NETWORK,
        _cmk("dynamodb", "secretsmanager", "sqs"),
        _LOG,
    ),
}

#: The functions that put events on the bus.
PUBLISHERS = tuple(key for key, grants in GRANTS.items() if _PUBLISH in grants)


def policies(
    function: str, arns: Mapping[str, Sequence[str]], *, endpoint: Callable[[str], str]
) -> dict[str, tuple[Statement, ...]]:
    """The statements of a function's role, by policy name.

    ``arns`` has the ARNs of every resource that the function's grants name, maybe none.
    ``endpoint`` gives the host name of a service, for ``kms:ViaService``.
    """
    found: dict[str, tuple[Statement, ...]] = {}
    for grant in GRANTS[function]:
        resources = [arn for name in grant.on for arn in arns[name]]
        if resources:
            condition: dict[str, Any] = {}
            if grant.via:
                condition["kms:ViaService"] = [endpoint(service) for service in grant.via]
            if grant.passed_to:
                condition["iam:PassedToService"] = grant.passed_to
            statement = allow(
                grant.action_names, resources, condition={"StringEquals": condition} if condition else None
            )
            found[grant.policy] = (*found.get(grant.policy, ()), statement)
    return found
