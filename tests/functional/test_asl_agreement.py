"""Our interpreter and moto's agree on every path of the emitted definition."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction

from interlock_runtime.aws.clients import Clients
from interlock_tf.definition import definition
from interlock_tf.local.asl import Machine, Pause
from interlock_tf.local.asl_paths import StateError
from tests.fakes.aws import simulated_aws

pytestmark = pytest.mark.slow

ORCHESTRATOR = "arn:aws:lambda:eu-west-1:123456789012:function:orchestrator"
SLA_MONITOR = "arn:aws:lambda:eu-west-1:123456789012:function:sla-monitor"


def quick_definition() -> dict[str, Any]:
    """The emitted definition, with one retry where it has more, and short pauses, for moto's take real time."""
    made = copy.deepcopy(
        dict(
            definition(
                orchestrator_arn=ORCHESTRATOR,
                sla_monitor_arn=SLA_MONITOR,
                sfn_timeout_seconds=600,
                trigger_max_attempts=1,
            )
        )
    )
    for state in made["States"].values():
        for retrier in state.get("Retry", ()):
            if retrier.get("MaxAttempts") != 0:
                retrier |= {"IntervalSeconds": 1, "MaxAttempts": 1}
                retrier.pop("MaxDelaySeconds", None)
    return made


def given(*, sla: Any = None) -> dict[str, Any]:
    return {
        "pipelineId": "gold",
        "scheduleId": "cron",
        "date": "2026-03-03",
        "attempt": 0,
        "startedAt": "2026-03-03T08:00:00.000Z",
        "config": {
            "evaluationIntervalSeconds": 0,
            "evaluationWindowSeconds": 3600,
            "jobCheckIntervalSeconds": 0,
            "jobPollWindowSeconds": 3600,
        },
        "sla": sla,
        "sensorArrivalAt": None,
    }


def evaluated(status: str) -> dict[str, Any]:
    return {"status": status, "results": [{"passed": status == "passed", "reason": "because"}]}


def triggered(status: str) -> dict[str, Any]:
    return {
        "status": status,
        "runId": "run-1",
        "metadata": {},
        "jobType": "glue",
        "triggeredAt": "2026-03-03T08:00:00Z",
    }


def checked(status: str) -> dict[str, Any]:
    return {"status": status, "message": None, "category": None}


READY = {"evaluate": [evaluated("passed")], "trigger": [triggered("started")]}
SLA = {"deadline": "10:00", "expectedDuration": "30m"}
BROKEN = "RuntimeError"
REFUSED = "PermanentError"

#: By name: the input's SLA, and what each mode answers, call by call; a text is the name of an error, and the
#: last answer is given again and again.
PATHS: Mapping[str, tuple[Any, Mapping[str, Sequence[Any]]]] = {
    "waits, runs, succeeds": (
        None,
        {
            **READY,
            "evaluate": [evaluated("not_ready"), evaluated("passed")],
            "check-job": [checked("running"), checked("success")],
        },
    ),
    "with an SLA": (SLA, {**READY, "check-job": [checked("success")]}),
    "the SLA cannot be scheduled": (SLA, {**READY, "check-job": [checked("success")], "schedule": [BROKEN]}),
    "the SLA cannot be cancelled": (SLA, {**READY, "check-job": [checked("success")], "cancel": [BROKEN]}),
    "superseded while it waits": (None, {"evaluate": [evaluated("superseded")]}),
    "superseded before it starts": (None, {**READY, "trigger": [triggered("superseded")]}),
    "superseded while it runs": (None, {**READY, "check-job": [checked("superseded")]}),
    "never ready": (None, {"evaluate": [evaluated("exhausted")]}),
    "never ready, and cannot say so": (None, {"evaluate": [evaluated("exhausted")], "validation-exhausted": [BROKEN]}),
    "ends in its start": (None, {**READY, "trigger": [triggered("success")]}),
    "fails in its start": (None, {**READY, "trigger": [triggered("fail")]}),
    "fails": (None, {**READY, "check-job": [checked("fail")]}),
    "times out": (None, {**READY, "check-job": [checked("timeout")]}),
    "runs for too long": (None, {**READY, "check-job": [checked("exhausted")]}),
    "runs for too long, and cannot say so": (
        None,
        {**READY, "check-job": [checked("exhausted")], "job-poll-exhausted": [BROKEN]},
    ),
    "evaluates at the second attempt": (
        None,
        {**READY, "evaluate": [BROKEN, evaluated("passed")], "check-job": [checked("success")]},
    ),
    "cannot evaluate": (None, {"evaluate": [BROKEN]}),
    "cannot trigger": (None, {**READY, "trigger": [BROKEN]}),
    "must not trigger": (None, {**READY, "trigger": [REFUSED]}),
    "cannot trigger, and cannot say so": (None, {**READY, "trigger": [REFUSED], "trigger-exhausted": [BROKEN]}),
    "cannot check": (None, {**READY, "check-job": [BROKEN]}),
    "cannot complete": (None, {**READY, "check-job": [checked("success")], "complete-trigger": [BROKEN]}),
    "cannot even tell that it is broken": (None, {"evaluate": [BROKEN], "infra-failure": [BROKEN]}),
}


