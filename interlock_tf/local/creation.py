"""What ``terraform apply`` does: every resource of a stack is created where it lives, in the order that needs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from interlock_tf.local import alarms, bus, functions, queues, scheduler, streams
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.asl import Machine
from interlock_tf.local.executions import Executions
from interlock_tf.local.memory_tables import MemoryTables
from interlock_tf.local.permissions import Permissions
from interlock_tf.local.rule_checks import check_rules
from interlock_tf.local.tables import Tables
from interlock_tf.local.terraform_json import Configuration, StackError

#: Resources that nothing has to be done about: what they are for is not simulated.
_WITHOUT_EFFECT = frozenset(
    {
        "aws_cloudwatch_dashboard",
        "aws_cloudwatch_event_bus_policy",
        "aws_cloudwatch_log_group",
        "aws_iam_role",  # read by Roles
        "aws_iam_role_policy",  # read by Roles
        "aws_lambda_permission",  # read by Doors
        "aws_sqs_queue_policy",  # read by Doors
    }
)


class Region(Protocol):
    """The services in which resources are created."""

    agenda: Agenda
    alarms: alarms.Alarms
    bus: bus.Bus
    executions: Executions
    functions: functions.Functions
    permissions: Permissions
    queues: queues.Queues
    scheduler: scheduler.Scheduler
    streams: streams.Streams
    tables: Tables | MemoryTables


class Creation:
    """Creates the resources of a stack; ``around`` is what its functions are surrounded with."""

    def __init__(self, configuration: Configuration, region: Region, *, around: functions.Clocked) -> None:
        self._configuration = configuration
        self._region = region
        self._around = around

    def create(self) -> None:
        """Create all of them.

        Raises:
            StackError: the stack has something in it that cannot be run here, or is wrong.
        """
        region = self._region
        makers: dict[str, Callable[[Mapping[str, Any], str], None]] = {
            "aws_dynamodb_table": self._table,
            "aws_dynamodb_table_item": self._row,
            "aws_sqs_queue": self._queue,
            "aws_lambda_function": self._function,
            "aws_lambda_function_event_invoke_config": self._retries,
            "aws_lambda_event_source_mapping": self._mapping,
            "aws_cloudwatch_event_bus": lambda each, _: region.bus.names.add(each["name"]),
            "aws_cloudwatch_event_rule": self._rule,
            "aws_cloudwatch_event_target": self._target,
            "aws_sfn_state_machine": self._machine,
            "aws_scheduler_schedule_group": lambda each, _: region.scheduler.groups.add(each["name"]),
            "aws_scheduler_schedule": lambda *each: region.scheduler.add(scheduler.schedule_of(*each)),
            "aws_cloudwatch_metric_alarm": lambda *each: region.alarms.alarms.append(alarms.alarm_of(*each)),
        }
        if unknown := sorted(self._configuration.kinds() - makers.keys() - _WITHOUT_EFFECT):
            raise StackError(f"resources of the type {', '.join(unknown)} cannot be run here")
        for kind, make in makers.items():
            for address, attributes in self._configuration.resources(kind):
                try:
                    make(attributes, address)
                except KeyError as error:
                    raise StackError(f"{address}: {error.args[0]} is not set, or there is no such resource") from error
        check_rules(
            region.bus,
            self._configuration.place,
            pipeline_ids=self._configuration.pipeline_ids(),
            alarms=region.alarms.alarms,
            machine_arns=region.executions.machines,
        )

    def _table(self, attributes: Mapping[str, Any], _address: str) -> None:
        self._region.tables.create(attributes)
        if attributes.get("stream_enabled"):
            self._region.streams.arns[attributes["name"]] = attributes["stream_arn"]

    def _row(self, attributes: Mapping[str, Any], _address: str) -> None:
        row = {"TableName": attributes["table_name"], "Item": json.loads(attributes["item"])}
        self._region.tables.answer("PutItem", row)

    def _queue(self, attributes: Mapping[str, Any], address: str) -> None:
        queue = queues.queue_of(attributes, address)
        self._region.queues.by_arn[queue.arn] = queue

    def _function(self, attributes: Mapping[str, Any], address: str) -> None:
        made = functions.LocalFunction(
            address=address,
            name=attributes["function_name"],
            arn=attributes["arn"],
            role_arn=attributes["role"],
            handler=attributes["handler"],
            timeout=attributes["timeout"],
            memory=attributes["memory_size"],
            environment=attributes.get("environment", {}).get("variables", {}),
            code=functions.code_of(self._configuration.folder, attributes, address),
            place=self._configuration.place,
        )
        self._region.permissions.take_function(made, address, in_network=bool(attributes.get("vpc_config")))
        self._region.functions.add(made, self._around)

    def _retries(self, attributes: Mapping[str, Any], address: str) -> None:
        function = self._region.functions.named(attributes["function_name"])
        if function is None:
            raise StackError(f"{address}: there is no function {attributes['function_name']}")
        function.retries = functions.Retries(
            attempts=attributes.get("maximum_retry_attempts", 2),
            maximum_age=timedelta(seconds=attributes.get("maximum_event_age_in_seconds", 21600)),
            destination=attributes.get("destination_config", {}).get("on_failure", {}).get("destination"),
        )
        if function.retries.destination:
            self._region.permissions.take_destination(function, function.retries.destination, address)

    def _mapping(self, attributes: Mapping[str, Any], address: str) -> None:
        region = self._region
        function = region.functions.by_arn.get(attributes["function_name"])
        if function is None:
            raise StackError(f"{address}: there is no function {attributes['function_name']}")
        region.permissions.take_source(function, attributes["event_source_arn"], address)
        if attributes["event_source_arn"] in region.queues.by_arn:
            region.queues.mappings.append(queues.mapping_of(attributes))
            return
        mapping = streams.mapping_of(attributes, address)
        if mapping.stream_arn not in region.streams.arns.values():
            raise StackError(f"{address}: there is neither a queue nor a stream {mapping.stream_arn}")
        region.streams.shards.append(streams.Shard(mapping, region.agenda, region.functions))

    def _rule(self, attributes: Mapping[str, Any], address: str) -> None:
        rule = bus.rule_of(attributes, address)
        if rule.bus not in self._region.bus.names:
            raise StackError(f"{address}: there is no event bus {rule.bus}")
        self._region.bus.rules[rule.arn] = rule

    def _target(self, attributes: Mapping[str, Any], address: str) -> None:
        region = self._region
        target = bus.target_of(attributes, address)
        named = (attributes["rule"], attributes.get("event_bus_name", bus.DEFAULT_BUS))
        rule = next((each for each in region.bus.rules.values() if (each.name, each.bus) == named), None)
        if rule is None:
            raise StackError(f"{address}: there is no rule {named[0]} on the bus {named[1]}")
        if target.arn not in region.functions.by_arn and target.arn not in region.queues.by_arn:
            raise StackError(f"{address}: there is neither a function nor a queue {target.arn}")
        rule.targets.append(target)

    def _machine(self, attributes: Mapping[str, Any], address: str) -> None:
        self._region.permissions.take_machine(
            attributes["arn"],
            role_arn=attributes["role_arn"],
            name=attributes["name"],
            logs=attributes.get("logging_configuration", {}).get("level", "OFF") != "OFF",
            address=address,
        )
        machine = Machine(json.loads(attributes["definition"]), address)
        self._region.executions.machines[attributes["arn"]] = machine
