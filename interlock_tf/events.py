"""The event bus, the rules on it and on the account's default bus, and where they lead.

Every target has a dead-letter queue, and so has every function that is invoked asynchronously:
an event that cannot be delivered is kept, and an alarm tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core.events import ALERT_EVENTS, INFRASTRUCTURE, SOURCE
from interlock_tf._cdk import (
    CloudwatchEventBus,
    CloudwatchEventBusPolicy,
    CloudwatchEventRule,
    CloudwatchEventTarget,
    ITerraformDependable,
    LambdaFunctionEventInvokeConfig,
    LambdaPermission,
    SqsQueue,
    SqsQueuePolicy,
)
from interlock_tf.alerting import Queues
from interlock_tf.context import Context
from interlock_tf.functions import Functions
from interlock_tf.names import Names
from interlock_tf.policies import document

#: The target of a rule that leads to the alert queue; every other target is a function's key.
ALERT_QUEUE = "alert_queue"

#: What of a CloudWatch alarm event is passed on. Paths that every such event has: EventBridge
#: drops a variable whose path is absent, and what is left would not be JSON.
ALARM_PATHS: Mapping[str, str] = {
    "id": "$.id",
    "time": "$.time",
    "region": "$.region",
    "account": "$.account",
    "alarmName": "$.detail.alarmName",
    "state": "$.detail.state.value",
    "reason": "$.detail.state.reason",
}

#: How often an asynchronous invocation is retried. The next pass of the watchdog is its retry.
ASYNC_RETRIES: Mapping[str, int] = {"stream_router": 2, "sla_monitor": 2, "event_sink": 2, "watchdog": 0}
#: How long an asynchronous invocation may wait while the function is throttled: the longest that Lambda allows.
ASYNC_AGE_SECONDS = 21600
#: A watchdog pass that could not start for so long is a dead letter, so that somebody hears of it.
WATCHDOG_AGE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule and its one target: the alert queue, or the function of that key.

    ``what`` is the rule's name without the environment. A rule has a ``pattern`` or a
    ``schedule``. ``own_bus`` is False for events that AWS services put on the default bus;
    ``as_infra_alarm`` turns an alarm's event into an ``INFRA_ALARM``.
    """

    what: str
    description: str
    target: str
    target_id: str
    pattern: Mapping[str, Any] | None = None
    schedule: str | None = None
    own_bus: bool = False
    as_infra_alarm: bool = False
    statement_id: str = "AllowEventBridgeInvoke"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules as resources, by key, and how each of them is described."""

    described: Mapping[str, Rule]
    made: Mapping[str, CloudwatchEventRule]

    @property
    def arns(self) -> list[str]:
        """The ARNs of all rules."""
        return [rule.arn for rule in self.made.values()]

    @property
    def alert_arns(self) -> list[str]:
        """The ARNs of the rules that lead to the alert queue."""
        return [rule.arn for key, rule in self.made.items() if self.described[key].target == ALERT_QUEUE]


def event_pattern(detail_types: Sequence[str] | None = None) -> dict[str, Any]:
    """The pattern of Interlock's events: of all types, or of these."""
    pattern: dict[str, Any] = {"source": [SOURCE]}
    return pattern if detail_types is None else {**pattern, "detail-type": list(detail_types)}


