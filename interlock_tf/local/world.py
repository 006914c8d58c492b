"""The emitted stack, running: everything in one process, on one agenda, on one thread at a time.

What runs is the synthesised ``cdk.tf.json`` and the zips beside it. DynamoDB's expressions are
moto's; everything that moto does otherwise than AWS or not at all (streams, queues' mappings,
EventBridge, Scheduler, retries, alarms, an interpreter whose waits take no time) is done here, on
the agenda. Functions take no time but that for which they wait. With the same configuration, start,
seed and inputs, the same happens to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
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
    job_services,
    queues,
    scheduler,
    streams,
)
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import LocalSession
from interlock_tf.local.creation import Creation
from interlock_tf.local.disturbances import Calm
from interlock_tf.local.executions import Executions
from interlock_tf.local.gauges import Gauges
from interlock_tf.local.job_services import JobServices
from interlock_tf.local.jobs import Job, Jobs
from interlock_tf.local.memory_tables import MemoryTables
from interlock_tf.local.permissions import Permissions
from interlock_tf.local.quick_session import QuickSession
from interlock_tf.local.slack_channel import SlackChannel
from interlock_tf.local.tables import Change, Tables
from interlock_tf.local.terraform_json import Configuration, StackError

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
        self.permissions = Permissions(configuration)
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
        self._lock = RLock()
        self._connect()
        around = functions.Clocked(
            now=agenda.now,
            sleep=self.functions.take_time,
            session=QuickSession if quick else LocalSession,
            services=self.job_services.surround,
            channel=self.slack.surround,
        )
        Creation(configuration, self, around=around).create()
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
                self.permissions.check_call(function, service, operation, call)

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
        self.alarms.gauges = Gauges(
            self.agenda, functions=self.functions, queues=self.queues, streams=self.streams
        ).read
        self.functions.dead_letter = self._keep_lost
        self.executions.refusal = self.permissions.machine_refusal
        self.scheduler.refusal = self.permissions.schedule_refusal
        self.scheduler.dead_letter = self._keep_undelivered
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

    def _keep_lost(self, queue_arn: str, record: Any) -> None:
        """Keep what a function could not do, with its role."""
        function = self.functions.by_arn[record["requestContext"]["functionArn"].removesuffix(":$LATEST")]
        if self.permissions.may_send(function, queue_arn):
            self.queues.send(queue_arn, json.dumps(record))

    def _keep_undelivered(self, role_arn: str, queue_arn: str, schedule: str, event: Any) -> None:
        """Keep what a schedule could not deliver, with its role."""
        if self.permissions.schedule_may_send(role_arn, queue_arn, schedule):
            self.queues.send(queue_arn, json.dumps(event))

    def _opens(self, target: str, principal: str, source: str) -> bool:
        place = self.queues.by_arn.get(target) or target
        return self.permissions.opens(place, principal=principal, source=source)

    def _expire(self) -> None:
        self.tables.expire(self.now())
        self.agenda.after(_EXPIRY_INTERVAL, self._expire)
