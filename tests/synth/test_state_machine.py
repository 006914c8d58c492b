"""The state machine as a resource: its definition is inlined, it logs, and its role does no more than that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock_tf.functions import FUNCTIONS
from interlock_tf.state_machine import LOG_DELIVERY_ACTIONS
from tests.fakes.installation import Emitted, installation


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation(sfn_timeout_seconds=7200, trigger_max_attempts=5, log_retention_days=14, tags={"team": "data"})


def definition(emitted: Emitted) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(emitted.resource("sfn_state_machine", "state_machine")["definition"])
    return found


def test_the_definition_calls_the_functions_of_the_installation(emitted: Emitted) -> None:
    called = {state["Resource"] for state in definition(emitted)["States"].values() if state["Type"] == "Task"}

    assert called == {
        "${aws_lambda_function.interlock_orchestrator.arn}",
        "${aws_lambda_function.interlock_sla_monitor.arn}",
    }


def test_the_numbers_of_the_settings_are_in_the_definition(emitted: Emitted) -> None:
    filled = definition(emitted)

    assert filled["TimeoutSeconds"] == 7200
    assert filled["States"]["Trigger"]["Retry"][-1]["MaxAttempts"] == 5


def test_a_task_waits_a_little_longer_than_its_function_may_take(emitted: Emitted) -> None:
    for name, state in definition(emitted)["States"].items():
        if state["Type"] == "Task":
            key = "orchestrator" if "orchestrator" in state["Resource"] else "sla_monitor"
            assert 0 < state["TimeoutSeconds"] - FUNCTIONS[key].timeout <= 15, name


def test_the_machine_starts_with_all_its_rights(emitted: Emitted) -> None:
    machine = emitted.resource("sfn_state_machine", "state_machine")

    assert machine["name"] == "dev-interlock-pipeline"
    assert machine["role_arn"] == "${aws_iam_role.interlock_state_machine_role.arn}"
    assert machine["tags"] == {"team": "data"}
    assert machine["depends_on"] == [
        "aws_iam_role_policy.interlock_state_machine_invoke_lambdas",
        "aws_iam_role_policy.interlock_state_machine_log_delivery",
    ]


def test_the_role_is_for_step_functions_of_this_account(emitted: Emitted) -> None:
    role = emitted.resource("iam_role", "state_machine_role")
    (trust,) = json.loads(role["assume_role_policy"])["Statement"]

    assert role["name"] == "dev-interlock-sfn"
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "${data.aws_caller_identity.interlock_caller.account_id}"}
    }


def test_the_role_calls_two_functions_and_delivers_its_log(emitted: Emitted) -> None:
    granted = {
        name: json.loads(policy["policy"])["Statement"]
        for name, policy in emitted.resources("iam_role_policy").items()
        if name.startswith("state_machine")
    }

    assert granted == {
        "state_machine_invoke_lambdas": [
            {
                "Effect": "Allow",
                "Action": ["lambda:InvokeFunction"],
                "Resource": [
                    "${aws_lambda_function.interlock_orchestrator.arn}",
                    "${aws_lambda_function.interlock_sla_monitor.arn}",
                ],
            }
        ],
        "state_machine_log_delivery": [{"Effect": "Allow", "Action": list(LOG_DELIVERY_ACTIONS), "Resource": ["*"]}],
    }


def test_errors_are_logged_with_their_data(emitted: Emitted) -> None:
    machine = emitted.resource("sfn_state_machine", "state_machine")
    group = emitted.resource("cloudwatch_log_group", "state_machine_log")

    assert machine["logging_configuration"] == {
        "level": "ERROR",
        "include_execution_data": True,
        "log_destination": "${aws_cloudwatch_log_group.interlock_state_machine_log.arn}:*",
    }
    assert group["name"] == "/aws/vendedlogs/states/dev-interlock-pipeline"
    assert group["retention_in_days"] == 14


def test_everything_is_logged_on_request() -> None:
    machine = installation(sfn_log_level="ALL").resource("sfn_state_machine", "state_machine")

    assert machine["logging_configuration"]["level"] == "ALL"


def test_a_log_that_is_off_leaves_nothing_behind() -> None:
    emitted = installation(sfn_log_level="OFF")

    assert emitted.resource("sfn_state_machine", "state_machine")["logging_configuration"] == {"level": "OFF"}
    assert "state_machine_log" not in emitted.resources("cloudwatch_log_group")
    assert "state_machine_log_delivery" not in emitted.resources("iam_role_policy")


def test_no_place_is_written_into_the_configuration(emitted: Emitted) -> None:
    text = json.dumps(emitted.configuration)

    assert "arn:aws" not in text
    assert "eu-west-1" not in text
