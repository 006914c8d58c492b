"""What the orchestrator may start: derived from the pipelines, or given."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from interlock_tf import App, ConfigError, Interlock, InterlockWarning
from interlock_tf._cdk import TerraformStack
from interlock_tf.permissions import TRIGGER_PERMISSIONS
from tests.fakes.stacks import known, zips_in

Policies = Mapping[str, list[dict[str, Any]]]
Orchestrator = Callable[..., Policies]

JOBS: Mapping[str, dict[str, Any]] = {
    "glue": {"jobName": "orders"},
    "emr": {"clusterId": "j-1", "stepName": "load", "command": "command-runner.jar"},
    "emr-serverless": {
        "applicationId": "00f1",
        "executionRoleArn": "arn:aws:iam::123456789012:role/spark",
        "jobDriver": {"sparkSubmit": {}},
    },
    "step-function": {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"},
    "lambda": {"functionName": "publish"},
    "http": {"url": "https://jobs.example.com"},
}
HERE = "eu-west-1:123456789012"


@pytest.fixture
def orchestrator(tmp_path: Path) -> Orchestrator:
    """Return the statements of the orchestrator's policies for some jobs, each in a pipeline of its own."""
    zips, folder = zips_in(tmp_path / "zips"), tmp_path / "pipelines"

    def build(*jobs: tuple[str, dict[str, Any]] | str, **variables: Any) -> Policies:
        folder.mkdir(exist_ok=True)
        for number, job in enumerate(jobs):
            kind, config = (job, JOBS[job]) if isinstance(job, str) else job
            document = {
                "pipeline": {"id": f"p{number}"},
                "schedule": {"trigger": {"key": "landed", "check": "exists"}},
                "validation": {"rules": [{"key": "landed", "check": "exists"}]},
                "job": {"type": kind, "config": config},
            }
            (folder / f"p{number}.yaml").write_text(yaml.safe_dump(document))
        stack = TerraformStack(App(outdir=str(tmp_path / "out")), "platform")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InterlockWarning)
            Interlock(stack, "interlock", environment="dev", pipelines_path=folder, dist_path=zips, **variables)
        emitted = json.loads(known(json.dumps(stack.to_terraform())))["resource"]["aws_iam_role_policy"]
        prefix = "interlock_orchestrator_"
        return {
            policy["name"]: json.loads(policy["policy"])["Statement"]
            for name, policy in emitted.items()
            if name.startswith(prefix) and (name.endswith("_trigger") or name == f"{prefix}job_secrets")
        }

    return build


def granted(policies: Policies, policy: str) -> dict[str, list[str]]:
    """The resources by action."""
    return {action: each["Resource"] for each in policies[policy] for action in each["Action"]}


def test_only_what_a_pipeline_starts_is_allowed(orchestrator: Orchestrator) -> None:
    assert set(orchestrator("http")) == set()
    assert set(orchestrator("glue")) == {"glue-trigger"}


def test_a_glue_job_by_name(orchestrator: Orchestrator) -> None:
    policies = granted(orchestrator("glue", glue_log_groups=["/team/glue"]), "glue-trigger")
    job = [f"arn:aws:glue:{HERE}:job/orders"]
    assert policies == {
        "glue:StartJobRun": job,
        "glue:GetJobRun": job,
        "glue:GetJobRuns": job,
        "logs:FilterLogEvents": [
            f"arn:aws:logs:{HERE}:log-group:{group}:*" for group in ("/aws-glue/jobs/logs-v2", "/team/glue")
        ],
    }


def test_a_step_of_a_cluster(orchestrator: Orchestrator) -> None:
    policies = granted(orchestrator("emr"), "emr-trigger")
    cluster = [f"arn:aws:elasticmapreduce:{HERE}:cluster/j-1"]
    actions = ("AddJobFlowSteps", "DescribeStep", "ListSteps")
    assert policies == {f"elasticmapreduce:{action}": cluster for action in actions}


