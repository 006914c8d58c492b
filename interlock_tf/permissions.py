"""What the orchestrator may start: one table of trigger permissions, filled from the pipelines.

For each job type of AWS: the switch that turns it on, the list of ARNs that may replace what the
pipelines name, the ARN of the target that a job names, and the statements that starting and
watching it takes.

A name may hold run-time variables. Those that synthesis knows (the pipeline's id, the variables
in ``orchestrator_environment``) are filled in; any other becomes ``*`` in the ARN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.job_documents import EmrServerlessJob
from interlock_runtime.core.reader import camel
from interlock_runtime.core.templates import is_run_time, named_secrets, templates
from interlock_tf._cdk import Fn, Token
from interlock_tf.context import Context
from interlock_tf.pipelines import StoredPipeline
from interlock_tf.policies import Statement, allow
from interlock_tf.terraform_values import is_token

#: The log groups in which Glue writes what really happened to a job.
GLUE_LOG_GROUPS = ("/aws-glue/jobs/logs-v2",)

#: Six characters that Secrets Manager puts at the end of an ARN.
_ENDING = re.compile(r"-[A-Za-z0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class TriggerPermission:
    """One row of the table.

    ``short`` is what the job type is called in the variables; ``arns`` is the variable that lists
    what is allowed; ``name`` is the attribute of ``job.config`` that names the target.
    """

    job_type: str
    short: str
    arns: str
    name: str
    arn: Callable[[Context, str], str]
    statements: Callable[[Context, Sequence[str]], Iterator[Statement]]

    @property
    def switch(self) -> str:
        """The variable that turns it on and off."""
        return f"enable_{self.short}_trigger"

    @property
    def policy(self) -> str:
        """The name of the policy."""
        return f"{self.short.replace('_', '-')}-trigger"


def _glue_arn(context: Context, name: str) -> str:
    return context.arn("glue", f"job/{name}")


def _glue(context: Context, jobs: Sequence[str]) -> Iterator[Statement]:
    groups = dict.fromkeys((*GLUE_LOG_GROUPS, *context.settings.glue_log_groups))
    yield allow(["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns"], jobs)
    yield allow(["logs:FilterLogEvents"], [context.arn("logs", f"log-group:{group}:*") for group in groups])


def _emr_arn(context: Context, cluster: str) -> str:
    return context.arn("elasticmapreduce", f"cluster/{cluster}")


def _emr(context: Context, clusters: Sequence[str]) -> Iterator[Statement]:
    actions = ("AddJobFlowSteps", "DescribeStep", "ListSteps")
    yield allow([f"elasticmapreduce:{action}" for action in actions], clusters)


def _emr_serverless_arn(context: Context, application: str) -> str:
    return context.arn("emr-serverless", f"/applications/{application}")


def _emr_serverless(context: Context, applications: Sequence[str]) -> Iterator[Statement]:
    runs = [arn if arn == "*" else f"{arn}/jobruns/*" for arn in applications]
    yield allow(["emr-serverless:StartJobRun"], applications)
    yield allow(["emr-serverless:GetJobRun"], runs)


def _machine_arn(_: Context, arn: str) -> str:
    return arn


def _machine(context: Context, machines: Sequence[str]) -> Iterator[Statement]:
    # Step Functions asks for the right on the machine, whatever version or alias of it is started.
    by_qualifier: dict[str, list[str]] = {}
    for arn in machines:
        machine, qualifier = _machine_and_qualifier(arn)
        by_qualifier.setdefault(qualifier, []).append(machine)
    for qualifier, theirs in by_qualifier.items():
        only = {"ForAnyValue:StringLike": {"states:StateMachineQualifier": qualifier}} if qualifier else None
        yield allow(["states:StartExecution"], theirs, condition=only)
    started = dict.fromkeys(machine for theirs in by_qualifier.values() for machine in theirs)
    yield allow(["states:DescribeExecution"], [_executions(machine) for machine in started])


def _machine_and_qualifier(arn: str) -> tuple[str, str]:
    """The ARN of a machine without a version or alias, and that, or nothing."""
    if is_token(arn):
        return Fn.replace(arn, "/^((?:[^:]*:){6}[^:]*):.*$/", "$1"), ""
    parts = arn.split(":", 7)
    return ":".join(parts[:7]), parts[7] if len(parts) == 8 else ""


def _executions(machine: str) -> str:
    if machine == "*":
        return "*"
    if is_token(machine):
        return f"{Fn.replace(machine, ':stateMachine:', ':execution:')}:*"
    return machine.replace(":stateMachine:", ":execution:") + ":*"


def _function_arn(context: Context, name: str) -> str:
    if name.startswith("arn:"):
        return name
    if is_token(name):
        # Only Terraform can tell whether this is a name or an ARN.
        in_full = context.arn("lambda", f"function:{name}")
        return Token.as_string(Fn.conditional(Fn.startswith(name, "arn:"), name, in_full))
    account, found, rest = name.partition(":function:")
    if found:
        return f"arn:{context.partition}:lambda:{context.region}:{account}:function:{rest}"
    return context.arn("lambda", f"function:{name}")


def _function(_: Context, functions: Sequence[str]) -> Iterator[Statement]:
    yield allow(["lambda:InvokeFunction"], functions)


TRIGGER_PERMISSIONS: tuple[TriggerPermission, ...] = (
    TriggerPermission(
        job_type="glue",
        short="glue",
        arns="glue_job_arns",
        name="job_name",
        arn=_glue_arn,
        statements=_glue,
    ),
    TriggerPermission(
        job_type="emr",
        short="emr",
        arns="emr_cluster_arns",
        name="cluster_id",
        arn=_emr_arn,
        statements=_emr,
    ),
    TriggerPermission(
        job_type="emr-serverless",
        short="emr_serverless",
        arns="emr_serverless_app_arns",
        name="application_id",
        arn=_emr_serverless_arn,
        statements=_emr_serverless,
    ),
    TriggerPermission(
        job_type="step-function",
        short="sfn",
        arns="sfn_trigger_arns",
        name="state_machine_arn",
        arn=_machine_arn,
        statements=_machine,
    ),
    TriggerPermission(
        job_type="lambda",
        short="lambda",
        arns="lambda_trigger_arns",
        name="function_name",
        arn=_function_arn,
        statements=_function,
    ),
)


def job_policies(context: Context, pipelines: Iterable[StoredPipeline]) -> Mapping[str, tuple[Statement, ...]]:
    """The statements that the orchestrator needs for these pipelines' jobs, by policy name.

    Raises:
        ConfigError: a switch is off that a pipeline needs, or on with nothing to grant, or a job's
            target is outside the ARNs that are allowed.
    """
    stored = tuple(pipelines)
    policies: dict[str, tuple[Statement, ...]] = {}
    problems: list[Problem] = []
    for permission in TRIGGER_PERMISSIONS:
        users = [each for each in stored if each.pipeline.job.type == permission.job_type]
        found = tuple(_problems(context, permission, users))
        problems += found
        if not found and _is_on(context, permission, users):
            policies[permission.policy] = tuple(permission.statements(context, _arns(context, permission, users)))
    if problems:
        raise ConfigError(problems)
    if "emr-serverless-trigger" in policies and (roles := _job_roles(context, stored)):
        passed_to = {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
        policies["emr-serverless-trigger"] += (allow(["iam:PassRole"], roles, condition=passed_to),)
    if secrets := _secrets(context, stored):
        policies["job-secrets"] = (allow(["secretsmanager:GetSecretValue"], secrets),)
    return policies


def secret_arn(context: Context, secret: str) -> str:
    """What to allow for a secret that is given by name, by ARN, or by ARN without its six random characters."""
    if is_token(secret):
        return secret
    if not secret.startswith("arn:"):
        return context.arn("secretsmanager", f"secret:{secret}-??????")
    return secret if _ENDING.fullmatch(secret[-7:]) else f"{secret}-??????"


def _is_on(context: Context, permission: TriggerPermission, users: Sequence[StoredPipeline]) -> bool:
    switch: bool | None = getattr(context.settings, permission.switch)
    return bool(users) if switch is None else switch


def _problems(context: Context, permission: TriggerPermission, users: Sequence[StoredPipeline]) -> Iterator[Problem]:
    given: tuple[str, ...] | None = getattr(context.settings, permission.arns)
    if not _is_on(context, permission, users):
        for user in users:
            yield user.problem(("job", "type"), f"needs {permission.switch}, and that is False")
    elif given is None and not users:
        message = "has nothing to grant: no pipeline has such a job; leave it out, or give"
        yield Problem(path=permission.switch, message=f"{message} {permission.arns}")
    elif given == ():
        yield Problem(
            path=permission.arns, message=f"is empty, and {permission.switch} is on: nothing could be started"
        )
    elif given is not None:
        for user in users:
            if not _allowed(context, permission, user.pipeline, given):
                yield user.problem(("job", "config", camel(permission.name)), f"is not allowed by {permission.arns}")


def _allowed(context: Context, permission: TriggerPermission, pipeline: Pipeline, given: Sequence[str]) -> bool:
    target = permission.arn(context, _target(context, permission, pipeline))
    service, resource = _service_and_resource(target)
    if "*" in resource or is_token(resource) or any(is_token(arn) for arn in given):
        return True  # Only the run will tell, or only Terraform.
    patterns = (_service_and_resource(arn) for arn in given)
    return any(fnmatchcase(service, of_service) and fnmatchcase(resource, wanted) for of_service, wanted in patterns)


def _target(context: Context, permission: TriggerPermission, pipeline: Pipeline) -> str:
    return _known(context, pipeline, getattr(pipeline.job.config, permission.name))


def _service_and_resource(arn: str) -> tuple[str, str]:
    parts = arn.split(":", 5)
    return (parts[2], parts[5]) if len(parts) == 6 else ("*", arn)


def _arns(context: Context, permission: TriggerPermission, users: Iterable[StoredPipeline]) -> Sequence[str]:
    given: tuple[str, ...] | None = getattr(context.settings, permission.arns)
    if given is not None:
        return given
    return sorted({permission.arn(context, _target(context, permission, user.pipeline)) for user in users})


def _job_roles(context: Context, stored: Iterable[StoredPipeline]) -> Sequence[str]:
    if (given := context.settings.emr_serverless_job_role_arns) is not None:
        return given
    jobs = [(each.pipeline, each.pipeline.job) for each in stored]
    return sorted(
        {
            _known(context, pipeline, job.config.execution_role_arn)
            for pipeline, job in jobs
            if isinstance(job, EmrServerlessJob)
        }
    )


def _secrets(context: Context, stored: Iterable[StoredPipeline]) -> Sequence[str]:
    names = {secret.name for each in stored for secret in named_secrets(each.pipeline)}
    return sorted(_secret_arn(context, name) for name in names)


def _secret_arn(context: Context, secret: str) -> str:
    if not is_token(secret) or secret.startswith("arn:"):
        return secret_arn(context, secret)
    # Only Terraform can tell whether this is a name or an ARN.
    by_name = context.arn("secretsmanager", f"secret:{secret}-??????")
    return Token.as_string(Fn.conditional(Fn.startswith(secret, "arn:"), secret, by_name))


def _known(context: Context, pipeline: Pipeline, text: str) -> str:
    values = {**context.settings.orchestrator_environment, "PIPELINE": pipeline.id, "SCHEDULE": pipeline.schedule_id}
    for template in templates(text):
        if is_run_time(template.name):
            text = text.replace(f"${{{template.name}}}", values.get(template.name, "*"))
    return text
