"""EventBridge Scheduler: one schedule for each cron, and the groups and roles of all schedules.

The one-time schedules of deadlines are made at run time, in the group ``sla``, with the role made here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.names import cron_schedule_name
from interlock_tf._cdk import IamRole, IamRolePolicy, SchedulerScheduleGroup, SqsQueue
from interlock_tf.batch import Batch
from interlock_tf.context import Context
from interlock_tf.functions import FunctionResources
from interlock_tf.names import Names
from interlock_tf.policies import Statement, add_service_role, allow, document

#: A day, and as many attempts as Scheduler makes in it: a late start is better than none, and past
#: the pipeline's own deadline the stream-router refuses it.
RETRY_POLICY = {"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185}


@dataclass(frozen=True, kw_only=True)
class Scheduling:
    """The schedule groups, and the role that the schedules of each act with."""

    sla_group: SchedulerScheduleGroup
    sla_role: IamRole
    cron_group: SchedulerScheduleGroup
    cron_role: IamRole


@dataclass(frozen=True, kw_only=True)
class Tick:
    """When the stream-router is told to start a pipeline; ``include``: it asks first whether the date is listed."""

    mode: Literal["cron", "include"]
    expression: str


def ticks(pipeline: Pipeline) -> tuple[Tick, ...]:
    """The ticks of a pipeline: none for one that only sensors start, two for some crons with both day fields."""
    schedule = pipeline.schedule
    if schedule.cron:
        return tuple(Tick(mode="cron", expression=expression) for expression in schedule.cron.eventbridge())
    if schedule.include and schedule.time and not schedule.trigger:
        return (Tick(mode="include", expression=f"cron({schedule.time.minute} {schedule.time.hour} * * ? *)"),)
    return ()


def describe_schedules(names: Names, pipelines: Iterable[Pipeline], target: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of each schedule, by pipeline id, and by ``<id>#<part>`` after the first of a pipeline.

    ``target`` is the target of all of them, without its input.
    """
    return {
        pipeline.id if part == 1 else f"{pipeline.id}#{part}": {
            "name": cron_schedule_name(names.prefix.removesuffix("-"), pipeline.id, part=part),
            "schedule_expression": tick.expression,
            "schedule_expression_timezone": pipeline.schedule.timezone.key,
            "flexible_time_window": {"mode": "OFF"},
            "target": {**target, "input": _input(tick, pipeline)},
        }
        for pipeline in pipelines
        for part, tick in enumerate(ticks(pipeline), start=1)
    }


def add_scheduling(context: Context) -> Scheduling:
    """Add the groups and roles; what the roles may do follows with :func:`add_scheduler_policies`."""
    return Scheduling(
        sla_group=_group(context, "sla"),
        sla_role=add_service_role(
            context, "scheduler_sla_role", what="scheduler-sla", service="scheduler.amazonaws.com"
        ),
        cron_group=_group(context, "cron"),
        cron_role=add_service_role(
            context, "scheduler_cron_role", what="scheduler-cron", service="scheduler.amazonaws.com"
        ),
    )


def add_scheduler_policies(
    context: Context,
    scheduling: Scheduling,
    *,
    sla_monitor: FunctionResources,
    stream_router: FunctionResources,
    dead_letters: SqsQueue,
) -> None:
    """Let schedules invoke their function, and send to ``dead_letters`` what they could not deliver."""
    failures = [allow(["sqs:SendMessage"], [dead_letters.arn])]
    if key := context.settings.kms_key_arn:
        via_sqs = {"StringEquals": {"kms:ViaService": context.endpoint("sqs")}}
        failures.append(allow(["kms:Decrypt", "kms:GenerateDataKey"], [key], condition=via_sqs))
    _policy(context, "sla", scheduling.sla_role, sla_monitor, failures)
    _policy(context, "cron", scheduling.cron_role, stream_router, failures)


def add_schedules(
    context: Context,
    scheduling: Scheduling,
    pipelines: Iterable[Pipeline],
    *,
    stream_router: FunctionResources,
    dead_letters: SqsQueue,
) -> Batch | None:
    """Add a schedule for each tick of each pipeline."""
    target = {
        "arn": stream_router.arn,
        "role_arn": scheduling.cron_role.arn,
        "dead_letter_config": {"arn": dead_letters.arn},
        "retry_policy": RETRY_POLICY,
    }
    shared = {
        "group_name": scheduling.cron_group.name,
        "depends_on": [f"aws_iam_role_policy.{context.address('scheduler_cron_invoke')}"],
    }
    schedules = describe_schedules(context.names, pipelines, target)
    return context.add_batch(
        "aws_scheduler_schedule", "cron", {key: {**schedule, **shared} for key, schedule in schedules.items()}
    )


def _input(tick: Tick, pipeline: Pipeline) -> str:
    # Scheduler puts the instant in place of the words in angle brackets.
    message = {"mode": tick.mode, "pipelineId": pipeline.id, "scheduledAt": "<aws.scheduler.scheduled-time>"}
    return json.dumps(message, separators=(",", ":"))


def _group(context: Context, what: str) -> SchedulerScheduleGroup:
    return context.add(SchedulerScheduleGroup, f"{what}_schedules", name=context.names(what), tags=context.tags)


def _policy(
    context: Context, what: str, role: IamRole, function: FunctionResources, failures: Iterable[Statement]
) -> IamRolePolicy:
    return context.add(
        IamRolePolicy,
        f"scheduler_{what}_invoke",
        name=f"invoke-{function.key.replace('_', '-')}",
        role=role.name,
        policy=document(allow(["lambda:InvokeFunction"], [function.arn]), *failures),
    )
