"""The variables of an installation as keyword arguments, for type checkers and editors.

``README.md`` tells what each one means; :class:`interlock_tf.settings.Settings` has the
defaults and refuses what cannot work. A test keeps the two alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Required, TypedDict

from interlock_tf.settings import Concurrency, LambdaRuntime, SfnLogLevel, VpcConfig


class Variables(TypedDict, total=False):
    """What :class:`Interlock` and :class:`InterlockStack` take besides their scope and id."""

    environment: Required[str]
    pipelines_path: Required[str | Path]
    calendars_path: str | Path | None
    pipeline_variables: Mapping[str, str | int | float | bool]
    dist_path: str | Path | None
    name_suffix: str
    tags: Mapping[str, str]

    lambda_runtime: LambdaRuntime
    lambda_memory_size: int
    watchdog_memory_size: int
    lambda_concurrency: Concurrency
    log_retention_days: int
    vpc_config: VpcConfig | None
    kms_key_arn: str | None
    deletion_protection: bool

    watchdog_schedule: str
    sfn_timeout_seconds: int
    sfn_log_level: SfnLogLevel
    trigger_max_attempts: int
    trigger_retention_days: int
    events_table_ttl_days: int

    enable_glue_trigger: bool | None
    enable_emr_trigger: bool | None
    enable_emr_serverless_trigger: bool | None
    enable_sfn_trigger: bool | None
    enable_lambda_trigger: bool | None
    glue_job_arns: Sequence[str] | None
    glue_log_groups: Sequence[str]
    emr_cluster_arns: Sequence[str] | None
    emr_serverless_app_arns: Sequence[str] | None
    emr_serverless_job_role_arns: Sequence[str] | None
    sfn_trigger_arns: Sequence[str] | None
    lambda_trigger_arns: Sequence[str] | None
    orchestrator_environment: Mapping[str, str]
    allowed_private_hosts: Sequence[str]

    slack_channel_id: str
    slack_bot_token: str
    slack_secret_arn: str | None
    sns_alarm_topic_arn: str | None
    extended_alarms: bool
    dashboard: bool
