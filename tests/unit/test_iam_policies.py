"""IAM's decision, rule by rule: effects, wildcards, conditions, and what is not understood."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_tf.local.iam_policies import Access, Statement, arn_fits, decide
from interlock_tf.local.terraform_json import StackError

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/control"


def statement(effect: str = "Allow", **told: Any) -> Statement:
    told = {"Action": ["dynamodb:PutItem"], "Resource": [TABLE], **told}
    return Statement("router", "rw", {"Effect": effect, **{name: each for name, each in told.items() if each}})


def allows(*statements: Statement, action: str = "dynamodb:PutItem", resource: str = TABLE, **keys: Any) -> bool:
    return decide(
        statements, Access(action, resource, {name.replace("__", ":"): each for name, each in keys.items()})
    ).allowed


def under(operator: str, wanted: Any, found: tuple[str, ...] | None) -> bool:
    return allows(statement(Condition={operator: {"dynamodb:LeadingKeys": wanted}}), dynamodb__LeadingKeys=found)


def test_what_no_statement_allows_is_refused() -> None:
    assert allows(statement())
    assert not allows()
    assert not allows(statement(), action="dynamodb:GetItem")
    assert not allows(statement(), resource=f"{TABLE}/index/kind-index")
    assert not allows(statement(Resource=[f"{TABLE}/index/*"]))


def test_what_is_denied_anywhere_is_refused() -> None:
    decision = decide([statement(), statement("Deny")], Access("dynamodb:PutItem", TABLE))
    assert (decision.allowed, [each.denies for each in decision.by]) == (False, [True])
    assert allows(statement(), statement("Deny", Action=["dynamodb:DeleteItem"]))


def test_a_single_action_or_resource_need_not_be_a_list() -> None:
    assert allows(statement(Action="dynamodb:PutItem", Resource=TABLE))


def test_actions_are_compared_without_regard_to_case_and_resources_are_not() -> None:
    assert allows(statement(Action=["DynamoDB:putitem"]))
    assert allows(statement(Action=["dynamodb:Put*"]))
    assert not allows(statement(Resource=[TABLE.upper()]))


def test_all_but_something() -> None:
    assert allows(statement(Action=None, NotAction=["dynamodb:DeleteItem"]))
    assert not allows(statement(Action=None, NotAction=["dynamodb:*"]))
    assert allows(statement(Resource=None, NotResource=["arn:aws:dynamodb:*:*:table/events"]))
    assert not allows(statement(Resource=None, NotResource=["arn:aws:dynamodb:*:*:table/*"]))


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        ("*", TABLE, True),
        ("arn:aws:dynamodb:*:*:table/*", TABLE, True),
        ("arn:aws:dynamodb:*:table/*", TABLE, False),  # no wildcard reaches over a colon of the first five parts
        ("arn:aws:dynamodb", TABLE, True),
        ("arn:aws:*:eu-west-1:123456789012:table/c?ntrol", TABLE, True),
        ("arn:aws:states:::execution:orders:*", "arn:aws:states:::execution:orders:prod:1", True),
        ("arn:aws:states:::execution:orders:*", "arn:aws:states:::execution:orders-old:1", False),
        ("arn:aws:x:::job/a[b]", "arn:aws:x:::job/ab", False),
        ("arn:aws:x:::job/a[b]", "arn:aws:x:::job/a[b]", True),
    ],
)
def test_patterns_of_arns(pattern: str, arn: str, fits: bool) -> None:
    assert arn_fits(pattern, arn) is fits


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("StringEquals", ["a", "b"], ("b",), True),
        ("StringEquals", "a", ("A",), False),
        ("StringEquals", "a*", ("ab",), False),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", ("b",), False),
        ("StringEqualsIgnoreCase", "a", ("A",), True),
        ("StringNotEquals", ["a", "b"], ("b",), False),
        ("StringNotEquals", ["a", "b"], ("c",), True),
        ("StringNotEquals", "a", None, True),
        ("StringLike", "a*", ("ab",), True),
        ("StringNotLike", "a*", ("ab",), False),
        ("ArnLike", "arn:aws:x:::a*", ("arn:aws:x:::ab",), True),
        ("ArnEquals", "arn:aws:x:::a", ("arn:aws:x:::b",), False),
        ("ArnNotLike", "arn:aws:x:::a*", ("arn:aws:x:::b",), True),
        ("Bool", True, ("true",), True),
        ("Null", "true", None, True),
        ("Null", "false", None, False),
        ("Null", False, ("a",), True),
        ("ForAllValues:StringLike", ["a*"], ("ab", "ac"), True),
        ("ForAllValues:StringLike", ["a*"], ("ab", "b"), False),
        ("ForAllValues:StringLike", ["a*"], None, True),
        ("ForAnyValue:StringEquals", ["a"], ("a", "b"), True),
        ("ForAnyValue:StringEquals", ["a"], ("b",), False),
        ("ForAnyValue:StringEquals", ["a"], None, False),
    ],
)
def test_conditions(operator: str, wanted: Any, found: tuple[str, ...] | None, holds: bool) -> None:
    assert under(operator, wanted, found) is holds


def test_all_conditions_must_hold() -> None:
    both = {"StringLike": {"iam:PassedToService": "scheduler.*", "aws:RequestedRegion": "eu-*"}}
    assert allows(statement(Condition=both), iam__PassedToService=("scheduler.x",), aws__RequestedRegion=("eu-west-1",))
    assert not allows(
        statement(Condition=both), iam__PassedToService=("scheduler.x",), aws__RequestedRegion=("us-east-1",)
    )


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "the operator IpAddress is not understood"),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "v"}}}, "the condition key aws:SourceVpc is not understood"),
        ({"Condition": {"StringEquals": {"dynamodb:LeadingKeys": "${aws:userid}"}}}, "variables of policies"),
        ({"Resource": ["arn:aws:dynamodb:::table/${aws:userid}"]}, "variables of policies"),
        ({"Principal": "*"}, "Principal is not understood"),
    ],
)
def test_what_is_not_understood_is_neither_allowed_nor_refused(told: dict[str, Any], what: str) -> None:
    with pytest.raises(StackError, match=f"the policy rw of the role router: .*{what}"):
        allows(statement(**told), dynamodb__LeadingKeys=("a",))


def test_a_statement_must_say_what_it_does() -> None:
    with pytest.raises(StackError, match="Effect is 'Permit', expected Allow or Deny"):
        statement("Permit")
