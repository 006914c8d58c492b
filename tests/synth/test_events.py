"""The bus, the rules, and where they lead."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from interlock_runtime.core.events import ALERT_EVENTS, EVENT_TYPES, Event
from interlock_tf.events import ALARM_PATHS, alarm_pattern, event_pattern, infra_alarm_template
from interlock_tf.names import Names
from tests.fakes.eventbridge import alarm_event, transformed
from tests.fakes.installation import Emitted, installation

#: The longest pattern that EventBridge takes.
PATTERN_LENGTH = 2048


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation(tags={"team": "data"})


def matches(pattern: dict[str, Any], event: Any) -> bool:
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def test_six_rules_on_two_buses(emitted: Emitted) -> None:
    own = "${aws_cloudwatch_event_bus.interlock_event_bus.name}"

    assert {
        name: (rule["name"], rule.get("event_bus_name"))
        for name, rule in emitted.resources("cloudwatch_event_rule").items()
    } == {
        "watchdog_rule": ("dev-interlock-watchdog", None),
        "all_events_rule": ("dev-interlock-all-events", own),
        "alert_events_rule": ("dev-interlock-alert-events", own),
        "alarm_log_rule": ("dev-interlock-cw-alarm-log", None),
        "alarm_alert_rule": ("dev-interlock-cw-alarm-alert", None),
        "executions_rule": ("dev-interlock-executions", None),
    }


def test_rules_and_bus_carry_the_tags(emitted: Emitted) -> None:
    tagged = [
        *emitted.resources("cloudwatch_event_rule").values(),
        emitted.resource("cloudwatch_event_bus", "event_bus"),
    ]

    assert [each["tags"] for each in tagged] == [{"team": "data"}] * 7


def test_the_watchdog_runs_on_the_schedule_of_the_settings() -> None:
    rule = installation(watchdog_schedule="rate(10 minutes)").resource("cloudwatch_event_rule", "watchdog_rule")

    assert rule["schedule_expression"] == "rate(10 minutes)"
    assert "event_pattern" not in rule


def test_the_alert_rule_routes_what_the_event_table_marks(emitted: Emitted) -> None:
    pattern = json.loads(emitted.resource("cloudwatch_event_rule", "alert_events_rule")["event_pattern"])
    routed = {
        name for name in EVENT_TYPES if matches(pattern, {"source": "interlock", "detail-type": name, "detail": {}})
    }

    assert routed == set(ALERT_EVENTS)
    assert "WATCHDOG_DEGRADED" in routed
    assert routed.isdisjoint({"JOB_TRIGGERED", "VALIDATION_PASSED", "INFRA_ALARM"})


def test_patterns_stay_within_what_eventbridge_takes(emitted: Emitted) -> None:
    patterns = [rule.get("event_pattern", "") for rule in emitted.resources("cloudwatch_event_rule").values()]

    assert max(map(len, patterns)) <= PATTERN_LENGTH


def test_every_event_of_interlock_is_recorded() -> None:
    event = {"source": "interlock", "detail-type": "ANYTHING", "detail": {}}

    assert matches(event_pattern(), event)
    assert not matches(event_pattern(), event | {"source": "aws.states"})


def test_own_alarms_are_told_from_those_of_others() -> None:
    pattern = alarm_pattern(Names("dev"))

    assert matches(pattern, alarm_event("dev-interlock-dlq-alert-depth", state="OK"))
    assert not matches(pattern, alarm_event("prod-interlock-dlq-alert-depth"))
    assert not matches(pattern, alarm_event("cpu"))


def test_an_alarm_alerts_when_it_goes_off_and_not_when_it_is_over() -> None:
    pattern = alarm_pattern(Names("dev"), "ALARM")

    assert matches(pattern, alarm_event())
    assert not matches(pattern, alarm_event(state="OK"))


def test_a_name_suffix_tells_installations_of_one_environment_apart() -> None:
    names = Names("dev", "eu")

    assert alarm_pattern(names)["detail"]["alarmName"] == [{"wildcard": "dev-interlock-*-eu"}]
    assert names("sfn-failures") == "dev-interlock-sfn-failures-eu"


def test_broken_executions_reach_the_router_and_others_do_not(emitted: Emitted) -> None:
    machine = "${aws_sfn_state_machine.interlock_state_machine.arn}"
    pattern = json.loads(emitted.resource("cloudwatch_event_rule", "executions_rule")["event_pattern"])
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change"}

    def routed(status: str, arn: str = machine) -> bool:
        return matches(pattern, event | {"detail": {"stateMachineArn": arn, "status": status}})

    assert [status for status in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED") if routed(status)] == [
        "FAILED",
        "TIMED_OUT",
        "ABORTED",
    ]
    assert not routed("FAILED", "arn:aws:states:eu-west-1:123456789012:stateMachine:other")


def test_each_rule_leads_to_its_target(emitted: Emitted) -> None:
    queue, lambdas = "${aws_sqs_queue.interlock_alert_queue.arn}", "${{aws_lambda_function.interlock_{}.arn}}"

    assert {
        name: (target["target_id"], target["arn"])
        for name, target in emitted.resources("cloudwatch_event_target").items()
    } == {
        "watchdog_target": ("watchdog-lambda", lambdas.format("watchdog")),
        "all_events_target": ("event-sink-lambda", lambdas.format("event_sink")),
        "alert_events_target": ("alert-sqs", queue),
        "alarm_log_target": ("cw-alarm-event-sink", lambdas.format("event_sink")),
        "alarm_alert_target": ("cw-alarm-alert-sqs", queue),
        "executions_target": ("stream-router-lambda", lambdas.format("stream_router")),
    }


def test_a_target_is_on_the_bus_of_its_rule(emitted: Emitted) -> None:
    rules = emitted.resources("cloudwatch_event_rule")
    targets = emitted.resources("cloudwatch_event_target")

    assert {name.removesuffix("_target") for name, target in targets.items() if "event_bus_name" in target} == {
        name.removesuffix("_rule") for name, rule in rules.items() if "event_bus_name" in rule
    }


def test_what_no_target_takes_becomes_a_dead_letter(emitted: Emitted) -> None:
    letters = {
        name: target["dead_letter_config"] for name, target in emitted.resources("cloudwatch_event_target").items()
    }

    assert len(letters) == 6
    assert all(each == {"arn": "${aws_sqs_queue.interlock_events_dlq.arn}"} for each in letters.values())


def test_no_event_is_sent_before_its_receiver_admits_it(emitted: Emitted) -> None:
    for name, target in emitted.resources("cloudwatch_event_target").items():
        rule = name.removesuffix("_target")
        receiver = (
            "aws_sqs_queue_policy.interlock_alert_policy"
            if "sqs" in target["arn"]
            else f"aws_lambda_permission.interlock_{rule}_permission"
        )
        assert target["depends_on"] == [receiver, "aws_sqs_queue_policy.interlock_events_dlq_policy"]


def test_functions_admit_their_rules_and_nothing_else(emitted: Emitted) -> None:
    permissions = emitted.resources("lambda_permission")

    assert {name: (each["statement_id"], each["function_name"]) for name, each in permissions.items()} == {
        f"{rule}_permission": (statement, f"${{aws_lambda_function.interlock_{function}.function_name}}")
        for rule, statement, function in (
            ("watchdog", "AllowEventBridgeInvoke", "watchdog"),
            ("all_events", "AllowEventBridgeInvoke", "event_sink"),
            ("alarm_log", "AllowCWAlarmEventBridgeInvoke", "event_sink"),
            ("executions", "AllowExecutionStatusInvoke", "stream_router"),
        )
    }
    for name, each in permissions.items():
        rule = name.removesuffix("_permission")
        assert each["source_arn"] == f"${{aws_cloudwatch_event_rule.interlock_{rule}_rule.arn}}"
        assert (each["action"], each["principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")


def test_the_bus_takes_events_from_its_publishers(emitted: Emitted) -> None:
    policy = json.loads(emitted.resource("cloudwatch_event_bus_policy", "event_bus_policy")["policy"])
    (statement,) = policy["Statement"]

    assert statement["Action"] == "events:PutEvents"
    assert statement["Resource"] == "${aws_cloudwatch_event_bus.interlock_event_bus.arn}"
    assert "${aws_iam_role.interlock_watchdog_role.arn}" in statement["Principal"]["AWS"]


def test_asynchronous_invocations_are_retried_and_then_kept(emitted: Emitted) -> None:
    configs = emitted.resources("lambda_function_event_invoke_config")

    assert {name: each["maximum_retry_attempts"] for name, each in configs.items()} == {
        "stream_router_async": 2,
        "sla_monitor_async": 2,
        "event_sink_async": 2,
        "watchdog_async": 0,
    }
    for name, each in configs.items():
        assert each["destination_config"]["on_failure"] == {"destination": "${aws_sqs_queue.interlock_events_dlq.arn}"}
        function = name.removesuffix("_async")
        assert each["depends_on"] == [f"aws_iam_role_policy.interlock_{function}_policy"]


@given(reason=st.text())
def test_an_alarms_reason_survives_whatever_it_holds(reason: str) -> None:
    alarm = json.loads(transformed(infra_alarm_template(), ALARM_PATHS, alarm_event(reason=reason)))

    assert alarm["detail"]["detail"]["reason"] == reason
    assert alarm["detail"]["message"] == reason


def test_an_alarm_arrives_as_an_event_on_the_bus_would() -> None:
    reason = 'Threshold "crossed":\n C:\\x'
    alarm = json.loads(transformed(infra_alarm_template(), ALARM_PATHS, alarm_event(reason=reason)))

    assert alarm == {
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "source": "interlock",
        "detail-type": "INFRA_ALARM",
        "time": "2026-03-03T07:55:00Z",
        "region": "eu-west-1",
        "account": "123456789012",
        "detail": {
            "pipelineId": "INFRASTRUCTURE",
            "scheduleId": None,
            "date": None,
            "message": reason,
            "timestamp": "2026-03-03T07:55:00Z",
            "detail": {
                "alarmName": "dev-interlock-sfn-failures",
                "state": "ALARM",
                "reason": reason,
                "time": "2026-03-03T07:55:00Z",
                "region": "eu-west-1",
                "account": "123456789012",
            },
        },
    }


def test_an_alarms_event_has_no_key_that_other_events_lack() -> None:
    event = Event(type="INFRA_ALARM", pipeline_id="INFRASTRUCTURE", schedule_id=None, date=None, message="")
    alarm = json.loads(transformed(infra_alarm_template(), ALARM_PATHS, alarm_event()))

    assert alarm["detail"].keys() <= event.payload(datetime(2026, 3, 3, tzinfo=UTC)).keys()


def test_both_alarm_rules_pass_on_the_same_fields(emitted: Emitted) -> None:
    targets = emitted.resources("cloudwatch_event_target")
    transformers = {name: each["input_transformer"] for name, each in targets.items() if "input_transformer" in each}

    assert set(transformers) == {"alarm_log_target", "alarm_alert_target"}
    for each in transformers.values():
        assert each == {"input_paths": dict(ALARM_PATHS), "input_template": infra_alarm_template()}
        assert set(re.findall(r"<(\w+)>", each["input_template"])) == set(ALARM_PATHS)
