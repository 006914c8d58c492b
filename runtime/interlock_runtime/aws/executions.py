"""Executions of the state machine that carries a run through its life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from interlock_runtime.aws.clients import translated
from interlock_runtime.aws.refusals import error_code
from interlock_runtime.core.names import execution_arn


@dataclass(frozen=True)
class Execution:
    """What Step Functions says of an execution: ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, …"""

    arn: str
    status: str

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.status in ("RUNNING", "PENDING_REDRIVE")


class Executions:
    """Starts and describes executions. ``client`` gives a Step Functions client when one is needed."""

    def __init__(self, state_machine_arn: str, client: Callable[[], Any]) -> None:
        self._machine = state_machine_arn
        self._client = client

    def arn(self, name: str) -> str:
        """The ARN of the execution called ``name``, whether it exists or not."""
        return execution_arn(self._machine, name)

    def start(self, name: str, text: str) -> str:
        """Start the execution ``name`` with the input ``text``; its ARN. That it exists is as good as started.

        Raises:
            PermanentError: the name or the input is refused.
            TransientError: whether it was started is unknown.
        """
        try:
            answer = self._client().start_execution(stateMachineArn=self._machine, name=name, input=text)
        except Exception as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return self.arn(name)
            raise translated(error) from error
        return str(answer["executionArn"])

    def describe(self, arn: str) -> Execution | None:
        """How an execution stands, or None when Step Functions no longer knows it."""
        try:
            answer = self._client().describe_execution(executionArn=arn)
        except Exception as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return None
            raise translated(error) from error
        return Execution(str(answer["executionArn"]), str(answer["status"]))
