"""What the simulator reads of a stack: references, event patterns, input transformers, schedules, definitions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.local import inputs, patterns
from interlock_tf.local.asl import Machine
from interlock_tf.local.cron_expressions import fires_after
from interlock_tf.local.terraform_json import Configuration, Place, StackError


def configuration(tmp_path: Path, value: Any, **more: Any) -> Configuration:
    table = {"name": "t", "hash_key": "PK", "read": value}
    document = {"resource": {"aws_dynamodb_table": {"one": table}}, **more}
    (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
    return Configuration.read(tmp_path, place=Place(region="eu-west-1", account="111122223333"))


def value_of(tmp_path: Path, value: Any, **more: Any) -> Any:
    ((_, attributes),) = configuration(tmp_path, value, **more).resources("aws_dynamodb_table")
    return attributes["read"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("plain", "plain"),
        ("${aws_dynamodb_table.one.name}", "t"),
        ("${aws_dynamodb_table.one.arn}/index/*", "arn:aws:dynamodb:eu-west-1:111122223333:table/t/index/*"),
        ("${data.aws_region.x.id}:${data.aws_caller_identity.y.account_id}", "eu-west-1:111122223333"),
        ("${var.many}", [1, 2]),
        ("$${DATE} and %%{if}", "${DATE} and %{if}"),
        ([{"deep": "${data.aws_partition.p.partition}"}], [{"deep": "aws"}]),
    ],
)
def test_references_are_filled_in(tmp_path: Path, written: Any, read: Any) -> None:
    assert value_of(tmp_path, written, variable={"many": {"default": [1, 2]}}) == read


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${upper(var.many)}", r"aws_dynamodb_table\.one: the expression \$\{upper\(var\.many\)\} is not understood"),
        ("${aws_dynamodb_table.two.arn}", r"aws_dynamodb_table\.two is referred to, and there is no such resource"),
        ("${aws_dynamodb_table.one.replica}", r"its attribute replica is not known"),
        ("${var.none}", r"the variable none has no value"),
        ("%{ if true }x", r"directive"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, written: str, told: str) -> None:
    with pytest.raises(StackError, match=told):
        value_of(tmp_path, written)


@pytest.mark.parametrize("content", ["{", "[]", '{"resource": []}'])
def test_a_file_that_is_no_stack_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "cdk.tf.json").write_text(content)
    with pytest.raises(StackError, match=r"cdk\.tf\.json"):
        Configuration.read(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "event", "matches"),
    [
        ({"source": ["a", "b"]}, {"source": "b"}, True),
        ({"source": ["a"]}, {}, False),
        ({"detail": {"name": [{"prefix": "dev-"}]}}, {"detail": {"name": "dev-x"}}, True),
        ({"detail": {"name": [{"prefix": "dev-"}]}}, {"detail": None}, False),
        ({"detail": {"n": [{"numeric": [">", 1, "<=", 3]}]}}, {"detail": {"n": 3}}, True),
        ({"detail": {"n": [{"exists": False}]}}, {"detail": {}}, True),
        ({"kind": [{"anything-but": ["a"]}]}, {"kind": "b"}, True),
        ({"kind": [{"wildcard": "dev-*-eu"}]}, {"kind": "dev-interlock-lost-eu"}, True),
        ({"kind": [{"wildcard": "dev-*-eu"}]}, {"kind": "dev-interlock-lost"}, False),
        ({"kind": [{"wildcard": r"a.\*"}]}, {"kind": "a.*"}, True),
        ({"kind": [{"wildcard": r"a.\*"}]}, {"kind": "abc"}, False),
        ({"kind": [{"wildcard": "*"}]}, {"kind": 1}, False),
        ({"kind": ["a"]}, {"kind": ["b", "a"]}, True),
        ({"flag": [1]}, {"flag": True}, False),
    ],
)
def test_event_patterns(pattern: Any, event: Any, matches: bool) -> None:
    patterns.check(pattern, "rule")
    assert patterns.matches(pattern, event) is matches


@pytest.mark.parametrize("pattern", [{}, {"source": "a"}, {"source": []}, {"source": [{"cidr": "10.0.0.0/24"}]}])
def test_patterns_that_are_not_understood_are_refused(pattern: Any) -> None:
    with pytest.raises(StackError, match="rule"):
        patterns.check(pattern, "rule")


def test_a_template_keeps_quotes_within_and_adds_them_around() -> None:
    transformer = {
        "input_paths": {"why": "$.detail.why", "none": "$.detail.none"},
        "input_template": '{"bare": <why>, "within": "because <why>", "nothing": <none>}',
    }
    inputs.check_transformer(transformer, "target")
    text = inputs.transformed(transformer, {"detail": {"why": 'a "quoted" one'}})
    assert json.loads(text) == {"bare": 'a "quoted" one', "within": 'because a "quoted" one', "nothing": None}


def test_a_mark_without_a_path_is_refused() -> None:
    with pytest.raises(StackError, match="<other>"):
        inputs.check_transformer({"input_paths": {}, "input_template": "<other>"}, "target")


def test_cron_expressions_of_eventbridge_fire_in_their_zone() -> None:
    after = fires_after("cron(0 8 ? * 2-6 *)", "America/New_York", "schedule")
    assert after(datetime(2026, 3, 6, 14, tzinfo=UTC)) == datetime(
        2026, 3, 9, 12, tzinfo=UTC
    )  # the clock was put forward
    with pytest.raises(StackError, match="schedule"):
        fires_after("cron(0 8 1 * 2 *)", "UTC", "schedule")


def test_cron_expressions_of_eventbridge_count_on_from_a_value() -> None:
    after = fires_after("cron(5/20 8-10/2,20/3 * * ? *)", "UTC", "schedule")
    found, now = [], datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
    for _ in range(6):
        now = after(now) or now
        found.append(f"{now:%H:%M}")
    assert found == ["08:45", "10:05", "10:25", "10:45", "20:05", "20:25"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"Type": "Map"}, "Map"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Pass", "Assign": {}, "End": True}, "Assign"),
        ({"Type": "Pass", "Parameters": {"x.$": "States.UUID()"}, "End": True}, "States.UUID"),
        ({"Type": "Choice", "Choices": [{"Variable": "$.x", "StringMatches": "*", "Next": "One"}]}, "StringMatches"),
    ],
)
def test_definitions_that_are_not_understood_are_refused(state: Any, told: str) -> None:
    with pytest.raises(StackError, match=told):
        Machine({"StartAt": "One", "States": {"One": state}})
