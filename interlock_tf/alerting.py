"""The queues: alerts on their way to Slack, and dead letters of everything that can fail to deliver."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from interlock_tf._cdk import LambdaEventSourceMapping, SqsQueue, SqsQueuePolicy
from interlock_tf.context import Context
from interlock_tf.functions import FUNCTIONS, FunctionResources
from interlock_tf.policies import Statement, document

#: How long a dead letter waits for somebody to look at it: the longest that SQS allows.
DEAD_LETTER_SECONDS = 14 * 86400
#: With the dispatcher switched off nobody takes an alert, and no attempt counts: this is a long weekend.
ALERT_SECONDS = 4 * 86400
#: What Lambda advises for a queue that it polls.
ALERT_VISIBILITY_SECONDS = 6 * FUNCTIONS["alert_dispatcher"].timeout
#: 50 attempts, 180 s apart, are two and a half hours without Slack before an alert becomes a dead letter.
ALERT_ATTEMPTS = 50
#: What AWS allows as the ``maximum_concurrency`` of a mapping.
LEAST_CONCURRENCY, MOST_CONCURRENCY = 2, 1000


@dataclass(frozen=True, kw_only=True)
class Queues:
    """The alert queue, and the dead-letter queues."""

    alert: SqsQueue
    alert_dlq: SqsQueue
    stream_control_dlq: SqsQueue
    stream_joblog_dlq: SqsQueue
    events_dlq: SqsQueue

    @property
    def by_name(self) -> Mapping[str, SqsQueue]:
        """Every queue by the name of its field."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def add_queues(context: Context) -> Queues:
    """Add the queues; who may send to them is :func:`add_queue_policies`."""
    alert_dlq = _queue(context, "alert_dlq", what="alert-dlq")
    return Queues(
        alert=_queue(
            context,
            "alert_queue",
            what="alerts",
            message_retention_seconds=ALERT_SECONDS,
            visibility_timeout_seconds=ALERT_VISIBILITY_SECONDS,
            redrive_policy=json.dumps(
                {"deadLetterTargetArn": alert_dlq.arn, "maxReceiveCount": ALERT_ATTEMPTS}, separators=(",", ":")
            ),
        ),
        alert_dlq=alert_dlq,
        stream_control_dlq=_queue(context, "stream_control_dlq", what="sr-control-dlq"),
        stream_joblog_dlq=_queue(context, "stream_joblog_dlq", what="sr-joblog-dlq"),
        events_dlq=_queue(context, "events_dlq", what="events-dlq"),
    )


def add_queue_policies(
    context: Context, queues: Queues, *, alert_rules: Iterable[str], rules: Iterable[str]
) -> Mapping[str, SqsQueuePolicy]:
    """Add the policies of all queues, by queue: who may send, and that nobody may without TLS.

    EventBridge sends alerts from ``alert_rules``, and from all ``rules`` what they could not
    deliver (both are ARNs). Functions and schedules send with their own roles.
    """
    senders = {"alert": list(alert_rules), "events_dlq": list(rules)}
    policies = {}
    for name, queue in queues.by_name.items():
        statements = [_only_tls(queue.arn)]
        if name in senders:
            statements.append(_from_rules(context, queue.arn, senders[name]))
        policies[name] = context.add(
            SqsQueuePolicy, f"{name}_policy", queue_url=queue.url, policy=document(*statements)
        )
    return policies


def add_alert_mapping(context: Context, queue: SqsQueue, dispatcher: FunctionResources) -> LambdaEventSourceMapping:
    """Feed the alert queue to the alert-dispatcher, to no more at a time than its reserved concurrency.

    Without that limit the pollers take more messages than the function may handle, and each
    throttled one costs one of its attempts.
    """
    reserved = context.settings.lambda_concurrency.alert_dispatcher
    limit = min(max(reserved, LEAST_CONCURRENCY), MOST_CONCURRENCY)
    return context.add(
        LambdaEventSourceMapping,
        "alert_mapping",
        event_source_arn=queue.arn,
        function_name=dispatcher.arn,
        batch_size=1,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": limit} if reserved > 0 else None,
        tags=context.tags,
        depends_on=list(dispatcher.policies),
    )


def _queue(context: Context, name: str, *, what: str, **arguments: Any) -> SqsQueue:
    key = context.settings.kms_key_arn
    encryption: dict[str, Any] = {"sqs_managed_sse_enabled": True}
    if key is not None:
        encryption = {"kms_master_key_id": key, "kms_data_key_reuse_period_seconds": 300}
    return context.add(
        SqsQueue,
        name,
        name=context.names(what),
        tags=context.tags,
        **{"message_retention_seconds": DEAD_LETTER_SECONDS, **encryption, **arguments},
    )


def _from_rules(context: Context, queue: str, rules: list[str]) -> Statement:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {
            "ArnEquals": {"aws:SourceArn": rules},
            "StringEquals": {"aws:SourceAccount": context.account_id},
        },
    }


def _only_tls(queue: str) -> Statement:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
