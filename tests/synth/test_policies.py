"""IAM: each role may do exactly what its row of the table says, on exactly the resources named there."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from interlock_tf.functions import FUNCTIONS
from interlock_tf.grants import GRANTS
from interlock_tf.wiring import ROLE_POLICIES_LENGTH
from tests.fakes.stacks import Synthesised, known

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it leaves its own files open
    import parliament

#: Actions for which IAM knows no resource, or none that exists beforehand.
NO_RESOURCE = ("logs:*Deliver*", "logs:*ResourcePolic*", "logs:DescribeLogGroups", "dynamodb:ListStreams", "ec2:*")

#: What the linter says, and is wrong about: it knows only the executions of express workflows.
LINTER_ERRS = ("RESOURCE_MISMATCH", "states:DescribeExecution")

ARNS = {
    "aws_dynamodb_table": "arn:aws:dynamodb:eu-west-1:123456789012:table/{}",
    "aws_sqs_queue": "arn:aws:sqs:eu-west-1:123456789012:{}",
    "aws_cloudwatch_event_bus": "arn:aws:events:eu-west-1:123456789012:event-bus/{}",
    "aws_cloudwatch_event_rule": "arn:aws:events:eu-west-1:123456789012:rule/bus/{}",
    "aws_lambda_function": "arn:aws:lambda:eu-west-1:123456789012:function:{}",
    "aws_sfn_state_machine": "arn:aws:states:eu-west-1:123456789012:stateMachine:{}",
    "aws_iam_role": "arn:aws:iam::123456789012:role/{}",
    "aws_cloudwatch_log_group": "arn:aws:logs:eu-west-1:123456789012:log-group:{}",
}


def arn(reference: re.Match[str]) -> str:
    """The ARN that a reference will have: ``${aws_sqs_queue.interlock_events_dlq.arn}``."""
    kind, name, attribute = reference.groups()
    return ARNS[kind].format(name) + ("/stream/2026" if attribute == "stream_arn" else "")


def applied(text: str) -> str:
    """A policy as it is once it is applied, with names of ours in place of physical ones."""
    return re.sub(r"\$\{(aws_\w+)\.([\w-]+)\.(arn|stream_arn)\}", arn, known(text))


def statements(stack: Synthesised) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every statement that allows something, with its role and policy."""
    for policy in stack.resources("iam_role_policy").values():
        role = re.sub(r"\$\{aws_iam_role\.interlock_(\w+)_role\.name\}", r"\1", policy["role"])
        for statement in json.loads(applied(policy["policy"]))["Statement"]:
            yield role, policy["name"], statement


@pytest.mark.parametrize("stack", ["minimal", "maximal"])
def test_nothing_is_allowed_on_everything(stack: str, request: pytest.FixtureRequest) -> None:
    for role, policy, statement in statements(request.getfixturevalue(stack)):
        if "*" in statement["Resource"]:
            assert all(
                any(re.fullmatch(allowed.replace("*", ".*"), action) for allowed in NO_RESOURCE)
                for action in statement["Action"]
            ), f"{role}: {policy}"


@pytest.mark.parametrize("stack", ["minimal", "maximal"])
def test_no_action_has_a_wildcard(stack: str, request: pytest.FixtureRequest) -> None:
    for role, policy, statement in statements(request.getfixturevalue(stack)):
        assert not [action for action in statement["Action"] if "*" in action], f"{role}: {policy}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_has_what_its_row_of_the_table_says(function: str, maximal: Synthesised) -> None:
    theirs = {(policy, each) for role, policy, s in statements(maximal) if role == function for each in s["Action"]}
    jobs = {policy for policy, _ in theirs if policy.endswith("-trigger") or policy == "job-secrets"}
    granted = {
        (grant.policy, action) for grant in GRANTS[function] for action in grant.action_names if grant.policy != "vpc"
    }
    assert {(policy, action) for policy, action in theirs if policy not in jobs} == granted
    assert not jobs or function == "orchestrator"


def test_a_function_writes_to_its_own_log_only(minimal: Synthesised) -> None:
    for role, policy, statement in statements(minimal):
        if policy == "logs":
            assert statement["Resource"] == [f"arn:aws:logs:eu-west-1:123456789012:log-group:interlock_{role}_log:*"]


def test_only_the_control_table_s_index_of_kinds_is_queried(minimal: Synthesised) -> None:
    queried = {
        (role, resource)
        for role, _, statement in statements(minimal)
        if "dynamodb:Query" in statement["Action"]
        for resource in statement["Resource"]
        if "interlock_control" in resource
    }
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/interlock_control"
    assert queried == {("watchdog", f"{table}/index/kind-index")}


def test_nothing_scans(maximal: Synthesised) -> None:
    assert not [s for _, _, s in statements(maximal) if "dynamodb:Scan" in s["Action"]]