def test_a_run_of_a_serverless_application_with_its_role(orchestrator: Orchestrator) -> None:
    policies = orchestrator("emr-serverless")
    application = f"arn:aws:emr-serverless:{HERE}:/applications/00f1"
    assert granted(policies, "emr-serverless-trigger") == {
        "emr-serverless:StartJobRun": [application],
        "emr-serverless:GetJobRun": [f"{application}/jobruns/*"],
        "iam:PassRole": ["arn:aws:iam::123456789012:role/spark"],
    }
    passing = policies["emr-serverless-trigger"][-1]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
    roles = ["arn:aws:iam::123456789012:role/team-*"]
    given = orchestrator("emr-serverless", emr_serverless_job_role_arns=roles)
    assert granted(given, "emr-serverless-trigger")["iam:PassRole"] == roles


def test_an_execution_is_described_by_the_arn_of_executions(orchestrator: Orchestrator) -> None:
    assert granted(orchestrator("step-function"), "sfn-trigger") == {
        "states:StartExecution": [f"arn:aws:states:{HERE}:stateMachine:orders"],
        "states:DescribeExecution": [f"arn:aws:states:{HERE}:execution:orders:*"],
    }


def test_a_version_or_alias_is_allowed_by_the_arn_of_its_machine(orchestrator: Orchestrator) -> None:
    machine = f"arn:aws:states:{HERE}:stateMachine:orders"
    jobs = [("step-function", {"stateMachineArn": f"{machine}{end}"}) for end in (":prod", ":7")]
    policies = orchestrator(*jobs, ("step-function", {"stateMachineArn": f"{machine}-old"}))["sfn-trigger"]

    def started(qualifier: str) -> dict[str, Any]:
        return {"ForAnyValue:StringLike": {"states:StateMachineQualifier": qualifier}}

    assert [(each["Action"], each["Resource"], each.get("Condition")) for each in policies] == [
        (["states:StartExecution"], [f"{machine}-old"], None),
        (["states:StartExecution"], [machine], started("7")),
        (["states:StartExecution"], [machine], started("prod")),
        (
            ["states:DescribeExecution"],
            [f"arn:aws:states:{HERE}:execution:orders-old:*", f"arn:aws:states:{HERE}:execution:orders:*"],
            None,
        ),
    ]


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("publish", f"arn:aws:lambda:{HERE}:function:publish"),
        ("publish:live", f"arn:aws:lambda:{HERE}:function:publish:live"),
        ("999999999999:function:publish", "arn:aws:lambda:eu-west-1:999999999999:function:publish"),
        (
            "arn:aws:lambda:us-east-1:999999999999:function:publish",
            "arn:aws:lambda:us-east-1:999999999999:function:publish",
        ),
        ("publish-${PIPELINE}-${SCHEDULE}", f"arn:aws:lambda:{HERE}:function:publish-p0-stream"),
        ("publish-${INTERLOCK_STAGE}", f"arn:aws:lambda:{HERE}:function:publish-live"),
        ("publish-${DATE}", f"arn:aws:lambda:{HERE}:function:publish-*"),
    ],
)
def test_a_function_as_a_document_may_name_it(name: str, arn: str, orchestrator: Orchestrator) -> None:
    policies = orchestrator(("lambda", {"functionName": name}), orchestrator_environment={"INTERLOCK_STAGE": "live"})
    assert granted(policies, "lambda-trigger") == {"lambda:InvokeFunction": [arn]}


def test_each_target_is_listed_once(orchestrator: Orchestrator) -> None:
    policies = orchestrator("glue", "glue", ("glue", {"jobName": "a"}))
    assert granted(policies, "glue-trigger")["glue:StartJobRun"] == [
        f"arn:aws:glue:{HERE}:job/a",
        f"arn:aws:glue:{HERE}:job/orders",
    ]


def test_a_list_that_is_given_is_taken_as_it_is(orchestrator: Orchestrator) -> None:
    arns = ["arn:aws:glue:eu-west-1:123456789012:job/ord*", "arn:aws:glue:eu-west-1:123456789012:job/z"]
    assert granted(orchestrator("glue", glue_job_arns=arns), "glue-trigger")["glue:StartJobRun"] == arns
    everything = granted(orchestrator("step-function", sfn_trigger_arns=["*"]), "sfn-trigger")
    assert everything == {"states:StartExecution": ["*"], "states:DescribeExecution": ["*"]}


