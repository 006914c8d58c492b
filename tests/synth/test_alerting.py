"""The queues: how long they keep, who may send, how they are encrypted, and what feeds the dispatcher."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock_tf.functions import FUNCTIONS
from interlock_tf.settings import Concurrency
from tests.fakes.installation import Emitted, installation

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1b2c"
QUEUES = ("alert_queue", "alert_dlq", "stream_control_dlq", "stream_joblog_dlq", "events_dlq")


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation()


def statements(emitted: Emitted, policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(emitted.resource("sqs_queue_policy", policy)["policy"])["Statement"]
    return found


def test_five_queues(emitted: Emitted) -> None:
    assert {name: queue["name"] for name, queue in emitted.resources("sqs_queue").items()} == {
        "alert_queue": "dev-interlock-alerts",
        "alert_dlq": "dev-interlock-alert-dlq",
        "stream_control_dlq": "dev-interlock-sr-control-dlq",
        "stream_joblog_dlq": "dev-interlock-sr-joblog-dlq",
        "events_dlq": "dev-interlock-events-dlq",
    }


def test_dead_letters_are_kept_as_long_as_sqs_can(emitted: Emitted) -> None:
    kept = {name: queue["message_retention_seconds"] for name, queue in emitted.resources("sqs_queue").items()}

    assert kept == {name: 4 * 86400 if name == "alert_queue" else 14 * 86400 for name in QUEUES}


def test_an_alert_outlives_an_hour_without_slack(emitted: Emitted) -> None:
    queue = emitted.resource("sqs_queue", "alert_queue")
    redrive = json.loads(queue["redrive_policy"])

    assert redrive == {"deadLetterTargetArn": "${aws_sqs_queue.interlock_alert_dlq.arn}", "maxReceiveCount": 50}
    assert queue["visibility_timeout_seconds"] == 180
    assert queue["visibility_timeout_seconds"] >= 6 * FUNCTIONS["alert_dispatcher"].timeout


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_without_a_key_is_encrypted_by_sqs(emitted: Emitted, name: str) -> None:
    queue = emitted.resource("sqs_queue", name)

    assert queue["sqs_managed_sse_enabled"] is True
    assert not any(key.startswith("kms") for key in queue)


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_with_a_key_is_encrypted_by_it_alone(name: str) -> None:
    queue = installation(kms_key_arn=KEY).resource("sqs_queue", name)

    assert queue["kms_master_key_id"] == KEY
    assert queue["kms_data_key_reuse_period_seconds"] == 300
    assert "sqs_managed_sse_enabled" not in queue


@pytest.mark.parametrize("name", QUEUES)
def test_no_queue_talks_without_tls(emitted: Emitted, name: str) -> None:
    arn = f"${{aws_sqs_queue.interlock_{name}.arn}}"

    assert statements(emitted, f"{name.removesuffix('_queue')}_policy")[0] == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.mark.parametrize(
    ("policy", "queue", "rules"),
    [
        ("alert_policy", "alert_queue", ("alert_events", "alarm_alert")),
        (
            "events_dlq_policy",
            "events_dlq",
            ("watchdog", "all_events", "alert_events", "alarm_log", "alarm_alert", "executions"),
        ),
    ],
)
def test_eventbridge_sends_from_the_rules_of_this_account(
    emitted: Emitted, policy: str, queue: str, rules: tuple[str, ...]
) -> None:
    assert statements(emitted, policy)[1:] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"${{aws_sqs_queue.interlock_{queue}.arn}}",
            "Condition": {
                "ArnEquals": {
                    "aws:SourceArn": [f"${{aws_cloudwatch_event_rule.interlock_{rule}_rule.arn}}" for rule in rules]
                },
                "StringEquals": {"aws:SourceAccount": "${data.aws_caller_identity.interlock_caller.account_id}"},
            },
        }
    ]


@pytest.mark.parametrize("policy", ["alert_dlq_policy", "stream_control_dlq_policy", "stream_joblog_dlq_policy"])
def test_nobody_from_outside_sends_to_the_other_queues(emitted: Emitted, policy: str) -> None:
    assert [each["Effect"] for each in statements(emitted, policy)] == ["Deny"]


def test_alerts_are_handled_one_by_one_and_fail_one_by_one(emitted: Emitted) -> None:
    mapping = emitted.resource("lambda_event_source_mapping", "alert_mapping")

    assert mapping["batch_size"] == 1
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
    assert mapping["event_source_arn"] == "${aws_sqs_queue.interlock_alert_queue.arn}"
    assert mapping["function_name"] == "${aws_lambda_function.interlock_alert_dispatcher.arn}"
    assert mapping["depends_on"] == ["aws_iam_role_policy.interlock_alert_dispatcher_policy"]


@pytest.mark.parametrize(("reserved", "limit"), [(1, 2), (2, 2), (3, 3), (1000, 1000), (2000, 1000)])
def test_no_more_alerts_are_taken_than_the_dispatcher_may_handle(reserved: int, limit: int) -> None:
    emitted = installation(lambda_concurrency=Concurrency(alert_dispatcher=reserved))

    assert emitted.resource("lambda_event_source_mapping", "alert_mapping")["scaling_config"] == {
        "maximum_concurrency": limit
    }


def test_without_reserved_concurrency_there_is_no_limit() -> None:
    emitted = installation(lambda_concurrency=Concurrency.unreserved())

    assert "scaling_config" not in emitted.resource("lambda_event_source_mapping", "alert_mapping")
