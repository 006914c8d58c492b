"""``job``: what a pipeline starts, nine types, told apart by ``job.type``.

Which keys of ``job.config`` are required, and what they do, is described type by type in
``docs/jobs.md``. Strings may hold run-time variables (``${DATE}``) and secrets
(``${secret:name#key}``); they are resolved when the job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from interlock_runtime.core.scalars import SECONDS, Between, Length, Spelled

Headers = Mapping[str, str]
NonEmpty = Annotated[str, Length(1)]


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """One HTTP request. ``body`` is sent as it is when a string, else as JSON."""

    url: NonEmpty
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Headers = field(default_factory=dict)
    body: Any = None
    timeout: Annotated[timedelta, SECONDS, Between(1, 100)] = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class CommandConfig:
    """A command line, split into words and run without a shell; meant for local use."""

    command: NonEmpty
    timeout: Annotated[timedelta, SECONDS, Between(1, 100)] = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class LambdaConfig:
    """A function, by name or ARN. ``RequestResponse`` ends with the call; ``Event`` reports by a job-log row."""

    function_name: NonEmpty
    payload: Any = None
    invocation_type: Literal["RequestResponse", "Event"] = "RequestResponse"


@dataclass(frozen=True, kw_only=True)
class GlueConfig:
    """A Glue job run; ``--par_day`` and, for hourly dates, ``--par_hour`` are added unless given."""

    job_name: NonEmpty
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EmrConfig:
    """A step of a running EMR cluster; ``command`` is the JAR."""

    cluster_id: Annotated[NonEmpty, Spelled(("clusterID",))]
    step_name: NonEmpty
    command: NonEmpty
    arguments: Mapping[str, Any] | tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EmrServerlessConfig:
    """An EMR Serverless job run: ``job_driver`` as it is, or ``job_name`` with ``arguments``.

    ``job_name`` is the location of a script or JAR (``s3://…``): it becomes the entry point of a
    ``sparkSubmit`` driver, ``arguments`` the entry point's arguments, and its last part the run's name.
    """

    application_id: Annotated[NonEmpty, Spelled(("applicationID",))]
    execution_role_arn: NonEmpty
    job_driver: Mapping[str, Any] | None = None
    job_name: str | None = None
    arguments: Mapping[str, Any] | tuple[Any, ...] = ()
    configuration_overrides: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class StepFunctionConfig:
    """An execution of another state machine, with ``input`` or ``arguments`` as its input."""

    state_machine_arn: Annotated[NonEmpty, Spelled(("stateMachineARN",))]
    input: Mapping[str, Any] | None = None
    arguments: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class AirflowConfig:
    """A DAG run; ``body`` is its conf. ``api_version`` v1 is Airflow 2, v2 is Airflow 3."""

    url: NonEmpty
    dag_id: Annotated[NonEmpty, Spelled(("dagID",))]
    headers: Headers = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    api_version: Literal["v1", "v2"] = "v1"
    timeout: Annotated[timedelta, SECONDS, Between(1, 100)] = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class DatabricksConfig:
    """A Databricks run: an existing job by ``job_id``, or a one-time run described by ``body``.

    ``arguments`` are the job's parameters.
    """

    workspace_url: Annotated[NonEmpty, Spelled(("workspaceURL",))]
    job_id: str | int | None = None
    body: Mapping[str, Any] | None = None
    headers: Headers = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JobLimits:
    """What every job type shares: how often it is run again, and how it is watched."""

    max_retries: Annotated[int, Between(0, 10)] = 0
    max_code_retries: Annotated[int, Between(0, 3)] = 1
    max_drift_reruns: Annotated[int, Between(0, 5)] = 1
    max_manual_reruns: Annotated[int, Between(0, 5)] = 1
    job_poll_window_seconds: Annotated[int, Between(0, 86400)] = 3600
    job_check_interval_seconds: Annotated[int, Between(5, 3600)] = 60

    @property
    def poll_window(self) -> timedelta:
        """How long a started job is polled; 0 in the document means the default, an hour."""
        return timedelta(seconds=self.job_poll_window_seconds or 3600)

    @property
    def check_interval(self) -> timedelta:
        """The pause between two polls."""
        return timedelta(seconds=self.job_check_interval_seconds)


@dataclass(frozen=True, kw_only=True)
class HttpJob(JobLimits):
    """``job.type: http``"""

    type: Literal["http"]
    config: HttpConfig


@dataclass(frozen=True, kw_only=True)
class CommandJob(JobLimits):
    """``job.type: command``"""

    type: Literal["command"]
    config: CommandConfig


@dataclass(frozen=True, kw_only=True)
class LambdaJob(JobLimits):
    """``job.type: lambda``"""

    type: Literal["lambda"]
    config: LambdaConfig


@dataclass(frozen=True, kw_only=True)
class GlueJob(JobLimits):
    """``job.type: glue``"""

    type: Literal["glue"]
    config: GlueConfig


@dataclass(frozen=True, kw_only=True)
class EmrJob(JobLimits):
    """``job.type: emr``"""

    type: Literal["emr"]
    config: EmrConfig


@dataclass(frozen=True, kw_only=True)
class EmrServerlessJob(JobLimits):
    """``job.type: emr-serverless``"""

    type: Literal["emr-serverless"]
    config: EmrServerlessConfig


@dataclass(frozen=True, kw_only=True)
class StepFunctionJob(JobLimits):
    """``job.type: step-function``"""

    type: Literal["step-function"]
    config: StepFunctionConfig


@dataclass(frozen=True, kw_only=True)
class AirflowJob(JobLimits):
    """``job.type: airflow``"""

    type: Literal["airflow"]
    config: AirflowConfig


@dataclass(frozen=True, kw_only=True)
class DatabricksJob(JobLimits):
    """``job.type: databricks``"""

    type: Literal["databricks"]
    config: DatabricksConfig


#: Any job, told apart by ``type``.
Job = (
    HttpJob
    | CommandJob
    | LambdaJob
    | GlueJob
    | EmrJob
    | EmrServerlessJob
    | StepFunctionJob
    | AirflowJob
    | DatabricksJob
)
