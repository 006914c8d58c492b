"""The metrics of an installation, as the alarms and the dashboard both need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interlock_tf._cdk import CloudwatchEventBus
from interlock_tf.alerting import Queues
from interlock_tf.events import Rules
from interlock_tf.functions import Functions
from interlock_tf.schedules import Scheduling
from interlock_tf.state_machine import StateMachine


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The physical names that metrics go by; every mapping is from a key to a name.

    ``rules_on_bus`` are the keys of the rules on ``event_bus``; the others are on the default bus.
    """

    functions: Mapping[str, str]
    state_machine_arn: str
    queues: Mapping[str, str]
    rules: Mapping[str, str]
    event_bus: str
    rules_on_bus: frozenset[str]
    schedule_groups: Mapping[str, str]

    @classmethod
    def of(
        cls,
        *,
        functions: Functions,
        state_machine: StateMachine,
        queues: Queues,
        bus: CloudwatchEventBus,
        rules: Rules,
        scheduling: Scheduling,
    ) -> Watched:
        """What is watched of an installation with these resources."""
        return cls(
            functions={key: function.name for key, function in functions.items()},
            state_machine_arn=state_machine.arn,
            queues={key: queue.name for key, queue in queues.by_name.items()},
            rules={key: rule.name for key, rule in rules.made.items()},
            event_bus=bus.name,
            rules_on_bus=frozenset(key for key, rule in rules.described.items() if rule.own_bus),
            schedule_groups={"sla": scheduling.sla_group.name, "cron": scheduling.cron_group.name},
        )

    def function(self, key: str, name: str) -> Metric:
        """A metric of Lambda about the function of that key."""
        return Metric("AWS/Lambda", name, {"FunctionName": self.functions[key]})

    def executions(self, name: str) -> Metric:
        """A metric of Step Functions about all executions."""
        return Metric("AWS/States", name, {"StateMachineArn": self.state_machine_arn})

    def queue(self, key: str, name: str) -> Metric:
        """A metric of SQS about the queue of that key."""
        return Metric("AWS/SQS", name, {"QueueName": self.queues[key]})

    def rule(self, key: str, name: str) -> Metric:
        """A metric of EventBridge about the rule of that key."""
        bus = {"EventBusName": self.event_bus} if key in self.rules_on_bus else {}
        return Metric("AWS/Events", name, {**bus, "RuleName": self.rules[key]})

    def schedule_group(self, key: str, name: str) -> Metric:
        """A metric of Scheduler about the group of that key."""
        return Metric("AWS/Scheduler", name, {"ScheduleGroup": self.schedule_groups[key]})
