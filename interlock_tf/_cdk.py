"""What Interlock uses of CDKTF and the AWS bindings, imported here and nowhere else.

The bindings are loaded lazily (see :mod:`interlock_tf._bindings`), so import order matters
here and only here.
"""

from __future__ import annotations

from interlock_tf import _bindings

_bindings.quiet()
_bindings.install()

from cdktf import (  # noqa: E402
    Annotations,
    App,
    AssetType,
    DataTerraformRemoteStateLocal,
    Fn,
    ITerraformDependable,
    LocalBackend,
    TerraformAsset,
    TerraformBackend,
    TerraformElement,
    TerraformOutput,
    TerraformProvider,
    TerraformRemoteState,
    TerraformResource,
    TerraformStack,
    TerraformVariable,
    Token,
)
from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_event_bus import CloudwatchEventBus  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_event_bus_policy import CloudwatchEventBusPolicy  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm  # noqa: E402
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity  # noqa: E402
from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole  # noqa: E402
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition  # noqa: E402
from cdktf_cdktf_provider_aws.data_aws_region import DataAwsRegion  # noqa: E402
from cdktf_cdktf_provider_aws.dynamodb_table import DynamodbTable, DynamodbTableGlobalSecondaryIndex  # noqa: E402
from cdktf_cdktf_provider_aws.iam_role import IamRole  # noqa: E402
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy  # noqa: E402
from cdktf_cdktf_provider_aws.lambda_event_source_mapping import LambdaEventSourceMapping  # noqa: E402
from cdktf_cdktf_provider_aws.lambda_function import LambdaFunction  # noqa: E402
from cdktf_cdktf_provider_aws.lambda_function_event_invoke_config import LambdaFunctionEventInvokeConfig  # noqa: E402
from cdktf_cdktf_provider_aws.lambda_permission import LambdaPermission  # noqa: E402
from cdktf_cdktf_provider_aws.provider import AwsProvider  # noqa: E402
from cdktf_cdktf_provider_aws.scheduler_schedule_group import SchedulerScheduleGroup  # noqa: E402
from cdktf_cdktf_provider_aws.sfn_state_machine import SfnStateMachine  # noqa: E402
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue  # noqa: E402
from cdktf_cdktf_provider_aws.sqs_queue_policy import SqsQueuePolicy  # noqa: E402
from constructs import Construct  # noqa: E402

__all__ = [
    "Annotations",
    "App",
    "AssetType",
    "AwsProvider",
    "CloudwatchDashboard",
    "CloudwatchEventBus",
    "CloudwatchEventBusPolicy",
    "CloudwatchEventRule",
    "CloudwatchEventTarget",
    "CloudwatchLogGroup",
    "CloudwatchMetricAlarm",
    "Construct",
    "DataAwsCallerIdentity",
    "DataAwsIamRole",
    "DataAwsPartition",
    "DataAwsRegion",
    "DataTerraformRemoteStateLocal",
    "DynamodbTable",
    "DynamodbTableGlobalSecondaryIndex",
    "Fn",
    "ITerraformDependable",
    "IamRole",
    "IamRolePolicy",
    "LambdaEventSourceMapping",
    "LambdaFunction",
    "LambdaFunctionEventInvokeConfig",
    "LambdaPermission",
    "LocalBackend",
    "SchedulerScheduleGroup",
    "SfnStateMachine",
    "SqsQueue",
    "SqsQueuePolicy",
    "TerraformAsset",
    "TerraformBackend",
    "TerraformElement",
    "TerraformOutput",
    "TerraformProvider",
    "TerraformRemoteState",
    "TerraformResource",
    "TerraformStack",
    "TerraformVariable",
    "Token",
]
