"""Values of other resources in pipelines: names and ARNs that only Terraform knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from interlock_tf import Interlock
from interlock_tf._cdk import LambdaFunction, SfnStateMachine, SqsQueue, TerraformStack
from tests.fakes.stacks import known, own_stack


def test_what_a_pipeline_starts_may_be_a_resource_of_the_same_stack(tmp_path: Path) -> None:
    pipelines = tmp_path / "pipelines"
    pipelines.mkdir()
    for kind, config in {
        "step-function": {"stateMachineArn": "${machine}"},
        "lambda": {"functionName": "${function}"},
        "glue": {"jobName": "${environment}-orders"},
    }.items():
        document = {
            "pipeline": {"id": kind},
            "schedule": {"trigger": {"key": "landed", "check": "exists"}},
            "validation": {"rules": [{"key": "landed", "check": "exists"}]},
            "job": {"type": kind, "config": config},
        }
        (pipelines / f"{kind}.yaml").write_text(yaml.safe_dump(document))

    def build(stack: TerraformStack, interlock: Callable[..., Interlock]) -> None:
        machine = SfnStateMachine(stack, "orders", role_arn="arn:aws:iam::123456789012:role/x", definition="{}")
        function = LambdaFunction(stack, "publish", function_name="publish", role="arn:aws:iam::123456789012:role/x")
        variables = {"machine": machine.arn, "function": function.function_name}
        interlock(pipelines_path=pipelines, pipeline_variables=variables)

    stack = own_stack(tmp_path, build)
    rows = {name: json.loads(row["item"]) for name, row in stack.resources("dynamodb_table_item").items()}
    stored = {name: json.loads(row["config"]["S"])["job"]["config"] for name, row in rows.items()}
    machine, function = "${aws_sfn_state_machine.orders.arn}", "${aws_lambda_function.publish.function_name}"
    assert stored["interlock_pipeline_step-function"] == {"stateMachineArn": machine}
    assert stored["interlock_pipeline_lambda"] == {"functionName": function}

    # Terraform takes quotes inside of ${}, JSON does not: these policies are compared as texts.
    policies = {name: known(each["policy"]) for name, each in stack.resources("iam_role_policy").items()}
    machines = policies["interlock_orchestrator_sfn_trigger"]
    # Whether the ARN ends in a version or alias, only Terraform can tell; the right is that of the machine.
    unqualified = 'replace(aws_sfn_state_machine.orders.arn, "/^((?:[^:]*:){6}[^:]*):.*$/", "$1")'
    assert f'"Action":["states:StartExecution"],"Resource":["${{{unqualified}}}"]' in machines
    executions = f'${{replace({unqualified}, ":stateMachine:", ":execution:")}}:*'
    assert f'"Action":["states:DescribeExecution"],"Resource":["{executions}"]' in machines
    name = "aws_lambda_function.publish.function_name"
    in_full = f"arn:aws:lambda:eu-west-1:123456789012:function:${{{name}}}"
    assert (
        f'"Resource":["${{startswith({name}, "arn:") ? {name} : "{in_full}"}}"]'
        in policies["interlock_orchestrator_lambda_trigger"]
    )


def test_a_secret_may_be_a_resource_of_the_same_stack(tmp_path: Path) -> None:
    pipelines = tmp_path / "pipelines"
    pipelines.mkdir()
    document = {
        "pipeline": {"id": "orders"},
        "schedule": {"trigger": {"key": "landed", "check": "exists"}},
        "validation": {"rules": [{"key": "landed", "check": "exists"}]},
        "job": {
            "type": "http",
            "config": {"url": "https://jobs.example.com", "headers": {"Authorization": "Bearer ${secret:${secret}}"}},
        },
    }
    (pipelines / "orders.yaml").write_text(yaml.safe_dump(document))

    def build(stack: TerraformStack, interlock: Callable[..., Interlock]) -> None:
        named = SqsQueue(stack, "named")  # any resource whose name only Terraform knows
        interlock(pipelines_path=pipelines, pipeline_variables={"secret": named.name})

    policies = own_stack(tmp_path, build).resources("iam_role_policy")
    name = "aws_sqs_queue.named.name"
    in_full = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:${{{name}}}-??????"
    assert f'"Resource":["${{startswith({name}, "arn:") ? {name} : "{in_full}"}}"]' in known(
        policies["interlock_orchestrator_job_secrets"]["policy"]
    )
