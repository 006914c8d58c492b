"""The variables of an installation as keyword arguments, for type checkers, editors and the table in ``README.md``.

:class:`interlock_tf.settings.Settings` has the defaults and refuses what cannot work. A test keeps the two alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Required, TypedDict

from interlock_tf.settings import Concurrency, LambdaRuntime, SfnLogLevel, VpcConfig


class Variables(TypedDict, total=False):
    """What :class:`Interlock` and :class:`InterlockStack` take besides their scope and id."""

    environment: Required[str]
    """The beginning of every physical name: `<environment>-interlock-…`. Required."""
    pipelines_path: Required[str | Path]
    """The directory with the pipelines. Required."""
    calendars_path: str | Path | None
    """The directory with the calendars. Default: None."""
    pipeline_variables: Mapping[str, str | int | float | bool]
    """Values for `${name}` placeholders in the pipelines; references to other resources are allowed. Default: {}."""
    dist_path: str | Path | None
    """A directory with the six zip files that `interlock-tf build --out` writes, instead of building them at synth.
    Default: None.
    """
    name_suffix: str
    """The end of every physical name, for two regions in one account. Default: ""."""
    tags: Mapping[str, str]
    """Tags for all resources. Default: {}."""

    lambda_runtime: LambdaRuntime
    """`python3.13`, or `python3.12` for older AWS providers. Default: python3.13."""
    lambda_memory_size: int
    """Memory of the functions but watchdog, MB. Default: 128."""
    watchdog_memory_size: int
    """Memory of watchdog, MB. Default: 512."""
    lambda_concurrency: Concurrency
    """Reserved concurrency per function; `Concurrency.unreserved()` for accounts with a small quota.
    Default: Concurrency().
    """
    log_retention_days: int
    """How long logs are kept. Default: 30."""
    vpc_config: VpcConfig | None
    """Subnets and security groups for orchestrator and alert-dispatcher, as a `VpcConfig`; what these must reach is
    in [docs/operations.md](docs/operations.md#in-a-vpc). Default: None.
    """
    kms_key_arn: str | None
    """A key of your own for tables and queues; its policy is in
    [docs/operations.md](docs/operations.md#a-key-of-your-own). Default: None.
    """
    deletion_protection: bool
    """Whether the tables refuse to be deleted. Default: False."""

    watchdog_schedule: str
    """How often watchdog looks. Default: rate(5 minutes)."""
    sfn_timeout_seconds: int
    """How long one run may take, waiting included. Default: 14400."""
    sfn_log_level: SfnLogLevel
    """What the state machine logs: `OFF`, `ERROR` or `ALL`. Default: ERROR."""
    trigger_max_attempts: int
    """How often the start of a job is retried. Default: 3."""
    trigger_retention_days: int
    """How long the state of a finished date is kept. Default: 400."""
    events_table_ttl_days: int
    """How long events are kept. Default: 90."""

    enable_glue_trigger: bool | None
    """Whether orchestrator may start Glue jobs; `None`: when a pipeline has one. Default: None."""
    enable_emr_trigger: bool | None
    """The same for EMR steps. Default: None."""
    enable_emr_serverless_trigger: bool | None
    """The same for EMR Serverless. Default: None."""
    enable_sfn_trigger: bool | None
    """The same for Step Functions. Default: None."""
    enable_lambda_trigger: bool | None
    """The same for Lambda. Default: None."""
    glue_job_arns: Sequence[str] | None
    """Which Glue jobs; `None`: those that the pipelines name. Default: None."""
    glue_log_groups: Sequence[str]
    """Further log groups of Glue in which hidden failures are looked for. Default: []."""
    emr_cluster_arns: Sequence[str] | None
    """Which EMR clusters; `None`: those named. Default: None."""
    emr_serverless_app_arns: Sequence[str] | None
    """Which EMR Serverless applications; `None`: those named. Default: None."""
    emr_serverless_job_role_arns: Sequence[str] | None
    """Which roles their jobs may be given; `None`: those named. Default: None."""
    sfn_trigger_arns: Sequence[str] | None
    """Which state machines; `None`: those named. Default: None."""
    lambda_trigger_arns: Sequence[str] | None
    """Which functions; `None`: those named. Default: None."""
    orchestrator_environment: Mapping[str, str]
    """Variables for templates in `job.config`; names begin with `INTERLOCK_`. Default: {}."""
    allowed_private_hosts: Sequence[str]
    """Hosts with private addresses that jobs may call. Default: []."""

    slack_channel_id: str
    """The channel for alerts; empty: alerts are only logged. Default: ""."""
    slack_bot_token: str
    """A bot token with `chat:write`; for `InterlockStack` it is the Terraform variable `TF_VAR_slack_bot_token`.
    Ends up in Terraform's state: prefer `slack_secret_arn`. Default: "".
    """
    slack_secret_arn: str | None
    """A secret that holds the token, as text or as JSON with the key `token`. Default: None."""
    sns_alarm_topic_arn: str | None
    """A topic for CloudWatch alarms. Default: None."""
    extended_alarms: bool
    """Further alarms: timed-out and aborted executions, throttles, old alerts, failed deliveries, a watchdog that
    does not run. Default: False.
    """
    dashboard: bool
    """Whether to make a CloudWatch dashboard. Default: True."""