def test_a_switch_may_be_on_before_there_is_a_pipeline(orchestrator: Orchestrator) -> None:
    arns = ["arn:aws:lambda:eu-west-1:123456789012:function:publish"]
    policies = orchestrator("http", enable_lambda_trigger=True, lambda_trigger_arns=arns)
    assert granted(policies, "lambda-trigger") == {"lambda:InvokeFunction": arns}


def test_secrets_that_pipelines_name_can_be_read(orchestrator: Orchestrator) -> None:
    complete = f"arn:aws:secretsmanager:{HERE}:secret:db-AbCdEf"
    policies = orchestrator(
        ("http", {"url": "https://x.example.com", "headers": {"A": "${secret:team/api#token} ${secret:plain}"}}),
        ("http", {"url": "https://x.example.com", "body": {"deep": ["${secret:" + complete + "}", "$${secret:not}"]}}),
        ("http", {"url": "https://x.example.com", "body": "${secret:team/api}"}),
        ("http", {"url": "https://x.example.com", "body": "${secret:" + complete.removesuffix("-AbCdEf") + "}"}),
    )
    (resources,) = granted(policies, "job-secrets").values()
    assert sorted(resources) == [
        f"arn:aws:secretsmanager:{HERE}:secret:db-??????",
        complete,
        f"arn:aws:secretsmanager:{HERE}:secret:plain-??????",
        f"arn:aws:secretsmanager:{HERE}:secret:team/api-??????",
    ]


@pytest.mark.parametrize("permission", TRIGGER_PERMISSIONS, ids=lambda each: each.job_type)
def test_a_switch_that_is_off_refuses_a_pipeline_that_needs_it(permission: Any, orchestrator: Orchestrator) -> None:
    with pytest.raises(ConfigError) as refused:
        orchestrator(permission.job_type, "http", **{permission.switch: False})
    (problem,) = refused.value.problems
    assert (problem.file or "").endswith("p0.yaml")
    assert problem.line is not None
    assert (problem.path, problem.message) == ("job.type", f"needs {permission.switch}, and that is False")


@pytest.mark.parametrize("permission", TRIGGER_PERMISSIONS, ids=lambda each: each.job_type)
def test_a_switch_that_is_on_with_nothing_to_grant_is_refused(permission: Any, orchestrator: Orchestrator) -> None:
    with pytest.raises(ConfigError, match=f"{permission.switch}: has nothing to grant"):
        orchestrator("http", **{permission.switch: True})
    with pytest.raises(ConfigError, match=f"{permission.arns}: is empty, and {permission.switch} is on"):
        orchestrator(permission.job_type, **{permission.arns: []})


def test_a_job_outside_of_what_is_allowed_is_refused_with_its_place(orchestrator: Orchestrator) -> None:
    with pytest.raises(ConfigError) as refused:
        orchestrator("glue", ("glue", {"jobName": "gold-x"}), glue_job_arns=["arn:aws:glue:*:*:job/gold-*"])
    (problem,) = refused.value.problems
    assert (problem.file or "").endswith("p0.yaml")
    assert (problem.path, problem.message) == ("job.config.jobName", "is not allowed by glue_job_arns")


def test_a_name_that_only_the_run_knows_is_not_judged(orchestrator: Orchestrator) -> None:
    arns = ["arn:aws:glue:*:*:job/gold-*"]
    assert orchestrator(("glue", {"jobName": "${DATE}-orders"}), glue_job_arns=arns)


def test_more_targets_than_a_role_can_hold_are_refused_with_a_way_out(orchestrator: Orchestrator) -> None:
    jobs = [("glue", {"jobName": f"a-job-with-a-long-name-{number}"}) for number in range(200)]
    with pytest.raises(ConfigError) as refused:
        orchestrator(*jobs)
    assert str(refused.value).startswith("glue_job_arns: the orchestrator's policies would be")
    assert "give ARNs with wildcards" in str(refused.value)
    assert orchestrator(*jobs, glue_job_arns=["arn:aws:glue:*:*:job/a-job-*"])
