"""A rule that can never match is told when the stack is created; what nobody can foretell is not judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_tf.events import alarm_pattern, describe_rules, event_pattern, execution_pattern
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.alarms import Alarm
from interlock_tf.local.bus import DEFAULT_BUS, Bus, rule_of
from interlock_tf.local.functions import Functions
from interlock_tf.local.queues import Queues
from interlock_tf.local.rule_checks import check_rules
from interlock_tf.local.terraform_json import Place, StackError
from interlock_tf.names import Names

OWN = "dev-interlock-events"
NAMES = Names("dev")
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:dev-interlock-pipeline"


def check(pattern: Mapping[str, Any], *, bus: str) -> None:
    """Check a stack with one rule."""
    agenda = Agenda(datetime(2026, 3, 3, tzinfo=UTC))
    functions = Functions(agenda, lambda *_: {})
    made = Bus(agenda, Place(), functions=functions, queues=Queues(agenda, functions))
    attributes = {"name": "mine", "arn": "rule", "event_bus_name": bus, "event_pattern": json.dumps(pattern)}
    made.rules["rule"] = rule_of(attributes, "aws_cloudwatch_event_rule.mine")
    alarm = Alarm(
        name=NAMES("sfn-failures"), metric=("", "", "", ""), statistic="Sum", threshold=1, period=timedelta(1)
    )
    check_rules(made, Place(), pipeline_ids=["gold"], alarms=[alarm], machine_arns=[MACHINE])


def test_every_rule_of_the_construct_matches_something() -> None:
    for rule in describe_rules(NAMES, watchdog_schedule="rate(5 minutes)", state_machine_arn=MACHINE).values():
        if rule.pattern is not None:
            check(rule.pattern, bus=OWN if rule.own_bus else DEFAULT_BUS)


@pytest.mark.parametrize(
    ("pattern", "bus"),
    [
        ({"source": ["nope"]}, OWN),
        (event_pattern(["JOB_COMPLETE"]), OWN),
        (event_pattern() | {"detailType": ["JOB_FAILED"]}, OWN),
        (event_pattern() | {"detail": {"pipelineId": ["silver"]}}, OWN),
        (event_pattern() | {"detail": {"pipeline": ["gold"]}}, OWN),
        (event_pattern() | {"region": ["eu-west-1"]}, OWN),
        (execution_pattern(MACHINE), OWN),
        (event_pattern(), DEFAULT_BUS),
        (alarm_pattern(NAMES, "ALARMED"), DEFAULT_BUS),
        (alarm_pattern(Names("prod")), DEFAULT_BUS),
        (execution_pattern(f"{MACHINE}s"), DEFAULT_BUS),
        ({"source": ["aws.states"], "detail-type": ["Step Functions Execution"]}, DEFAULT_BUS),
    ],
)
def test_a_rule_that_can_never_match_is_refused_with_its_pattern(pattern: Mapping[str, Any], bus: str) -> None:
    with pytest.raises(StackError) as refused:
        check(pattern, bus=bus)
    assert str(refused.value).startswith("aws_cloudwatch_event_rule.mine: ")
    assert json.dumps(pattern) in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "bus"),
    [
        (event_pattern() | {"detail": {"pipelineId": ["gold"]}}, OWN),
        (event_pattern(["SLA_BREACH"]) | {"detail": {"attempt": [3], "detail": {"status": ["late"]}}}, OWN),
        (execution_pattern(MACHINE) | {"resources": [{"prefix": "arn:"}]}, DEFAULT_BUS),
        ({"source": ["aws.s3"], "detail-type": ["Object Created"]}, DEFAULT_BUS),
        ({"source": ["our.shop"]}, DEFAULT_BUS),
    ],
)
def test_what_nobody_can_foretell_is_not_judged(pattern: Mapping[str, Any], bus: str) -> None:
    check(pattern, bus=bus)
