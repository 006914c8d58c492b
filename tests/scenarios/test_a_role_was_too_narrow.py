"""A role was too narrow: what AWS would refuse is refused in a story, too, and told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.local.terraform_json import StackError
from interlock_tf.testing import Kind, Scenario
from tests.fakes.privilege_stories import DAILY

pytestmark = [pytest.mark.slow, pytest.mark.refusals]


def begin(folder: Path, job: Mapping[str, Any], **settings: Any) -> Scenario:
    """A morning of a pipeline with this job."""
    (folder / "daily.yaml").write_text(json.dumps({**DAILY, "job": job}))
    return Scenario.of_pipelines(folder, start="2026-11-24T06:00", pipeline="daily", **settings)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begin(tmp_path_factory.mktemp("pipelines"), DAILY["job"]).world.configuration.folder


def narrowed(stack: Path, folder: Path, policy: str) -> Path:
    """The stack, in which one policy allows nothing any more."""
    document = json.loads((stack / "cdk.tf.json").read_text())
    resource = document["resource"]["aws_iam_role_policy"][f"interlock_{policy}"]
    resource["policy"] = json.dumps({"Version": "2012-10-17", "Statement": []})
    (folder / "assets").symlink_to(stack / "assets")
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    return folder


def refusals(story: Scenario) -> list[str]:
    return [entry.why for entry in story.timeline if entry.kind is Kind.FAILURE and entry.what == "access denied"]


def test_a_job_is_outside_of_what_the_stack_allows(tmp_path: Path) -> None:
    # Only the run knows the name of the job, so that nobody could tell when the stack was synthesised.
    job = {"type": "glue", "config": {"jobName": "${DATE}-orders"}}
    story = begin(tmp_path, job, glue_job_arns=["arn:aws:glue:*:*:job/gold-*"])

    # Six. The constraints hold, and Glue refuses. The permission may be on its way, with the deployment that brought
    # the pipeline: the start is tried again for some minutes, each time after a look for what may have started.
    story.sensor("landed")
    story.sensor("checked")
    story.at("06:05:20")
    resource = "on resource: arn:aws:glue:us-east-1:123456789012:job/2026-11-24-orders"
    (start,) = refusals(story)
    assert f"is not authorized to perform: glue:StartJobRun {resource} because no identity-based policy allows" in start
    story.advance(minutes=6)
    ended = story.expect("RETRY_EXHAUSTED")
    assert f"is not authorized to perform: glue:GetJobRuns {resource}" in ended.why

    # Each call that was refused is told once by itself, however often it was made.
    assert len(refusals(story)) == 2


def test_a_version_of_a_state_machine_is_allowed_and_no_other(tmp_path: Path) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
    story = begin(tmp_path, {"type": "step-function", "config": {"stateMachineArn": f"{machine}:prod"}})
    story.sensor("landed")
    story.sensor("checked")
    story.advance(minutes=20)
    story.expect("JOB_COMPLETED")
    assert refusals(story) == []


def test_the_state_machine_may_not_call_a_function(stack: Path, tmp_path: Path) -> None:
    folder = narrowed(stack, tmp_path, "state_machine_invoke_lambdas")
    story = Scenario(folder, start="2026-11-24T06:00", pipeline="daily")
    story.sensor("landed")
    story.advance(minutes=10)
    who = "User: arn:aws:sts::123456789012:assumed-role/dev-interlock-sfn/dev-interlock-pipeline"
    assert refusals(story)
    for refusal in refusals(story):
        assert refusal.startswith(f"{who} is not authorized to perform: lambda:InvokeFunction on resource")
    assert {each.error for each in story.world.executions.by_arn.values()} == {"InfraFailure"}


def test_a_schedule_may_not_call_its_function(stack: Path, tmp_path: Path) -> None:
    # The bell rings at a quarter to twelve, and neither reaches sla-monitor nor becomes a dead letter.
    folder = narrowed(stack, tmp_path, "scheduler_sla_invoke")
    story = Scenario(folder, start="2026-11-24T11:40", pipeline="daily")
    story.sensor("landed")
    story.at("11:46")
    call, letter = refusals(story)
    assert "assumed-role/dev-interlock-scheduler-sla/" in call
    assert "is not authorized to perform: lambda:InvokeFunction" in call
    assert "is not authorized to perform: sqs:SendMessage" in letter


@pytest.mark.parametrize(
    ("policy", "address", "action"),
    [
        ("stream_router_dynamodb_streams", r"aws_lambda_event_source_mapping\.\w+", "dynamodb:DescribeStream"),
        ("alert_dispatcher_sqs_alert_receive", r"aws_lambda_event_source_mapping\.\w+", "sqs:ReceiveMessage"),
        ("event_sink_sqs_dlq", r"aws_lambda_function_event_invoke_config\.\w+", "sqs:SendMessage"),
        ("watchdog_logs", r"aws_lambda_function\.interlock_watchdog", "logs:CreateLogStream"),
        ("state_machine_log_delivery", r"aws_sfn_state_machine\.\w+", "logs:CreateLogDelivery"),
    ],
)
def test_what_aws_asks_for_when_it_takes_a_resource(
    policy: str, address: str, action: str, stack: Path, tmp_path: Path
) -> None:
    folder = narrowed(stack, tmp_path, policy)
    with pytest.raises(StackError, match=f"^{address}: User: .* is not authorized to perform: {action} on resource"):
        Scenario(folder, start="2026-11-24T06:00", pipeline="daily")