def test_who_publishes_may_do_so_on_both_sides(minimal: Synthesised) -> None:
    publishers = {role for role, _, statement in statements(minimal) if "events:PutEvents" in statement["Action"]}
    policy = minimal.resources("cloudwatch_event_bus_policy")["interlock_event_bus_policy"]["policy"]
    (statement,) = json.loads(applied(policy))["Statement"]
    roles = {f"arn:aws:iam::123456789012:role/interlock_{role}_role" for role in publishers}
    assert set(statement["Principal"]["AWS"]) == roles
    assert publishers == {"stream_router", "orchestrator", "sla_monitor", "watchdog"}


def test_a_role_is_passed_to_one_service_only(maximal: Synthesised) -> None:
    passed = {
        (role, resource, statement["Condition"]["StringEquals"]["iam:PassedToService"])
        for role, _, statement in statements(maximal)
        if "iam:PassRole" in statement["Action"]
        for resource in statement["Resource"]
    }
    sla = ("arn:aws:iam::123456789012:role/interlock_scheduler_sla_role", "scheduler.amazonaws.com")
    assert passed == {
        ("sla_monitor", *sla),
        ("watchdog", *sla),
        ("orchestrator", "arn:aws:iam::123456789012:role/spark", "emr-serverless.amazonaws.com"),
    }


def test_the_key_is_used_through_services_only(maximal: Synthesised) -> None:
    uses = [(role, s) for role, _, s in statements(maximal) if any(each.startswith("kms:") for each in s["Action"])]
    assert {role for role, _ in uses} == {*FUNCTIONS, "scheduler_sla", "scheduler_cron"}
    for _, statement in uses:
        services = statement["Condition"]["StringEquals"]["kms:ViaService"]
        assert all(
            re.fullmatch(r"(dynamodb|sqs|secretsmanager)\.eu-west-1\.amazonaws\.com", each) for each in _all(services)
        )


def test_without_a_key_nobody_uses_one(minimal: Synthesised) -> None:
    assert not [s for _, _, s in statements(minimal) if any(each.startswith("kms:") for each in s["Action"])]


def test_services_assume_roles_for_this_account_only(minimal: Synthesised) -> None:
    trusted = {}
    for name, role in minimal.resources("iam_role").items():
        (statement,) = json.loads(known(role["assume_role_policy"]))["Statement"]
        service = statement["Principal"]["Service"]
        trusted[name.removeprefix("interlock_").removesuffix("_role")] = service
        if service != "lambda.amazonaws.com":
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert trusted == {
        **dict.fromkeys(FUNCTIONS, "lambda.amazonaws.com"),
        "state_machine": "states.amazonaws.com",
        "scheduler_sla": "scheduler.amazonaws.com",
        "scheduler_cron": "scheduler.amazonaws.com",
    }


def test_everything_waits_for_the_policies_of_its_role(maximal: Synthesised) -> None:
    roles: dict[str, set[str]] = {}
    for name, policy in maximal.resources("iam_role_policy").items():
        roles.setdefault(policy["role"], set()).add(f"aws_iam_role_policy.{name}")
    for function in maximal.resources("lambda_function").values():
        assert roles[function["role"].replace(".arn}", ".name}")] <= set(function["depends_on"])
    machine = maximal.resources("sfn_state_machine")["interlock_state_machine"]
    assert roles[machine["role_arn"].replace(".arn}", ".name}")] <= set(machine["depends_on"])
    for mapping in maximal.resources("lambda_event_source_mapping").values():
        assert any("aws_iam_role_policy" in each for each in mapping["depends_on"])


def test_no_role_holds_more_than_iam_allows(maximal: Synthesised) -> None:
    lengths: dict[str, int] = {}
    for policy in maximal.resources("iam_role_policy").values():
        lengths[policy["role"]] = lengths.get(policy["role"], 0) + len(applied(policy["policy"]))
    assert max(lengths.values()) < ROLE_POLICIES_LENGTH


@pytest.mark.parametrize("stack", ["minimal", "maximal"])
def test_a_linter_for_policies_finds_nothing(stack: str, request: pytest.FixtureRequest) -> None:
    emitted: Synthesised = request.getfixturevalue(stack)
    texts = {name: policy["policy"] for name, policy in emitted.resources("iam_role_policy").items()}
    texts |= {name: policy["policy"] for name, policy in emitted.resources("sqs_queue_policy").items()}
    findings = {
        (name, finding.issue, each["action"] if isinstance(each, dict) else str(each))
        for name, text in texts.items()
        for finding in parliament.analyze_policy_string(applied(text)).findings
        for each in (finding.detail if isinstance(finding.detail, list) else [finding.detail])
    }
    assert {finding for finding in findings if finding[1:] != LINTER_ERRS} == set()


def _all(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
