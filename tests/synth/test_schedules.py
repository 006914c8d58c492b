"""The schedules: which pipelines have one, what it sends, and with which rights."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_tf.names import Names
from interlock_tf.schedules import Tick, describe_schedules, ticks
from tests.fakes.installation import Emitted, installation
from tests.fakes.pipelines import pipeline

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1b2c"
TRIGGER = {"key": "orders", "check": "exists"}
DATES = {"dates": ["2026-03-31"]}
PIPELINES = (
    pipeline(schedule={"cron": "30 6 * * 1-5", "timezone": "Europe/Berlin"}),
    pipeline(pipeline={"id": "month.end"}, schedule={"include": DATES, "time": "18:05"}),
    pipeline(pipeline={"id": "silver"}, schedule={"trigger": TRIGGER}),
)


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    return installation(PIPELINES)


def statements(emitted: Emitted, policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(emitted.resource("iam_role_policy", policy)["policy"])["Statement"]
    return found


def test_a_cron_becomes_a_schedule() -> None:
    schedule = {"cron": "0 6 * * 1-5"}

    assert ticks(pipeline(schedule=schedule)) == (Tick(mode="cron", expression="cron(0 6 ? * MON-FRI *)"),)


def test_a_cron_that_restricts_both_days_becomes_two_schedules() -> None:
    schedule = {"cron": "0 6 1 * 1"}

    assert [tick.expression for tick in ticks(pipeline(schedule=schedule))] == [
        "cron(0 6 1 * ? *)",
        "cron(0 6 ? * MON *)",
    ]


def test_include_dates_with_a_time_become_a_daily_question() -> None:
    schedule = {"include": DATES, "time": "18:05"}

    assert ticks(pipeline(schedule=schedule)) == (Tick(mode="include", expression="cron(5 18 * * ? *)"),)


@pytest.mark.parametrize(
    "schedule",
    [
        {"trigger": TRIGGER},
        {"trigger": TRIGGER, "include": DATES, "time": "18:05"},
        {"trigger": TRIGGER, "include": DATES},
        {"trigger": TRIGGER, "time": "06:00"},
    ],
)
def test_what_a_sensor_starts_has_no_schedule(schedule: dict[str, Any]) -> None:
    assert ticks(pipeline(schedule=schedule)) == ()


def test_a_pipeline_may_have_a_cron_beside_its_trigger_condition() -> None:
    assert len(ticks(pipeline(schedule={"cron": "0 6 * * *", "trigger": TRIGGER}))) == 1


def test_schedules_are_in_the_group_for_crons(emitted: Emitted) -> None:
    schedules = emitted.resources("scheduler_schedule")

    assert {name: each["name"] for name, each in schedules.items()} == {
        "cron_gold": "dev-interlock-gold",
        "cron_month_end_499edaaa": "dev-interlock-month_end-d69b988e50",
    }
    assert {each["group_name"] for each in schedules.values()} == {
        "${aws_scheduler_schedule_group.interlock_cron_schedules.name}"
    }


def test_a_schedule_fires_at_the_minute_in_the_pipelines_own_time(emitted: Emitted) -> None:
    schedule = emitted.resource("scheduler_schedule", "cron_gold")

    assert schedule["schedule_expression"] == "cron(30 6 ? * MON-FRI *)"
    assert schedule["schedule_expression_timezone"] == "Europe/Berlin"
    assert schedule["flexible_time_window"] == {"mode": "OFF"}


def test_a_tick_says_when_it_was_due(emitted: Emitted) -> None:
    sent = {name: each["target"]["input"] for name, each in emitted.resources("scheduler_schedule").items()}

    # Scheduler replaces the words in brackets; escaped, they would be sent as they are.
    assert sent["cron_gold"] == ('{"mode":"cron","pipelineId":"gold","scheduledAt":"<aws.scheduler.scheduled-time>"}')
    assert json.loads(sent["cron_month_end_499edaaa"]) == {
        "mode": "include",
        "pipelineId": "month.end",
        "scheduledAt": "<aws.scheduler.scheduled-time>",
    }


def test_a_tick_that_cannot_be_delivered_is_retried_for_a_day_and_then_kept(emitted: Emitted) -> None:
    for schedule in emitted.resources("scheduler_schedule").values():
        target = schedule["target"]
        assert target["arn"] == "${aws_lambda_function.interlock_stream_router.arn}"
        assert target["role_arn"] == "${aws_iam_role.interlock_scheduler_cron_role.arn}"
        assert target["dead_letter_config"] == {"arn": "${aws_sqs_queue.interlock_events_dlq.arn}"}
        assert target["retry_policy"] == {"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185}
        assert schedule["depends_on"] == ["aws_iam_role_policy.interlock_scheduler_cron_invoke"]


def test_without_crons_there_are_the_groups_and_roles_alone() -> None:
    emitted = installation()

    assert emitted.resources("scheduler_schedule") == {}
    assert {name: group["name"] for name, group in emitted.resources("scheduler_schedule_group").items()} == {
        "sla_schedules": "dev-interlock-sla",
        "cron_schedules": "dev-interlock-cron",
    }


@pytest.mark.parametrize(
    ("role", "name"),
    [("scheduler_sla_role", "dev-interlock-scheduler-sla"), ("scheduler_cron_role", "dev-interlock-scheduler-cron")],
)
def test_scheduler_assumes_its_roles_for_this_account_only(emitted: Emitted, role: str, name: str) -> None:
    made = emitted.resource("iam_role", role)
    (trust,) = json.loads(made["assume_role_policy"])["Statement"]

    assert made["name"] == name
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "${data.aws_caller_identity.interlock_caller.account_id}"}
    }


@pytest.mark.parametrize(("which", "function"), [("sla", "sla_monitor"), ("cron", "stream_router")])
def test_a_schedule_may_call_its_function_and_keep_what_fails(emitted: Emitted, which: str, function: str) -> None:
    assert statements(emitted, f"scheduler_{which}_invoke") == [
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": [f"${{aws_lambda_function.interlock_{function}.arn}}"],
        },
        {
            "Effect": "Allow",
            "Action": ["sqs:SendMessage"],
            "Resource": ["${aws_sqs_queue.interlock_events_dlq.arn}"],
        },
    ]


@pytest.mark.parametrize("which", ["sla", "cron"])
def test_with_a_key_a_schedule_may_use_it_through_sqs(which: str) -> None:
    (_, _, use) = statements(installation(kms_key_arn=KEY), f"scheduler_{which}_invoke")

    assert use["Resource"] == [KEY]
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    (via,) = use["Condition"]["StringEquals"].values()
    assert via.startswith("sqs.${data.aws_region.interlock_region.id}.")


IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True)


@given(ids=st.lists(IDS, min_size=1, max_size=8, unique=True), environment=st.sampled_from(["dev", "e" * 37]))
def test_schedule_names_are_valid_and_differ(ids: list[str], environment: str) -> None:
    both_days = [pipeline(pipeline={"id": each}, schedule={"cron": "0 6 1 * 1"}) for each in ids]
    described = describe_schedules(Names(environment), both_days, {})
    names = [each["name"] for each in described.values()]

    assert len(described) == len(set(names)) == 2 * len(ids)
    assert all(len(name) <= 64 and name.replace("-", "").replace("_", "").isalnum() for name in names)
