"""The construct: everything that one installation of Interlock consists of.

:class:`Interlock` reads like the table of contents of the infrastructure; each line is a module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Unpack

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf import access
from interlock_tf._cdk import (
    CloudwatchEventBus,
    CloudwatchEventRule,
    CloudwatchMetricAlarm,
    Construct,
    DataAwsIamRole,
    DynamodbTable,
    IamRole,
    IamRolePolicy,
    LambdaFunction,
    SchedulerScheduleGroup,
    SfnStateMachine,
    SqsQueue,
    TerraformProvider,
    TerraformStack,
)
from interlock_tf.alarms import add_alarms
from interlock_tf.alerting import add_alert_mapping, add_queue_policies, add_queues
from interlock_tf.batch import address_part
from interlock_tf.coexistence import refuse_collisions, require_versions
from interlock_tf.context import Context, address_prefix
from interlock_tf.dashboard import add_dashboard
from interlock_tf.events import add_bus, add_invoke_configs, add_rules, add_targets
from interlock_tf.functions import add_identities
from interlock_tf.grants import PUBLISHERS
from interlock_tf.metrics import Watched
from interlock_tf.notices import advice, problems_without_traceback, warn
from interlock_tf.pipelines import Pipelines, load_pipelines
from interlock_tf.policies import Statement, document
from interlock_tf.schedules import add_scheduler_policies, add_schedules, add_scheduling
from interlock_tf.settings import Settings
from interlock_tf.state_machine import add_state_machine
from interlock_tf.streams import add_streams
from interlock_tf.subscriptions import add_subscription
from interlock_tf.tables import add_pipeline_rows, add_tables
from interlock_tf.terraform_values import is_token
from interlock_tf.variables import Variables
from interlock_tf.wiring import FunctionMaker, Parts

#: What IAM takes for a role's name.
_ROLE_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")


class Interlock(Construct):
    """One installation of Interlock.

    Its variables are keyword arguments; ``environment`` and ``pipelines_path`` are required. What
    each one means, and its default, is in :class:`~interlock_tf.variables.Variables`. Everything is
    created by ``provider``, such as one with an alias for another region; by default by the AWS
    provider of the stack.

    Attributes:
        control_table, joblog_table, rerun_table, events_table: the tables.
        event_bus: where every event of this installation appears.
        state_machine: what carries out a run.
        functions: the six functions by key, such as ``functions["orchestrator"]``.
        roles: the roles of the functions by the same keys, and ``state_machine``,
            ``scheduler_sla`` and ``scheduler_cron``.
        alert_queue: alerts on their way to Slack.
        dead_letter_queues: ``alert_dlq``, ``stream_control_dlq``, ``stream_joblog_dlq``, ``events_dlq``.
        sla_schedule_group: where the one-time schedules of deadlines are made at run time.
        alarms: the alarms by key, such as ``alarms["orchestrator_errors"]``.
        pipelines: the pipeline documents by id, as they were read.

    Raises:
        ConfigError: everything that is wrong with the variables, or else with the documents.
    """

    control_table: DynamodbTable
    joblog_table: DynamodbTable
    rerun_table: DynamodbTable
    events_table: DynamodbTable
    event_bus: CloudwatchEventBus
    state_machine: SfnStateMachine
    functions: Mapping[str, LambdaFunction]
    roles: Mapping[str, IamRole]
    alert_queue: SqsQueue
    dead_letter_queues: Mapping[str, SqsQueue]
    sla_schedule_group: SchedulerScheduleGroup
    alarms: Mapping[str, CloudwatchMetricAlarm]
    pipelines: Mapping[str, Pipeline]

    def __init__(
        self, scope: Construct, id: str, *, provider: TerraformProvider | None = None, **variables: Unpack[Variables]
    ) -> None:
        super().__init__(scope, id)
        with problems_without_traceback():
            settings = Settings.of(**variables)
            pipelines = load_pipelines(
                pipelines_path=settings.pipelines_path,
                calendars_path=settings.calendars_path,
                environment=settings.environment,
                pipeline_variables=settings.pipeline_variables,
                sfn_timeout_seconds=settings.sfn_timeout_seconds,
                today=datetime.now(UTC).date(),
            )
            self._context = context = Context.of(self, settings, provider)
            self._build(context, pipelines)
            stack = TerraformStack.of(self)
            installed = [each._context for each in stack.node.find_all() if isinstance(each, Interlock)]
            refuse_collisions(context, [each for each in installed if each is not context])
            require_versions(stack, [each.settings for each in installed])
            for message in (*advice(settings), *map(str, pipelines.warnings)):
                warn(self, message)

    def _build(self, context: Context, pipelines: Pipelines) -> None:
        self.pipelines = {each.id: each.pipeline for each in pipelines}

        tables = add_tables(context)
        self.control_table, self.joblog_table, self.rerun_table, self.events_table = tables
        add_pipeline_rows(context, tables.control, {each.id: each.template for each in pipelines})
        identities = add_identities(context)
        bus = self.event_bus = add_bus(context, publishers=[identities[key].role.arn for key in PUBLISHERS])
        queues = add_queues(context)
        self.alert_queue = queues.alert
        self.dead_letter_queues = {key: queue for key, queue in queues.by_name.items() if key.endswith("_dlq")}
        scheduling = add_scheduling(context)
        self.sla_schedule_group = scheduling.sla_group

        parts = Parts(tables=tables, bus=bus, queues=queues, scheduling=scheduling, identities=identities)
        maker = FunctionMaker(context, parts, pipelines=pipelines)
        functions = maker.add("orchestrator", "sla_monitor", "event_sink", "alert_dispatcher")
        orchestrator, sla_monitor = functions["orchestrator"], functions["sla_monitor"]
        machine = add_state_machine(context, orchestrator=orchestrator, sla_monitor=sla_monitor)
        self.state_machine = machine.machine
        functions |= maker.add("stream_router", "watchdog", state_machine_arn=machine.arn)
        self.functions = {key: each.function for key, each in functions.items()}
        self.roles = {key: each.role for key, each in functions.items()} | {
            "state_machine": machine.role,
            "scheduler_sla": scheduling.sla_role,
            "scheduler_cron": scheduling.cron_role,
        }
        router, lost = functions["stream_router"], queues.events_dlq

        add_streams(context, tables=tables, router=router, queues=queues)
        add_alert_mapping(context, queues.alert, functions["alert_dispatcher"])
        rules = add_rules(context, bus=bus, state_machine_arn=machine.arn)
        # Rules that people add to the bus later send their dead letters to the same queue.
        senders = [*rules.arns, context.arn("events", f"rule/{context.names('events')}/*")]
        admitted = add_queue_policies(context, queues, alert_rules=rules.alert_arns, rules=senders)
        add_targets(context, rules, functions=functions, queues=queues, queue_policies=admitted)
        add_invoke_configs(context, functions=functions, dead_letters=lost)
        add_scheduler_policies(context, scheduling, sla_monitor=sla_monitor, stream_router=router, dead_letters=lost)
        add_schedules(context, scheduling, self.pipelines.values(), stream_router=router, dead_letters=lost)

        watched = Watched.of(
            functions=functions, state_machine=machine, queues=queues, bus=bus, rules=rules, scheduling=scheduling
        )
        self.alarms = add_alarms(context, watched)
        if context.settings.dashboard:
            add_dashboard(context, watched)

    def grant_sensor_write(
        self, role: IamRole | DataAwsIamRole | str, *, pipeline_ids: Iterable[str] | None = None
    ) -> IamRolePolicy:
        """Let a role write the sensors of these pipelines, or of all.

        ``role`` is the resource, or the name of a role that is made elsewhere. DynamoDB cannot limit
        the caller to sort keys that start with ``SENSOR#``; ``docs/security.md`` tells what remains
        possible.
        """
        return self._grant(role, "sensor-write", access.sensor_write, self.control_table, pipeline_ids)

    def grant_job_events(
        self, role: IamRole | DataAwsIamRole | str, *, pipeline_ids: Iterable[str] | None = None
    ) -> IamRolePolicy:
        """Let a role report how jobs of these pipelines ended, or of all, by rows of the job log."""
        return self._grant(role, "job-events", access.job_events, self.joblog_table, pipeline_ids)

    def grant_rerun(
        self, role: IamRole | DataAwsIamRole | str, *, pipeline_ids: Iterable[str] | None = None
    ) -> IamRolePolicy:
        """Let a role request reruns of these pipelines, or of all."""
        return self._grant(role, "rerun", access.rerun, self.control_table, pipeline_ids)

    def on_event(
        self, id: str, detail_types: Iterable[str], target_arn: str, *, role_arn: str | None = None
    ) -> CloudwatchEventRule:
        """Send events of these types to a target of your own: a function, a queue, a topic.

        The target must admit EventBridge, with the returned rule as the source. A target that is
        started with a role (a state machine, another bus) needs ``role_arn``. What cannot be
        delivered goes to ``dead_letter_queues["events_dlq"]``.

        Raises:
            ConfigError: an event type does not exist, or the id cannot be part of a rule's name.
        """
        with problems_without_traceback():
            return add_subscription(
                self._context,
                id,
                detail_types=detail_types,
                target_arn=target_arn,
                role_arn=role_arn,
                bus=self.event_bus,
                dead_letters=self.dead_letter_queues["events_dlq"],
            )

    def _ids(self, pipeline_ids: Iterable[str] | None) -> list[str] | None:
        if pipeline_ids is None:
            return None
        ids = [pipeline_ids] if isinstance(pipeline_ids, str) else sorted(pipeline_ids)
        unknown = [each for each in ids if each not in self.pipelines]
        if unknown or not ids:
            shown = ", ".join(map(repr, unknown)) or "an empty list"
            known = ", ".join(sorted(self.pipelines)[:20])
            problem = Problem(path="pipeline_ids", message=f"{shown} is no pipeline here; there are {known}")
            raise ConfigError(problem)
        return ids

    def _grant(
        self,
        role: IamRole | DataAwsIamRole | str,
        what: str,
        statements_for: Callable[[str, list[str] | None], list[Statement]],
        table: DynamodbTable,
        pipeline_ids: Iterable[str] | None,
    ) -> IamRolePolicy:
        context = self._context
        with problems_without_traceback():
            name, part = _role_name_and_part(context, role)
            statements = statements_for(table.arn, self._ids(pipeline_ids))
            if (key := context.settings.kms_key_arn) is not None:
                statements.append(access.cmk_use(key, context.endpoint("dynamodb")))
            return context.add(
                IamRolePolicy,
                f"{what.replace('-', '_')}_{part}",
                name=context.names(what),
                role=name,
                policy=document(*statements),
            )


def _role_name_and_part(context: Context, role: object) -> tuple[str, str]:
    """The name of a role, and what names it in a Terraform address: the same in every synthesis.

    Raises:
        ConfigError: it is neither a role nor the name of one.
    """
    if isinstance(role, IamRole | DataAwsIamRole):
        return role.name, address_prefix(role, beside=context.scope)
    if isinstance(role, str) and _ROLE_NAME.fullmatch(role):
        return role, address_part(role)
    hint = "a role as it is in the app, or the literal name of one that is made elsewhere"
    if is_token(role):
        hint += "; of a Terraform value the address of the policy would be another in every synthesis"
    raise ConfigError(Problem(path="role", message=f"{role!r} is not valid; expected {hint}"))
