"""The emitted stack, running: everything in one process, on one agenda, on one thread at a time.

What runs is the synthesised ``cdk.tf.json`` and the zips beside it. DynamoDB's expressions are
moto's; everything that moto does otherwise than AWS or not at all (streams, queues' mappings,
EventBridge, Scheduler, retries, alarms, an interpreter whose waits take no time) is done here, on
the agenda. Functions take no time but that for which they wait. With the same configuration, start,
seed and inputs, the same happens to the byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from random import Random
from threading import RLock
from typing import Any

from interlock_runtime.core import rows
from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.instants import millis
from interlock_runtime.core.reader import read
from interlock_tf.local import (
    alarms,
    bus,
    functions,
    iam_requests,
    job_services,
    queues,
    scheduler,
    streams,
)
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.asl import Machine
from interlock_tf.local.aws_session import LocalSession
from interlock_tf.local.disturbances import Calm
from interlock_tf.local.executions import Executions
from interlock_tf.local.iam_policies import Access
from interlock_tf.local.job_services import JobServices
from interlock_tf.local.jobs import Job, Jobs
from interlock_tf.local.memory_tables import MemoryTables
from interlock_tf.local.quick_session import QuickSession
from interlock_tf.local.resource_policies import Doors
from interlock_tf.local.roles import Principal, Roles
from interlock_tf.local.slack_channel import SlackChannel
from interlock_tf.local.tables import Change, Tables
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

_EXPIRY_INTERVAL = timedelta(hours=1)

#: What is told of every call of a function: its name (None for a person), service, operation, parameters.
Observer = Callable[[str | None, str, str, Mapping[str, Any]], None]


class World:
    """One stack, from an instant on. Nothing happens before :meth:`run_until`.

    ``disturbances`` are what goes wrong. ``quick`` is for many days: calls are not checked against
    the services' models, and the tables understand no more than the functions say.

    Raises:
        StackError: the stack has something in it that cannot be run here, or is wrong.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        agenda: Agenda,
        seed: int = 0,
        disturbances: Calm | None = None,
        quick: bool = False,
    ) -> None:
        place = configuration.place
        self.configuration = configuration
        self.agenda = agenda
        self.observers: list[Observer] = []
        self.roles = Roles(configuration)
        self.functions = functions.Functions(agenda, self._answer_function, disturbances=disturbances)
        self.tables: Tables | MemoryTables = MemoryTables(place) if quick else Tables(place)
        self.streams = streams.Streams(agenda, place.region)
        self.queues = queues.Queues(agenda, self.functions)
        self.bus = bus.Bus(agenda, place, functions=self.functions, queues=self.queues)
        self.scheduler = scheduler.Scheduler(agenda, self.functions)
        self.executions = Executions(agenda, self.functions, random=Random(seed))  # noqa: S311 - jitter
        self.alarms = alarms.Alarms(agenda)
        self.jobs = Jobs(agenda, pipeline=self.pipeline, running=lambda: self.functions.running[-1].event)
        self.job_services = JobServices(self.jobs, documents=self._documents, functions=self.functions)
        self.slack = SlackChannel(self.functions, now=agenda.now)
        self._session: Callable[[str], Any] = QuickSession if quick else LocalSession
        self._counted: Counter[str] = Counter()
        self._lock = RLock()
        self._machines: dict[str, Principal] = {}
        self._doors = Doors(configuration)
        self._connect()
        self._create()
        self._pipelines: Mapping[str, Pipeline] = {}
        self._read_pipelines()
        self.bus.start()
        self.alarms.start()
        self._expire()

    def now(self) -> datetime:
        """The time, in UTC."""
        return self.agenda.now()

    def run_until(self, instant: datetime) -> None:
        """Let everything happen that happens until then, in virtual time."""
        self.agenda.run_until(instant)

    def close(self) -> None:
        """Nothing happens here any more: the code of the functions can be had by another world of this process."""
        for function in self.functions.by_arn.values():
            function.code.release()

    def answer(self, service: str, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call of an AWS service, of a person, who may do everything.

        Raises:
            ServiceError: the service would refuse it, or it is not known here.
        """
        with self._lock:
            return self._answer(None, service, operation, call)

    def _answer_function(self, service: str, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a call of the function that runs, which may do what its role allows, unless something goes wrong."""
        with self._lock:
            invocation = self.functions.running[-1]
            if invocation.gone is not None:
                raise invocation.gone
            if (function := self.functions.named(invocation.function)) is not None:
                self.roles.check_call(_principal(function), service, operation, call)

            def act(parameters: Mapping[str, Any] = call) -> Mapping[str, Any]:
                return self._answer(invocation.function, service, operation, parameters)

            answer: Mapping[str, Any] = self.functions.disturbances.call(invocation, service, operation, call, act)
            return answer

    def _answer(self, caller: str | None, service: str, operation: str, call: Mapping[str, Any]) -> Mapping[str, Any]:
        for observer in self.observers:
            observer(caller, service, operation, call)
        if service == "dynamodb":
            return self.tables.answer(operation, call)
        if service == "events" and operation == "PutEvents":
            return self.bus.put(call)
        if service == "scheduler":
            return self.scheduler.answer(operation, call)
        if service == "sqs":
            return self.queues.answer(operation, call)
        if service == "stepfunctions" and (mine := self._of_machine(operation, call)) is not None:
            return mine(call)
        return self.job_services.answer(service, operation, call)

    @property
    def control_table(self) -> str:
        """The name of the control table."""
        return str(self.configuration.outputs()["control_table_name"])

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """A pipeline, as its row has it.

        Raises:
            StackError: there is none of that id.
        """
        if pipeline_id not in self._pipelines:
            known = ", ".join(sorted(self._pipelines))
            raise StackError(f"there is no pipeline {pipeline_id!r}; the stack has {known}")
        return self._pipelines[pipeline_id]

    def pipelines(self) -> Mapping[str, Pipeline]:
        """All pipelines, by id."""
        return self._pipelines

    def row(self, table: str, partition: str, sort: str) -> dict[str, Any] | None:
        """A row as DynamoDB's JSON, or None."""
        key = {"PK": {"S": partition}, "SK": {"S": sort}}
        return self.tables.answer("GetItem", {"TableName": table, "Key": key}).get("Item")

    def _documents(self) -> Iterator[str]:
        return (row["config"]["S"] for row in self.tables.rows(self.control_table) if row["SK"]["S"] == rows.CONFIG)

    def _read_pipelines(self) -> None:
        """Read all documents anew. Not while a function runs: its modules stand in the place of ours."""
        if self.functions.running:
            self.agenda.after(timedelta(seconds=1), self._read_pipelines)
            return
        found = [read(Pipeline, json.loads(text)) for text in self._documents()]
        self._pipelines = {pipeline.id: pipeline for pipeline in found}

    def _changed(self, change: Change) -> None:
        self.streams.add(change)
        if change.keys["SK"]["S"] == rows.CONFIG:
            self.agenda.after(timedelta(), self._read_pipelines)

    def _of_machine(self, operation: str, call: Mapping[str, Any]) -> Callable[[Any], Mapping[str, Any]] | None:
        """What answers a call about the stack's own state machine; None when it is about another."""
        arn = call.get("stateMachineArn") or str(call.get("executionArn", "")).replace(":execution:", ":stateMachine:")
        if not any(arn == each or arn.startswith(f"{each}:") for each in self.executions.machines):
            return None
        answers: dict[str, Callable[[Any], Mapping[str, Any]]] = {
            "StartExecution": self.executions.start,
            "DescribeExecution": self.executions.describe,
            "StopExecution": self.executions.stop,
            "ListExecutions": self.executions.list,
        }
        return answers.get(operation)

    def _connect(self) -> None:
        self.tables.changed = self._changed
        self.executions.changed = self.bus.publish
        self.executions.metric = lambda name, arn: self.alarms.record(("AWS/States", name, "StateMachineArn", arn))
        self.jobs.reports = self._report
        self.alarms.changed = self.bus.publish
        self.alarms.measure = self._measure
        self.functions.dead_letter = lambda arn, record: self._send(arn, record)
        self.executions.refusal = self._machine_refusal
        self.scheduler.refusal = lambda role_arn, arn, schedule: self._refusal(Principal(role_arn, schedule), arn)
        self.scheduler.dead_letter = self._send_for_schedule
        self.functions.failed = lambda function, *_: self.alarms.record(
            ("AWS/Lambda", "Errors", "FunctionName", function.name)
        )
        self.bus.may = self._opens

    def _report(self, job: Job) -> None:
        """Write the job-log row of a job that ended as its service cannot tell, as a job outside would."""
        if (told := job_services.report(job)) is None:
            return
        key = {
            "PK": rows.pk(job.pipeline_id),
            "SK": rows.job(job.schedule_id, job.date, millis(self.now())),
        }
        row = encode_item({**key, **told, "attempt": job.attempt})
        self.tables.answer("PutItem", {"TableName": self.configuration.outputs()["joblog_table_name"], "Item": row})

    def _send(self, arn: str, record: Any) -> None:
        """Keep what a function could not do, with its role."""
        function = self.functions.by_arn[record["requestContext"]["functionArn"].removesuffix(":$LATEST")]
        if self.roles.refusal(_principal(function), [Access("sqs:SendMessage", arn)]) is None:
            self.queues.send(arn, json.dumps(record))

    def _send_for_schedule(self, role_arn: str, arn: str, schedule: str, event: Any) -> None:
        """Keep what a schedule could not deliver."""
        if self.roles.refusal(Principal(role_arn, schedule), [Access("sqs:SendMessage", arn)]) is None:
            self.queues.send(arn, json.dumps(event))

    def _machine_refusal(self, machine_arn: str, function_arn: str) -> str | None:
        return self._refusal(self._machines[machine_arn], function_arn)

    def _refusal(self, principal: Principal, function_arn: str) -> str | None:
        return self.roles.refusal(principal, [Access("lambda:InvokeFunction", function_arn)])

    def _opens(self, target: str, principal: str, source: str) -> bool:
        if (queue := self.queues.by_arn.get(target)) is not None:
            return self._doors.queue_opens(queue.url, queue.arn, principal=principal, source=source)
        return self._doors.function_opens(target, principal=principal, source=source)

    def _measure(self) -> None:
        for each in self.functions.by_arn.values():
            if calls := each.invocations - self._counted[each.name]:
                self._counted[each.name] += calls
                self.alarms.record(("AWS/Lambda", "Invocations", "FunctionName", each.name), calls)
        for queue in self.queues.by_arn.values():
            visible = self.queues.visible(queue.arn)
            name = "ApproximateNumberOfMessagesVisible"
            self.alarms.record(("AWS/SQS", name, "QueueName", queue.name), len(visible))
            oldest = min((message.sent for message in queue.messages), default=self.now())
            age = (self.now() - oldest).total_seconds()
            self.alarms.record(("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name), age)
        for shard in self.streams.shards:
            function = self.functions.by_arn[shard.mapping.function_arn].name
            age = (self.now() - (shard.oldest() or self.now())).total_seconds()
            self.alarms.record(("AWS/Lambda", "IteratorAge", "FunctionName", function), age * 1000)

    def _expire(self) -> None:
        self.tables.expire(self.now())
        self.agenda.after(_EXPIRY_INTERVAL, self._expire)

    def _create(self) -> None:
        makers: dict[str, Callable[[Mapping[str, Any], str], None]] = {
            "aws_dynamodb_table": self._create_table,
            "aws_dynamodb_table_item": self._create_row,
            "aws_sqs_queue": lambda each, address: self._create_queue(queues.queue_of(each, address)),
            "aws_lambda_function": self._create_function,
            "aws_lambda_function_event_invoke_config": self._create_retries,
            "aws_lambda_event_source_mapping": self._create_mapping,
            "aws_cloudwatch_event_bus": lambda each, _: self.bus.names.add(each["name"]),
            "aws_cloudwatch_event_rule": self._create_rule,
            "aws_cloudwatch_event_target": self._create_target,
            "aws_sfn_state_machine": self._create_machine,
            "aws_scheduler_schedule_group": lambda each, _: self.scheduler.groups.add(each["name"]),
            "aws_scheduler_schedule": lambda each, address: self.scheduler.add(scheduler.schedule_of(each, address)),
            "aws_cloudwatch_metric_alarm": lambda each, address: self.alarms.alarms.append(
                alarms.alarm_of(each, address)
            ),
        }
        if unknown := sorted(self.configuration.kinds() - makers.keys() - _WITHOUT_EFFECT):
            raise StackError(f"resources of the type {', '.join(unknown)} cannot be run here")
        for kind, make in makers.items():
            for address, attributes in self.configuration.resources(kind):
                try:
                    make(attributes, address)
                except KeyError as error:
                    raise StackError(f"{address}: {error.args[0]} is not set, or there is no such resource") from error

    def _create_table(self, attributes: Mapping[str, Any], _address: str) -> None:
        self.tables.create(attributes)
        if attributes.get("stream_enabled"):
            self.streams.arns[attributes["name"]] = attributes["stream_arn"]

    def _create_row(self, attributes: Mapping[str, Any], _address: str) -> None:
        self.tables.answer("PutItem", {"TableName": attributes["table_name"], "Item": json.loads(attributes["item"])})

    def _create_queue(self, queue: queues.Queue) -> None:
        self.queues.by_arn[queue.arn] = queue

    def _create_function(self, attributes: Mapping[str, Any], address: str) -> None:
        made = functions.LocalFunction(
            address=address,
            name=attributes["function_name"],
            arn=attributes["arn"],
            role_arn=attributes["role"],
            handler=attributes["handler"],
            timeout=attributes["timeout"],
            memory=attributes["memory_size"],
            environment=attributes.get("environment", {}).get("variables", {}),
            code=functions.code_of(self.configuration.folder, attributes, address),
            place=self.configuration.place,
        )
        self.roles.require(_principal(made), iam_requests.log_writes(self.configuration.place, made.name), address)
        if attributes.get("vpc_config"):
            network = [Access(action, "*") for action in iam_requests.NETWORK_ACTIONS]
            self.roles.require(_principal(made), network, address)
        around = functions.Clocked(
            now=self.now,
            sleep=self.functions.take_time,
            session=self._session,
            services=self.job_services.surround,
            channel=self.slack.surround,
        )
        self.functions.add(made, around)

    def _create_retries(self, attributes: Mapping[str, Any], address: str) -> None:
        function = self.functions.named(attributes["function_name"])
        if function is None:
            raise StackError(f"{address}: there is no function {attributes['function_name']}")
        function.retries = functions.Retries(
            attempts=attributes.get("maximum_retry_attempts", 2),
            maximum_age=timedelta(seconds=attributes.get("maximum_event_age_in_seconds", 21600)),
            destination=attributes.get("destination_config", {}).get("on_failure", {}).get("destination"),
        )
        if function.retries.destination:
            send = Access("sqs:SendMessage", function.retries.destination)
            self.roles.require(_principal(function), [send], address)

    def _create_mapping(self, attributes: Mapping[str, Any], address: str) -> None:
        function = self.functions.by_arn.get(attributes["function_name"])
        if function is None:
            raise StackError(f"{address}: there is no function {attributes['function_name']}")
        polls = iam_requests.polls(attributes["event_source_arn"])
        self.roles.require(_principal(function), polls, address)
        if attributes["event_source_arn"] in self.queues.by_arn:
            self.queues.mappings.append(queues.mapping_of(attributes))
            return
        mapping = streams.mapping_of(attributes, address)
        if mapping.stream_arn not in self.streams.arns.values():
            raise StackError(f"{address}: there is neither a queue nor a stream {mapping.stream_arn}")
        self.streams.shards.append(streams.Shard(mapping, self.agenda, self.functions, partial(self._send)))

    def _create_rule(self, attributes: Mapping[str, Any], address: str) -> None:
        rule = bus.rule_of(attributes, address)
        if rule.bus not in self.bus.names:
            raise StackError(f"{address}: there is no event bus {rule.bus}")
        self.bus.rules[rule.arn] = rule

    def _create_target(self, attributes: Mapping[str, Any], address: str) -> None:
        target = bus.target_of(attributes, address)
        named = (attributes["rule"], attributes.get("event_bus_name", bus.DEFAULT_BUS))
        rule = next((each for each in self.bus.rules.values() if (each.name, each.bus) == named), None)
        if rule is None:
            raise StackError(f"{address}: there is no rule {named[0]} on the bus {named[1]}")
        if target.arn not in self.functions.by_arn and target.arn not in self.queues.by_arn:
            raise StackError(f"{address}: there is neither a function nor a queue {target.arn}")
        rule.targets.append(target)

    def _create_machine(self, attributes: Mapping[str, Any], address: str) -> None:
        principal = Principal(attributes["role_arn"], attributes["name"])
        if attributes.get("logging_configuration", {}).get("level", "OFF") != "OFF":
            delivery = [Access(action, "*") for action in iam_requests.LOG_DELIVERY_ACTIONS]
            self.roles.require(principal, delivery, address)
        self.executions.machines[attributes["arn"]] = Machine(json.loads(attributes["definition"]), address)
        self._machines[attributes["arn"]] = principal


def _principal(function: functions.LocalFunction) -> Principal:
    return Principal(function.role_arn, function.name)