class Functions:
    """Answers by mode; keeps what it was given, but for what differs by interpreter: the execution."""

    def __init__(self, answers: Mapping[str, Sequence[Any]]) -> None:
        self.given: list[Any] = []
        self._answers = {mode: list(each) for mode, each in answers.items()}

    def answer(self, payload: Mapping[str, Any]) -> tuple[Any, str | None]:
        """The answer, or the name of an error."""
        self.given.append({key: each for key, each in payload.items() if not key.startswith("execution")})
        answers = self._answers.get(payload["mode"], [{}])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return (None, answer) if isinstance(answer, str) else (answer, None)


def told(error: str) -> dict[str, str]:
    return {"errorType": error, "errorMessage": "broken"}


def by_ours(machine: Machine, data: Any, functions: Functions) -> tuple[str, Any]:
    now = datetime(2026, 3, 3, 8, tzinfo=UTC).isoformat()
    steps = machine.run(data, {"Execution": {"Id": "here", "StartTime": now}}, Random(0))
    sent: Any = None
    while True:
        try:
            step = steps.throw(sent) if isinstance(sent, StateError) else steps.send(sent)
        except StopIteration as end:
            return "SUCCEEDED", end.value
        except StateError as error:
            return "FAILED", error.output()
        if isinstance(step, Pause):
            sent = None
            continue
        answer, error = functions.answer(step.payload)
        sent = answer if error is None else StateError(error, json.dumps(told(error)))


def by_moto(clients: Clients, text: str, data: Any, functions: Functions, *, name: str) -> tuple[str, Any]:
    def invoke(_: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        answer, error = functions.answer(json.loads(event) if isinstance(event, str | bytes) else event)
        return json.dumps(answer if error is None else told(error)), error is not None, ""

    LambdaFunction._invoke_lambda = invoke  # type: ignore[method-assign]
    states = clients("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    machine = states.create_state_machine(name=name, definition=text, roleArn=role)["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps(data))["executionArn"]
    end = time.monotonic() + 60
    while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < end, "moto's execution does not end"
        time.sleep(0.05)
    if execution["status"] == "SUCCEEDED":
        return "SUCCEEDED", json.loads(execution["output"])
    return execution["status"], {"Error": execution.get("error"), "Cause": execution.get("cause")}


@pytest.fixture(scope="module")
def moto_clients() -> Any:
    original = LambdaFunction._invoke_lambda
    with simulated_aws({"stepfunctions": {"execute_state_machine": True}}) as clients:
        role = clients("iam").create_role(RoleName="functions", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        for name in ("orchestrator", "sla-monitor"):
            clients("lambda").create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": b"nothing"}
            )
        yield clients
    LambdaFunction._invoke_lambda = original  # type: ignore[method-assign]


@pytest.mark.parametrize("path", PATHS)
def test_both_interpreters_call_the_same_and_end_the_same(path: str, moto_clients: Clients) -> None:
    sla, answers = PATHS[path]
    made = quick_definition()
    data = given(sla=sla)
    ours, theirs = Functions(answers), Functions(answers)
    end = by_ours(Machine(made), data, ours)
    name = f"path-{list(PATHS).index(path)}"
    expected = by_moto(moto_clients, json.dumps(made), data, theirs, name=name)
    assert _read(ours.given) == _read(theirs.given)
    assert end[0] == expected[0]
    assert _read(end[1]) == _read(expected[1])


def _read(told: Any) -> Any:
    """What was told, with causes read: they are JSON, and white space in it does not matter."""
    if isinstance(told, list):
        return [_read(each) for each in told]
    if not isinstance(told, dict):
        return told
    return {key: _read(json.loads(each) if key == "Cause" else each) for key, each in told.items()}


def test_the_paths_go_through_every_state_and_every_way_out() -> None:
    made = quick_definition()
    gone: set[str] = set()
    for sla, answers in PATHS.values():
        gone |= _states_of(made, given(sla=sla), Functions(answers))
    assert gone == set(made["States"])


def _states_of(made: dict[str, Any], data: Any, functions: Functions) -> set[str]:
    """The states that a run goes through, found by a state's name in the context of a traced definition."""
    traced = _Traced(made["States"])
    by_ours(Machine({**made, "States": traced}), data, functions)
    return traced.asked


class _Traced(dict[str, Any]):
    """States that remember which of them were entered."""

    def __init__(self, states: Mapping[str, Any]) -> None:
        super().__init__(states)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)
