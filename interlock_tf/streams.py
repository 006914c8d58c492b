"""The streams of control and joblog, and what of them reaches stream-router."""

from __future__ import annotations

import json
from collections.abc import Mapping

from interlock_runtime.core.rows import JOB_PREFIX, RERUN_REQUEST_PREFIX, SENSOR_PREFIX
from interlock_tf._cdk import DynamodbTable, LambdaEventSourceMapping, SqsQueue
from interlock_tf.alerting import Queues
from interlock_tf.context import Context
from interlock_tf.functions import FunctionResources
from interlock_tf.tables import Tables

#: What stream-router handles: the beginnings of sort keys, by table. Nothing else is even read.
ROUTED: Mapping[str, tuple[str, ...]] = {
    "control": (SENSOR_PREFIX, RERUN_REQUEST_PREFIX),
    "joblog": (JOB_PREFIX,),
}


def add_streams(
    context: Context, *, tables: Tables, router: FunctionResources, queues: Queues
) -> Mapping[str, LambdaEventSourceMapping]:
    """Add the mappings, by table."""
    return {
        "control": _mapping(context, "control", tables.control, router=router, dead_letters=queues.stream_control_dlq),
        "joblog": _mapping(context, "joblog", tables.joblog, router=router, dead_letters=queues.stream_joblog_dlq),
    }


def _mapping(
    context: Context, what: str, table: DynamodbTable, *, router: FunctionResources, dead_letters: SqsQueue
) -> LambdaEventSourceMapping:
    return context.add(
        LambdaEventSourceMapping,
        f"{what}_stream",
        event_source_arn=table.stream_arn,
        function_name=router.arn,
        # Records that were written before the mapping became active count as well.
        starting_position="TRIM_HORIZON",
        batch_size=10,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=3,
        function_response_types=["ReportBatchItemFailures"],
        destination_config={"on_failure": {"destination_arn": dead_letters.arn}},
        filter_criteria={"filter": [{"pattern": _pattern(prefix)} for prefix in ROUTED[what]]},
        tags=context.tags,
        depends_on=list(router.policies),
    )


def _pattern(prefix: str) -> str:
    pattern = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"SK": {"S": [{"prefix": prefix}]}}}}
    return json.dumps(pattern, separators=(",", ":"))
