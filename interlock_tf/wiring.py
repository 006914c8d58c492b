"""What connects the parts: the values of the functions' variables, and the ARNs that they may use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.rows import KIND_INDEX
from interlock_tf._cdk import CloudwatchEventBus
from interlock_tf.alerting import Queues
from interlock_tf.context import Context
from interlock_tf.functions import FUNCTIONS, FunctionResources, Identity, add_functions
from interlock_tf.grants import policies
from interlock_tf.packaging.assets import add_code
from interlock_tf.permissions import TRIGGER_PERMISSIONS, job_policies, secret_arn
from interlock_tf.pipelines import StoredPipeline
from interlock_tf.policies import Statement, document
from interlock_tf.schedules import Scheduling
from interlock_tf.tables import Tables

#: What IAM allows for all inline policies of a role together, in characters without white space.
ROLE_POLICIES_LENGTH = 10_240
#: How long a value may be that only Terraform knows: an ARN of ours.
_TOKEN = re.compile(r"\$\{TfToken\[[^]]*\]\}")
_TOKEN_LENGTH = 110


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What exists before the functions."""

    tables: Tables
    bus: CloudwatchEventBus
    queues: Queues
    scheduling: Scheduling
    identities: Mapping[str, Identity]


class FunctionMaker:
    """Adds functions in the order that their dependencies ask for."""

    def __init__(self, context: Context, parts: Parts, *, pipelines: Iterable[StoredPipeline]) -> None:
        self._context = context
        self._parts = parts
        self._code = add_code(context, [function.name for function in FUNCTIONS.values()])
        self._jobs = job_policies(context, pipelines)

    def add(self, *keys: str, state_machine_arn: str | None = None) -> dict[str, FunctionResources]:
        """Add the functions ``keys``; those that start the state machine are told its ARN."""
        policies = {key: self._policies(key, state_machine_arn) for key in keys}
        return add_functions(
            self._context,
            keys,
            identities=self._parts.identities,
            code=self._code,
            environment=environment(self._context, self._parts, state_machine_arn=state_machine_arn),
            policies=policies,
        )

    def _policies(self, key: str, state_machine_arn: str | None) -> dict[str, tuple[Statement, ...]]:
        found = role_policies(self._context, self._parts, key, state_machine_arn=state_machine_arn)
        if key == "orchestrator":
            found.update(self._jobs)
            check_length(self._context, found)
        return found


def environment(context: Context, parts: Parts, *, state_machine_arn: str | None = None) -> dict[str, str]:
    """The value of every variable that a function may read; the machine's ARN comes with those that start it."""
    settings, tables = context.settings, parts.tables
    values = {
        "CONTROL_TABLE": tables.control.name,
        "JOBLOG_TABLE": tables.joblog.name,
        "RERUN_TABLE": tables.rerun.name,
        "EVENTS_TABLE": tables.events.name,
        "EVENT_BUS_NAME": parts.bus.name,
        "SFN_TIMEOUT_SECONDS": str(settings.sfn_timeout_seconds),
        "TRIGGER_RETENTION_DAYS": str(settings.trigger_retention_days),
        "EVENTS_TTL_DAYS": str(settings.events_table_ttl_days),
        "ALLOWED_PRIVATE_HOSTS": ",".join(settings.allowed_private_hosts),
        # Put together from its parts, since a function cannot refer to itself.
        "SLA_MONITOR_ARN": context.arn("lambda", f"function:{context.names(FUNCTIONS['sla_monitor'].name)}"),
        "SCHEDULER_ROLE_ARN": parts.scheduling.sla_role.arn,
        "SCHEDULER_GROUP_NAME": parts.scheduling.sla_group.name,
        "EVENTS_DLQ_ARN": parts.queues.events_dlq.arn,
        "SLACK_CHANNEL_ID": settings.slack_channel_id,
        "SLACK_SECRET_ARN": settings.slack_secret_arn or "",
    }
    if settings.slack_secret_arn is None:
        values["SLACK_BOT_TOKEN"] = settings.slack_bot_token
    if state_machine_arn is not None:
        values["STATE_MACHINE_ARN"] = state_machine_arn
    return values


def role_policies(
    context: Context, parts: Parts, key: str, *, state_machine_arn: str | None = None
) -> dict[str, tuple[Statement, ...]]:
    """The statements of a function's role by policy name, without those for the jobs that it starts."""
    return policies(key, _arns(context, parts, key, state_machine_arn), endpoint=context.endpoint)


def check_length(context: Context, by_name: Mapping[str, Iterable[Statement]]) -> None:
    """Refuse policies that one role cannot hold together.

    Raises:
        ConfigError: they are too long, as far as can be told before Terraform knows every ARN.
    """
    known = {context.partition: "aws", context.region: "ap-northeast-1", context.account_id: "0" * 12}
    length = 0
    for statements in by_name.values():
        text = document(*statements)
        for token, value in known.items():
            text = text.replace(token, value)
        length += len(_TOKEN.sub("x" * _TOKEN_LENGTH, text))
    if length > ROLE_POLICIES_LENGTH:
        raise ConfigError(
            Problem(
                path=", ".join(permission.arns for permission in TRIGGER_PERMISSIONS if permission.policy in by_name),
                message=f"the orchestrator's policies would be {length:,} characters long and IAM allows "
                f"{ROLE_POLICIES_LENGTH:,} for a role: the pipelines name too many different jobs and secrets; give "
                "ARNs with wildcards, such as arn:aws:glue:*:*:job/gold-*",
            )
        )


def _arns(context: Context, parts: Parts, key: str, state_machine_arn: str | None) -> Mapping[str, Sequence[str]]:
    settings, tables, queues = context.settings, parts.tables, parts.queues
    secret = settings.slack_secret_arn
    in_vpc = FUNCTIONS[key].calls_out and settings.vpc_config is not None
    return {
        "own_log": [f"{parts.identities[key].log_group.arn}:*"],
        "control": [tables.control.arn],
        "control_kinds": [f"{tables.control.arn}/index/{KIND_INDEX}"],
        "joblog": [tables.joblog.arn],
        "rerun": [tables.rerun.arn],
        "events": [tables.events.arn],
        "streams": [tables.control.stream_arn, tables.joblog.stream_arn],
        "bus": [parts.bus.arn],
        "machine": _some(state_machine_arn),
        "executions": _some(state_machine_arn and context.arn("states", f"execution:{context.names('pipeline')}:*")),
        "stream_dlqs": [queues.stream_control_dlq.arn, queues.stream_joblog_dlq.arn],
        "events_dlq": [queues.events_dlq.arn],
        "alert_queue": [queues.alert.arn],
        "sla_schedules": [context.arn("scheduler", f"schedule/{context.names('sla')}/*")],
        "scheduler_role": [parts.scheduling.sla_role.arn],
        "slack_secret": _some(secret and secret_arn(context, secret)),
        "cmk": _some(settings.kms_key_arn),
        # IAM knows no resource for the listing of streams, and network interfaces have no ARN before they exist.
        "any": ["*"],
        "network": ["*"] if in_vpc else [],
    }


def _some(arn: str | None) -> list[str]:
    return [] if arn is None else [arn]
