"""The state machine as it is emitted, run by an interpreter that is not ours, with our handlers behind it.

moto executes the definition (with the parser of LocalStack); every Task calls a handler in this
process, against a world in memory. Waits and retries run in real time, so they are shortened:
that changes no path.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.awslambda.models import LambdaFunction

from interlock_runtime.aws.clients import Clients
from interlock_runtime.handlers import orchestrator
from interlock_tf.definition import definition
from tests.fakes.aws import simulated_aws
from tests.fakes.world import World

ORCHESTRATOR, SLA_MONITOR = "dev-interlock-orchestrator", "dev-interlock-sla-monitor"
MACHINE = "dev-interlock-pipeline"
_PATIENCE_SECONDS = 30


class StateMachine:
    """Executions of the emitted definition.

    ``asked`` are the modes that were called, in order. ``broken`` makes a mode fail, as a function
    that crashes would. ``before`` is called with the mode and how often it was called, the first
    time with 1, before the handler; ``sla_answers`` are the events that sla-monitor was given.
    """

    def __init__(self, world: World, clients: Clients) -> None:
        self.world = world
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.before: Callable[[str, int], None] = lambda mode, number: None
        self.sla_events: list[dict[str, Any]] = []
        self._clients = clients
        self._arn = self._deploy()

    def play(self, world: World) -> None:
        """Begin anew, with the handlers of another world, nothing asked and nothing broken."""
        self.world = world
        self.asked.clear()
        self.broken.clear()
        self.sla_events.clear()
        self.before = lambda mode, number: None

    def run(self, text: str, *, name: str) -> tuple[str, list[str]]:
        """Run one execution to its end: its status, and the states that it entered."""
        states = self._clients("stepfunctions")
        arn = states.start_execution(stateMachineArn=self._arn, name=name, input=_without_waits(text))["executionArn"]
        until = time.monotonic() + _PATIENCE_SECONDS
        while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.monotonic() > until:
                raise TimeoutError(f"the execution did not end; the last modes asked: {self.asked[-10:]}")
            time.sleep(0.02)
        history = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        entered = [
            event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event
        ]
        return found["status"], entered

    def answer(self, function: str, event: dict[str, Any]) -> Any:
        """What a Task's function answers."""
        mode = event["mode"]
        self.asked.append(mode)
        self.before(mode, self.asked.count(mode))
        if mode in self.broken:
            raise self.broken[mode]
        if function == SLA_MONITOR:
            self.sla_events.append(event)
            return {}
        return orchestrator.handle(event, self.world.job_ports, clock=self.world.clock)

    def _deploy(self) -> str:
        role = self._clients("iam").create_role(RoleName="dev", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("empty.py", "")
        arns = {
            name: self._clients("lambda").create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="empty.handler",
                Code={"ZipFile": packed.getvalue()},
            )["FunctionArn"]
            for name in (ORCHESTRATOR, SLA_MONITOR)
        }
        emitted = definition(
            orchestrator_arn=arns[ORCHESTRATOR],
            sla_monitor_arn=arns[SLA_MONITOR],
            sfn_timeout_seconds=3600,
            trigger_max_attempts=1,
        )
        made = self._clients("stepfunctions").create_state_machine(
            name=MACHINE, definition=json.dumps(_impatient(emitted)), roleArn=role
        )
        return str(made["stateMachineArn"])


@contextmanager
def interpreted(world: World) -> Iterator[StateMachine]:
    """The state machine, with the handlers of ``world`` behind it."""
    with simulated_aws({"stepfunctions": {"execute_state_machine": True}}) as clients:
        machine = StateMachine(world, clients)
        original = LambdaFunction._invoke_lambda

        def invoke(function: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
            told = json.loads(event) if isinstance(event, (str, bytes)) else event
            try:
                return json.dumps(machine.answer(function.function_name, told)), False, ""
            except Exception as error:  # noqa: BLE001 - as Lambda reports any exception of a function
                failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
                return json.dumps(failure), True, ""

        LambdaFunction._invoke_lambda = invoke  # type: ignore[method-assign]
        try:
            yield machine
        finally:
            LambdaFunction._invoke_lambda = original  # type: ignore[method-assign]


def _without_waits(text: str) -> str:
    """An execution's input whose loops do not wait; the windows stay as they are."""
    told = json.loads(text)
    told["config"] |= {"evaluationIntervalSeconds": 0, "jobCheckIntervalSeconds": 0}
    return json.dumps(told)


def _impatient(part: Any) -> Any:
    """The definition with every retry once, after a second."""
    if isinstance(part, Mapping):
        if "ErrorEquals" in part and "MaxAttempts" in part:
            attempts = min(part["MaxAttempts"], 1)
            kept = {"ErrorEquals": part["ErrorEquals"], "MaxAttempts": attempts}
            return kept | ({"IntervalSeconds": 1} if attempts else {})
        return {key: _impatient(each) for key, each in part.items()}
    return [_impatient(each) for each in part] if isinstance(part, list) else part
