"""The state machine, its role and its log.

``docs/state-machine.md`` tells what the definition and the functions promise each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from interlock_tf._cdk import CloudwatchLogGroup, IamRole, IamRolePolicy, SfnStateMachine
from interlock_tf.context import Context
from interlock_tf.definition import definition
from interlock_tf.functions import FunctionResources
from interlock_tf.policies import Statement, add_service_role, allow, document

#: Step Functions hands its log to the log delivery of CloudWatch. These actions know no resources.
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


@dataclass(frozen=True, kw_only=True)
class StateMachine:
    """The state machine and what belongs to it; ``log_group`` is None when it logs nothing."""

    machine: SfnStateMachine
    role: IamRole
    log_group: CloudwatchLogGroup | None

    @property
    def arn(self) -> str:
        """The state machine's ARN."""
        return str(self.machine.arn)


def add_state_machine(
    context: Context, *, orchestrator: FunctionResources, sla_monitor: FunctionResources
) -> StateMachine:
    """Add the state machine ``pipeline``, which may call the two functions and write its own log."""
    settings = context.settings
    role = add_service_role(context, "state_machine_role", what="sfn", service="states.amazonaws.com")
    invoke = allow(["lambda:InvokeFunction"], [orchestrator.arn, sla_monitor.arn])
    policies = [_policy(context, role, "invoke-lambdas", invoke)]
    log_group = None
    # The level is told even when it is OFF: the provider leaves a logging that is not mentioned as it was.
    logging: dict[str, Any] = {"level": settings.sfn_log_level}
    if settings.sfn_log_level != "OFF":
        log_group = _log_group(context)
        logging |= {"include_execution_data": True, "log_destination": f"{log_group.arn}:*"}
        policies.append(_policy(context, role, "log-delivery", allow(LOG_DELIVERY_ACTIONS, ["*"])))
    filled = definition(
        orchestrator_arn=orchestrator.arn,
        sla_monitor_arn=sla_monitor.arn,
        sfn_timeout_seconds=settings.sfn_timeout_seconds,
        trigger_max_attempts=settings.trigger_max_attempts,
    )
    machine = context.add(
        SfnStateMachine,
        "state_machine",
        name=context.names("pipeline"),
        role_arn=role.arn,
        definition=json.dumps(filled, indent=2),
        logging_configuration=logging,
        tags=context.tags,
        depends_on=policies,
    )
    return StateMachine(machine=machine, role=role, log_group=log_group)


def _log_group(context: Context) -> CloudwatchLogGroup:
    return context.add(
        CloudwatchLogGroup,
        "state_machine_log",
        # Log groups with this beginning do not use up the account's one resource policy for log delivery.
        name=f"/aws/vendedlogs/states/{context.names('pipeline')}",
        retention_in_days=context.settings.log_retention_days,
        tags=context.tags,
    )


def _policy(context: Context, role: IamRole, name: str, statement: Statement) -> IamRolePolicy:
    return context.add(
        IamRolePolicy,
        f"state_machine_{name.replace('-', '_')}",
        name=name,
        role=role.name,
        policy=document(statement),
    )
