"""``step-function``: an execution of another state machine, a Standard one.

The run's token is the execution's name. A name is taken for 90 days, so a second start under it
finds the first one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.job_documents import StepFunctionConfig
from interlock_runtime.core.names import execution_arn
from interlock_runtime.jobs.contract import Call, Category, Failed, Outcome, Running, Started, Succeeded
from interlock_runtime.jobs.polling import ask_patiently

ADDRESS = ("state_machine_arn",)

_FAILURES = {"TIMED_OUT": Category.TIMEOUT, "FAILED": Category.TRANSIENT, "ABORTED": Category.TRANSIENT}


def start(call: Call[StepFunctionConfig]) -> Started:
    """Start the execution, or find that this run has started it already."""
    config = call.resolved()
    answer = ask(
        call.services.client("stepfunctions"),
        "start_execution",
        unless=("ExecutionAlreadyExists",),
        stateMachineArn=config.state_machine_arn,
        name=call.run.token,
        input=json.dumps(config.input if config.input is not None else config.arguments or {}),
    )
    if answer and ":express:" in answer["executionArn"]:
        message = "the execution was started, but belongs to an Express state machine, and those cannot be watched"
        return Started(run_id=answer["executionArn"], ended=Failed(message, Category.PERMANENT))
    return Started(run_id=_execution_arn(config.state_machine_arn, call.run.token))


def status(call: Call[StepFunctionConfig], _metadata: Mapping[str, Any]) -> Outcome:
    """The execution's status, by DescribeExecution."""
    arn = _execution_arn(call.value("state_machine_arn"), call.run.token)
    execution = ask_patiently(call.services, "stepfunctions", "describe_execution", executionArn=arn)
    if execution["status"] == "SUCCEEDED":
        return Succeeded()
    if execution["status"] not in _FAILURES:
        return Running()
    reason = ": ".join(filter(None, (execution.get("error"), execution.get("cause"))))
    return Failed(call.message(f"the execution is {execution['status']}", reason), _FAILURES[execution["status"]])


def _execution_arn(machine: str, token: str) -> str:
    # A version or alias at the end of the machine's ARN is not part of the execution's.
    return execution_arn(":".join(machine.split(":")[:7]), token)
