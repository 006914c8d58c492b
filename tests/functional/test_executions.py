"""Executions on a simulated Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from interlock_runtime.aws.executions import Executions
from interlock_runtime.core.errors import PermanentError, TransientError
from tests.fakes.aws import simulated_aws

ROLE = "arn:aws:iam::123456789012:role/states"


@pytest.fixture
def executions() -> Iterator[Executions]:
    with simulated_aws() as clients:
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        machine = clients("stepfunctions").create_state_machine(name="dev", definition=definition, roleArn=ROLE)
        yield Executions(machine["stateMachineArn"], lambda: clients.repeating("stepfunctions"))


def test_an_execution_is_started_under_its_name(executions: Executions) -> None:
    arn = executions.start("gold-cron-2026-03-03-0-x", "{}")
    assert arn == executions.arn("gold-cron-2026-03-03-0-x")
    found = executions.describe(arn)
    assert found is not None
    assert found.arn == arn


def test_an_execution_that_exists_counts_as_started(executions: Executions) -> None:
    first = executions.start("once", '{"attempt":0}')
    assert executions.start("once", '{"attempt":1}') == first


def test_an_execution_that_nobody_knows_is_none(executions: Executions) -> None:
    assert executions.describe(executions.arn("never")) is None


class Refusing:
    """A client that answers every call with one error."""

    def __init__(self, code: str) -> None:
        self.code = code

    def start_execution(self, **_: object) -> None:
        error = RuntimeError(self.code)
        error.response = {"Error": {"Code": self.code}}  # type: ignore[attr-defined]
        raise error


def test_a_refused_input_is_permanent_and_everything_else_transient() -> None:
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:dev"
    with pytest.raises(PermanentError):
        Executions(machine, lambda: Refusing("InvalidExecutionInput")).start("a", "{")
    for code in ("ThrottlingException", "ExecutionLimitExceeded", "AccessDeniedException", "StateMachineDoesNotExist"):
        with pytest.raises(TransientError):
            Executions(machine, lambda code=code: Refusing(code)).start("a", "{}")
