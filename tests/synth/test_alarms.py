"""The alarms: which there are, what they watch, and whom they tell."""

from __future__ import annotations

import pytest

from interlock_tf.functions import FUNCTIONS
from tests.fakes.installation import Emitted, installation

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"

ALWAYS = {
    *(f"dev-interlock-{key}-errors" for key in FUNCTIONS),
    "dev-interlock-sfn-failures",
    *(f"dev-interlock-dlq-{queue}-depth" for queue in ("sr_control", "sr_joblog", "alert", "events")),
    *(f"dev-interlock-stream-{stream}-iterator-age" for stream in ("control", "joblog")),
}
EXTENDED = {
    "dev-interlock-sfn-timeouts",
    "dev-interlock-sfn-aborts",
    *(f"dev-interlock-{key}-throttles" for key in FUNCTIONS),
    "dev-interlock-alerts-age",
    *(
        f"dev-interlock-rule-{rule}-failed-invocations"
        for rule in ("watchdog", "all_events", "alert_events", "alarm_log", "alarm_alert", "executions")
    ),
    *(f"dev-interlock-schedules-{group}-dropped" for group in ("sla", "cron")),
    "dev-interlock-watchdog-silent",
}


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation(extended_alarms=True, sns_alarm_topic_arn=TOPIC, tags={"team": "data"})


def names(emitted: Emitted) -> set[str]:
    return {alarm["alarm_name"] for alarm in emitted.resources("cloudwatch_metric_alarm").values()}


def test_thirteen_alarms_are_always_there() -> None:
    assert len(ALWAYS) == 13
    assert names(installation()) == ALWAYS


def test_extended_alarms_come_on_top(emitted: Emitted) -> None:
    assert names(emitted) == ALWAYS | EXTENDED


def test_every_alarm_is_known_by_the_prefix_that_the_rules_match(emitted: Emitted) -> None:
    assert all(name.startswith("dev-interlock-") for name in names(emitted))


@pytest.mark.parametrize(
    ("name", "namespace", "metric", "dimensions"),
    [
        (
            "orchestrator_errors",
            "AWS/Lambda",
            "Errors",
            {"FunctionName": "${aws_lambda_function.interlock_orchestrator.function_name}"},
        ),
        (
            "sfn_failures",
            "AWS/States",
            "ExecutionsFailed",
            {"StateMachineArn": "${aws_sfn_state_machine.interlock_state_machine.arn}"},
        ),
        (
            "dlq_sr_control_depth",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": "${aws_sqs_queue.interlock_stream_control_dlq.name}"},
        ),
        (
            "dlq_events_depth",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": "${aws_sqs_queue.interlock_events_dlq.name}"},
        ),
        (
            "stream_control_iterator_age",
            "AWS/Lambda",
            "IteratorAge",
            {"FunctionName": "${aws_lambda_function.interlock_stream_router.function_name}"},
        ),
        (
            "rule_watchdog_failed_invocations",
            "AWS/Events",
            "FailedInvocations",
            {"RuleName": "${aws_cloudwatch_event_rule.interlock_watchdog_rule.name}"},
        ),
        (
            "rule_all_events_failed_invocations",
            "AWS/Events",
            "FailedInvocations",
            {
                "EventBusName": "${aws_cloudwatch_event_bus.interlock_event_bus.name}",
                "RuleName": "${aws_cloudwatch_event_rule.interlock_all_events_rule.name}",
            },
        ),
        (
            "schedules_cron_dropped",
            "AWS/Scheduler",
            "InvocationDroppedCount",
            {"ScheduleGroup": "${aws_scheduler_schedule_group.interlock_cron_schedules.name}"},
        ),
    ],
)
def test_an_alarm_watches_its_metric(
    emitted: Emitted, name: str, namespace: str, metric: str, dimensions: dict[str, str]
) -> None:
    alarm = emitted.resource("cloudwatch_metric_alarm", f"alarm_{name}")

    assert (alarm["namespace"], alarm["metric_name"], alarm["dimensions"]) == (namespace, metric, dimensions)


def test_one_is_too_many_and_ages_are_the_exception(emitted: Emitted) -> None:
    others = {
        name.removeprefix("alarm_"): (alarm["statistic"], alarm["threshold"])
        for name, alarm in emitted.resources("cloudwatch_metric_alarm").items()
        if (alarm["statistic"], alarm["threshold"]) != ("Sum", 1)
    }

    assert others == {
        "stream_control_iterator_age": ("Maximum", 300_000),
        "stream_joblog_iterator_age": ("Maximum", 300_000),
        "alerts_age": ("Maximum", 900),
    }


def test_alarms_have_in_common_how_they_are_evaluated(emitted: Emitted) -> None:
    for name, alarm in emitted.resources("cloudwatch_metric_alarm").items():
        silence = name == "alarm_watchdog_silent"
        assert alarm["comparison_operator"] == ("LessThanThreshold" if silence else "GreaterThanOrEqualToThreshold")
        assert (alarm["period"], alarm["evaluation_periods"]) == (900 if silence else 300, 1)
        assert alarm["treat_missing_data"] == ("breaching" if silence else "notBreaching")
        assert alarm["tags"] == {"team": "data"}
        assert alarm["alarm_description"]


@pytest.mark.parametrize(
    ("schedule", "period"),
    [
        ("rate(1 minute)", 180),
        ("rate(10 minutes)", 1800),
        ("rate(8 hours)", 86400),
        ("rate(9 hours)", None),
        ("rate(1 day)", None),
        ("cron(0/5 * * * ? *)", None),
    ],
)
def test_a_watchdog_that_misses_three_passes_is_silent(schedule: str, period: int | None) -> None:
    alarms = installation(extended_alarms=True, watchdog_schedule=schedule).resources("cloudwatch_metric_alarm")
    silent = alarms.get("alarm_watchdog_silent")
    assert (silent and silent["period"]) == period
    if silent:
        function = "${aws_lambda_function.interlock_watchdog.function_name}"
        assert (silent["metric_name"], silent["dimensions"]) == ("Invocations", {"FunctionName": function})


def test_alarms_tell_the_topic_when_they_start_and_when_they_end(emitted: Emitted) -> None:
    for alarm in emitted.resources("cloudwatch_metric_alarm").values():
        assert alarm["alarm_actions"] == alarm["ok_actions"] == [TOPIC]
        assert "insufficient_data_actions" not in alarm


def test_the_topic_may_be_a_resource_of_the_same_stack() -> None:
    topic = "${aws_sns_topic.alarms.arn}"
    alarm = installation(sns_alarm_topic_arn=topic).resource("cloudwatch_metric_alarm", "alarm_sfn_failures")

    assert alarm["alarm_actions"] == [topic]


def test_without_a_topic_alarms_tell_nobody_directly() -> None:
    for alarm in installation().resources("cloudwatch_metric_alarm").values():
        assert alarm["alarm_actions"] == alarm["ok_actions"] == []
