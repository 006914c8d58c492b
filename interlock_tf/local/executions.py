"""Step Functions: executions of the stack's state machine, step by step on the agenda."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.asl import Machine, Steps, Task
from interlock_tf.local.asl_paths import StateError
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.functions import Functions

#: The source and the type of the event of an execution's status.
SOURCE, CHANGED = "aws.states", "Step Functions Execution Status Change"


@dataclass(kw_only=True)
class Execution:
    """One execution; ``stopped`` is when it ended."""

    arn: str
    name: str
    machine_arn: str
    input: str
    started: datetime
    steps: Steps
    status: str = "RUNNING"
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stopped: datetime | None = None
    history: list[tuple[datetime, str, Any, Any]] = field(default_factory=list)


class Executions:
    """All executions.

    ``changed`` is told of each status that one comes into, as an event of Step Functions. ``refusal``
    tells why a machine may not invoke a function; None when it may.
    """

    def __init__(self, agenda: Agenda, functions: Functions, *, random: Random) -> None:
        self.machines: dict[str, Machine] = {}
        self.by_arn: dict[str, Execution] = {}
        self.changed: Callable[[Mapping[str, Any]], Any] = lambda _: None
        self.metric: Callable[[str, str], None] = lambda *_: None
        self.refusal: Callable[[str, str], str | None] = lambda *_: None
        self._agenda = agenda
        self._functions = functions
        self._random = random

    def start(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """StartExecution: the same name and input once more is no error while it runs."""
        machine_arn = parameters["stateMachineArn"]
        machine = self.machines.get(machine_arn)
        if machine is None:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine_arn}'")
        name, text = parameters.get("name") or f"execution-{len(self.by_arn)}", parameters.get("input") or "{}"
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
        now = self._agenda.now()
        if (known := self.by_arn.get(arn)) is not None:
            if known.status != "RUNNING" or known.input != text:
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            return {"executionArn": arn, "startDate": known.started}
        data = json.loads(text)
        started = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        context = {
            "Execution": {"Id": arn, "Name": name, "Input": data, "StartTime": started, "RoleArn": "local"},
            "StateMachine": {"Id": machine_arn, "Name": machine_arn.rpartition(":")[2]},
        }
        execution = Execution(
            arn=arn,
            name=name,
            machine_arn=machine_arn,
            input=text,
            started=now,
            steps=machine.run(data, context, self._random),
        )
        self.by_arn[arn] = execution
        self._tell(execution)
        if machine.timeout is not None:
            self._agenda.after(timedelta(seconds=machine.timeout), lambda: self._end(execution, "TIMED_OUT"))
        self._agenda.after(timedelta(), lambda: self._go_on(execution, None))
        return {"executionArn": arn, "startDate": now}

    def describe(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """DescribeExecution."""
        execution = self._known(parameters["executionArn"])
        answer = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine_arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": execution.started,
            "stopDate": execution.stopped,
            "input": execution.input,
            "output": execution.output,
            "error": execution.error,
            "cause": execution.cause,
        }
        return {key: value for key, value in answer.items() if value is not None}

    def stop(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """StopExecution."""
        execution = self._known(parameters["executionArn"])
        execution.error, execution.cause = parameters.get("error"), parameters.get("cause")
        self._end(execution, "ABORTED")
        return {"stopDate": execution.stopped}

    def list(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """ListExecutions, all on one page, the latest first."""
        found = [
            {
                "executionArn": each.arn,
                "stateMachineArn": each.machine_arn,
                "name": each.name,
                "status": each.status,
                "startDate": each.started,
                **({"stopDate": each.stopped} if each.stopped else {}),
            }
            for each in reversed(self.by_arn.values())
            if each.machine_arn == parameters["stateMachineArn"]
            and parameters.get("statusFilter", each.status) == each.status
        ]
        return {"executions": found}

    def input_of(self, execution: Execution) -> Mapping[str, Any]:
        """The input, read."""
        given = json.loads(execution.input)
        return given if isinstance(given, dict) else {}

    def _known(self, arn: str) -> Execution:
        if arn not in self.by_arn:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self.by_arn[arn]

    def _go_on(self, execution: Execution, sent: Any) -> None:
        """Take steps until one takes time."""
        if execution.status != "RUNNING":
            return
        try:
            step = execution.steps.throw(sent) if isinstance(sent, StateError) else execution.steps.send(sent)
        except StopIteration as end:
            execution.output = json.dumps(end.value)
            self._end(execution, "SUCCEEDED")
            return
        except StateError as error:
            execution.error, execution.cause = error.name, error.cause
            self._end(execution, "FAILED")
            return
        if isinstance(step, Task):
            result = self._result(execution, step)
            self._agenda.after(timedelta(), lambda: self._go_on(execution, result))
        elif step.until is not None:
            self._agenda.at(step.until, lambda: self._go_on(execution, None))
        else:
            self._agenda.after(timedelta(seconds=step.seconds or 0), lambda: self._go_on(execution, None))

    def _result(self, execution: Execution, task: Task) -> Any:
        if task.resource not in self._functions.by_arn:
            return StateError("Lambda.ResourceNotFoundException", f"Function not found: {task.resource}")
        if (refusal := self.refusal(execution.machine_arn, task.resource)) is not None:
            return StateError("Lambda.AWSLambdaException", refusal)
        function = self._functions.by_arn[task.resource].name
        interruption = self._functions.disturbances.interruption(function)
        if interruption is not None and not interruption.acts:
            return StateError(interruption.error, "the function was not invoked")
        answer = self._functions.invoke(task.resource, task.payload)
        if interruption is not None:
            return StateError(interruption.error, "the function's result was lost")
        if answer.error is None:
            execution.history.append((self._agenda.now(), task.state, task.payload, answer.payload))
            return answer.payload
        execution.history.append((self._agenda.now(), task.state, task.payload, answer.error))
        return StateError(answer.error["errorType"], json.dumps(dict(answer.error)))

    def _end(self, execution: Execution, status: str) -> None:
        if execution.status != "RUNNING":
            return
        execution.status, execution.stopped = status, self._agenda.now()
        if status in ("TIMED_OUT", "ABORTED"):
            execution.steps.close()
        self._tell(execution)

    def _tell(self, execution: Execution) -> None:
        started, stopped = execution.started, execution.stopped
        metrics = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted"}
        if execution.status in metrics:
            self.metric(metrics[execution.status], execution.machine_arn)
        self.changed(
            {
                "source": SOURCE,
                "detail-type": CHANGED,
                "resources": [execution.arn],
                "detail": {
                    "executionArn": execution.arn,
                    "stateMachineArn": execution.machine_arn,
                    "name": execution.name,
                    "status": execution.status,
                    "startDate": int(started.timestamp() * 1000),
                    "stopDate": stopped and int(stopped.timestamp() * 1000),
                    "input": execution.input,
                    "output": execution.output,
                    "error": execution.error,
                    "cause": execution.cause,
                },
            }
        )