def alarm_pattern(names: Names, *states: str) -> dict[str, Any]:
    """The pattern of state changes of this installation's alarms, to these ``states`` or to any."""
    name = {"wildcard": f"{names.prefix}*{names.ending}"} if names.ending else {"prefix": names.prefix}
    detail: dict[str, Any] = {"alarmName": [name]}
    if states:
        detail["state"] = {"value": list(states)}
    return {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"], "detail": detail}


def execution_pattern(state_machine_arn: str) -> dict[str, Any]:
    """The pattern of executions that ended in another way than the definition foresees."""
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [state_machine_arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }


def infra_alarm_template() -> str:
    """The input template that makes an ``INFRA_ALARM`` of an alarm's event, in the form of an event on the bus.

    The placeholders stand outside quotes: there EventBridge inserts each value as JSON, quotes
    and escapes included, so that a reason may hold quotes, newlines and backslashes. Inside
    quotes it would insert the bare text. So no text is composed here; the consumers do that.
    """
    event = {
        "id": "<id>",
        "source": SOURCE,
        "detail-type": "INFRA_ALARM",
        "time": "<time>",
        "region": "<region>",
        "account": "<account>",
        "detail": {
            "pipelineId": INFRASTRUCTURE,
            "scheduleId": None,
            "date": None,
            "message": "<reason>",
            "timestamp": "<time>",
            "detail": {name: f"<{name}>" for name in ("alarmName", "state", "reason", "time", "region", "account")},
        },
    }
    return re.sub(r'"(<\w+>)"', r"\1", json.dumps(event))


def describe_rules(names: Names, *, watchdog_schedule: str, state_machine_arn: str) -> Mapping[str, Rule]:
    """The six rules by key."""
    return {
        "watchdog": Rule(
            what="watchdog",
            description="Runs the watchdog",
            schedule=watchdog_schedule,
            target="watchdog",
            target_id="watchdog-lambda",
        ),
        "all_events": Rule(
            what="all-events",
            description="Records every event of Interlock",
            pattern=event_pattern(),
            own_bus=True,
            target="event_sink",
            target_id="event-sink-lambda",
        ),
        "alert_events": Rule(
            what="alert-events",
            description="Queues the events that people should hear of",
            pattern=event_pattern(ALERT_EVENTS),
            own_bus=True,
            target=ALERT_QUEUE,
            target_id="alert-sqs",
        ),
        "alarm_log": Rule(
            what="cw-alarm-log",
            description="Records every state change of Interlock's own alarms",
            pattern=alarm_pattern(names),
            as_infra_alarm=True,
            target="event_sink",
            target_id="cw-alarm-event-sink",
            statement_id="AllowCWAlarmEventBridgeInvoke",
        ),
        "alarm_alert": Rule(
            what="cw-alarm-alert",
            description="Queues an alert when one of Interlock's own alarms goes off",
            pattern=alarm_pattern(names, "ALARM"),
            as_infra_alarm=True,
            target=ALERT_QUEUE,
            target_id="cw-alarm-alert-sqs",
        ),
        "executions": Rule(
            what="executions",
            description="Closes the run of an execution that failed, timed out or was stopped",
            pattern=execution_pattern(state_machine_arn),
            target="stream_router",
            target_id="stream-router-lambda",
            statement_id="AllowExecutionStatusInvoke",
        ),
    }


def add_bus(context: Context, *, publishers: Iterable[str]) -> CloudwatchEventBus:
    """Add the bus ``events``, on which the roles ``publishers`` (ARNs) may put events."""
    bus = context.add(CloudwatchEventBus, "event_bus", name=context.names("events"), tags=context.tags)
    publish = {
        "Sid": "publish",
        "Effect": "Allow",
        "Principal": {"AWS": list(publishers)},
        "Action": "events:PutEvents",
        "Resource": bus.arn,
    }
    context.add(CloudwatchEventBusPolicy, "event_bus_policy", event_bus_name=bus.name, policy=document(publish))
    return bus


def add_rules(context: Context, *, bus: CloudwatchEventBus, state_machine_arn: str) -> Rules:
    """Add the rules; their targets follow with :func:`add_targets`, when those may be sent to."""
    described = describe_rules(
        context.names,
        watchdog_schedule=context.settings.watchdog_schedule,
        state_machine_arn=state_machine_arn,
    )
    return Rules(
        described=described,
        made={
            key: context.add(
                CloudwatchEventRule,
                f"{key}_rule",
                name=context.names(rule.what),
                description=rule.description,
                event_bus_name=bus.name if rule.own_bus else None,
                event_pattern=json.dumps(rule.pattern) if rule.pattern else None,
                schedule_expression=rule.schedule,
                tags=context.tags,
            )
            for key, rule in described.items()
        },
    )


def add_targets(
    context: Context,
    rules: Rules,
    *,
    functions: Functions,
    queues: Queues,
    queue_policies: Mapping[str, SqsQueuePolicy],
) -> None:
    """Lead each rule to its target, once the target and the dead-letter queue admit it."""
    for key, rule in rules.described.items():
        made = rules.made[key]
        admitted: ITerraformDependable = queue_policies["alert"]
        if rule.target != ALERT_QUEUE:
            admitted = context.add(
                LambdaPermission,
                f"{key}_permission",
                function_name=functions[rule.target].name,
                statement_id=rule.statement_id,
                action="lambda:InvokeFunction",
                principal="events.amazonaws.com",
                source_arn=made.arn,
            )
        context.add(
            CloudwatchEventTarget,
            f"{key}_target",
            rule=made.name,
            event_bus_name=made.event_bus_name if rule.own_bus else None,
            target_id=rule.target_id,
            arn=queues.alert.arn if rule.target == ALERT_QUEUE else functions[rule.target].arn,
            input_transformer=_infra_alarm() if rule.as_infra_alarm else None,
            dead_letter_config={"arn": queues.events_dlq.arn},
            depends_on=[admitted, queue_policies["events_dlq"]],
        )


def add_invoke_configs(context: Context, *, functions: Functions, dead_letters: SqsQueue) -> None:
    """Keep what an asynchronous invocation could not handle in the queue ``dead_letters``."""
    for key, retries in ASYNC_RETRIES.items():
        context.add(
            LambdaFunctionEventInvokeConfig,
            f"{key}_async",
            function_name=functions[key].name,
            maximum_retry_attempts=retries,
            maximum_event_age_in_seconds=WATCHDOG_AGE_SECONDS if key == "watchdog" else ASYNC_AGE_SECONDS,
            destination_config={"on_failure": {"destination": dead_letters.arn}},
            # Lambda refuses a destination that the function's role may not send to.
            depends_on=list(functions[key].policies),
        )


def _infra_alarm() -> dict[str, Any]:
    return {"input_paths": dict(ALARM_PATHS), "input_template": infra_alarm_template()}
