"""The six functions: one table, and the loops over it.

A function is its log group, its role with the policies of :mod:`interlock_tf.grants`, and the
function itself. Roles come first (the bus names them), then orchestrator, sla-monitor and the two
consumers of events; the state machine calls the first two and is started by the last two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from interlock_runtime.settings import VARIABLES
from interlock_tf._cdk import CloudwatchLogGroup, IamRole, IamRolePolicy, LambdaFunction
from interlock_tf.context import Context
from interlock_tf.packaging.assets import Code
from interlock_tf.policies import Statement, document


@dataclass(frozen=True, kw_only=True)
class Function:
    """One row of the table. ``timeout`` is in seconds; ``calls_out`` puts it into the VPC when there is one."""

    key: str
    timeout: int
    invoked_by: str
    calls_out: bool = False

    @property
    def name(self) -> str:
        """The function's name without the environment, and the name of its zip: ``stream-router``."""
        return self.key.replace("_", "-")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that the function's code reads."""
        return VARIABLES[self.name]

    @property
    def handler(self) -> str:
        """What Lambda calls inside the zip."""
        return f"interlock_runtime.handlers.{self.key}.handler"


#: By key, which is also the function's name in ``Concurrency`` and in Terraform addresses.
FUNCTIONS: Mapping[str, Function] = {
    each.key: each
    for each in (
        Function(
            key="stream_router",
            timeout=60,
            invoked_by="streams of control and joblog, cron schedules, failed executions",
        ),
        Function(
            key="orchestrator",
            timeout=120,
            invoked_by="state machine",
            calls_out=True,
        ),
        Function(
            key="sla_monitor",
            timeout=30,
            invoked_by="state machine, one-time schedules",
        ),
        Function(
            key="watchdog",
            timeout=300,
            invoked_by="scheduled rule",
        ),
        Function(
            key="event_sink",
            timeout=30,
            invoked_by="rules for all events and for alarms",
        ),
        Function(
            key="alert_dispatcher",
            timeout=30,
            invoked_by="alert queue",
            calls_out=True,
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a function is before its code: a role to act with and a log group to write to."""

    role: IamRole
    log_group: CloudwatchLogGroup


@dataclass(frozen=True, kw_only=True)
class FunctionResources:
    """A function with everything that belongs to it; ``key`` is its key in the table."""

    key: str
    function: LambdaFunction
    role: IamRole
    log_group: CloudwatchLogGroup
    policies: tuple[IamRolePolicy, ...]

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return str(self.function.arn)

    @property
    def name(self) -> str:
        """The function's physical name."""
        return str(self.function.function_name)


#: The functions by key.
Functions = Mapping[str, FunctionResources]


def add_identities(context: Context) -> Mapping[str, Identity]:
    """Add the roles and log groups of all six functions."""
    return {key: _identity(context, function) for key, function in FUNCTIONS.items()}


def add_functions(
    context: Context,
    keys: Iterable[str],
    *,
    identities: Mapping[str, Identity],
    code: Mapping[str, Code],
    environment: Mapping[str, str],
    policies: Mapping[str, Mapping[str, tuple[Statement, ...]]],
) -> dict[str, FunctionResources]:
    """Add the functions ``keys``.

    ``environment`` has the value of every variable that these functions read; a variable that is
    not in it is not set. ``policies`` has, by function and policy name, the statements of its role.
    """
    return {
        key: _function(
            context,
            FUNCTIONS[key],
            identity=identities[key],
            code=code[FUNCTIONS[key].name],
            environment=environment,
            policies=policies[key],
        )
        for key in keys
    }


def _identity(context: Context, function: Function) -> Identity:
    name = context.names(function.name)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return Identity(
        role=context.add(
            IamRole, f"{function.key}_role", name=name, assume_role_policy=document(trust), tags=context.tags
        ),
        log_group=context.add(
            CloudwatchLogGroup,
            f"{function.key}_log",
            name=f"/aws/lambda/{name}",
            retention_in_days=context.settings.log_retention_days,
            tags=context.tags,
        ),
    )


def _function(
    context: Context,
    function: Function,
    *,
    identity: Identity,
    code: Code,
    environment: Mapping[str, str],
    policies: Mapping[str, tuple[Statement, ...]],
) -> FunctionResources:
    settings = context.settings
    role_policies = tuple(
        context.add(
            IamRolePolicy,
            f"{function.key}_{policy.replace('-', '_')}",
            name=policy,
            role=identity.role.name,
            policy=document(*statements),
        )
        for policy, statements in policies.items()
    )
    variables = {name: environment[name] for name in function.variables if name in environment}
    if function.key == "orchestrator":
        variables.update(settings.orchestrator_environment)
    vpc = settings.vpc_config if function.calls_out else None
    made = context.add(
        LambdaFunction,
        function.key,
        function_name=context.names(function.name),
        role=identity.role.arn,
        package_type="Zip",
        runtime=settings.lambda_runtime,
        architectures=["arm64"],
        handler=function.handler,
        filename=code.path,
        source_code_hash=code.sha256_base64,
        memory_size=settings.watchdog_memory_size if function.key == "watchdog" else settings.lambda_memory_size,
        timeout=function.timeout,
        reserved_concurrent_executions=getattr(settings.lambda_concurrency, function.key),
        environment={"variables": variables},
        vpc_config=vpc and {"subnet_ids": list(vpc.subnet_ids), "security_group_ids": list(vpc.security_group_ids)},
        tags=context.tags,
        depends_on=[identity.log_group, *role_policies],
    )
    return FunctionResources(
        key=function.key, function=made, role=identity.role, log_group=identity.log_group, policies=role_policies
    )
