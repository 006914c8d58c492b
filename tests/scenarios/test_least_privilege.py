"""Least privilege, both ways: what the functions and services do is allowed, and what is allowed is done.

The stack with everything on lives through the days of ``tests/fakes/privilege_stories.py``. All that
happens in them is judged by the emitted policies as IAM would, and remembered.
"""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from interlock_tf import VpcConfig
from interlock_tf.local.iam_policies import Access, Grant, Statement, decide
from interlock_tf.local.roles import Judgement, Roles
from interlock_tf.local.terraform_json import Configuration
from tests.fakes.privilege_stories import DAILY, STORIES, Story, a_deadline_passed, every_job
from tests.fakes.stacks import MAXIMAL, SAMPLES, synthesised

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it leaves its own files open
    import parliament

pytestmark = pytest.mark.slow

#: Keys that every request has.
GLOBAL_KEYS = frozenset({"aws:PrincipalAccount", "aws:PrincipalArn", "aws:RequestedRegion", "aws:SecureTransport"})

#: Actions about whose resources the linter's data is wrong: it knows only executions of express workflows.
WRONG_DATA = frozenset({"states:DescribeExecution"})


@dataclass(frozen=True)
class Told:
    """What came of the stories."""

    granted: frozenset[Grant]
    used: frozenset[Grant]
    judged: tuple[Judgement, ...]
    refused: tuple[str, ...]
    roles: Roles

    @property
    def unused(self) -> set[Grant]:
        """What is granted for nothing."""
        return set(self.granted - self.used)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stack with everything on, every job type, and the real zips."""
    folder = tmp_path_factory.mktemp("privilege")
    pipelines = folder / "pipelines"
    pipelines.mkdir()
    for file in (SAMPLES / "maximal").iterdir():
        (pipelines / file.name).write_bytes(file.read_bytes())
    (pipelines / "daily.yaml").write_text(json.dumps(DAILY))
    network = VpcConfig(subnet_ids=["subnet-1"], security_group_ids=["sg-1"])
    names = {"environment": "dev", "name_suffix": "", "deletion_protection": False}
    parts = {"pipelines_path": pipelines, "dist_path": None, "vpc_config": network}
    return synthesised(folder, {**MAXIMAL, **names, **parts}).folder


@pytest.fixture(scope="module")
def told(stack: Path) -> Told:
    granted: set[Grant] = set()
    used: set[Grant] = set()
    judged: list[Judgement] = []
    refused: list[str] = []
    for tell in STORIES:
        story = tell(stack)
        roles = story.world.permissions.roles
        granted |= roles.granted()
        used |= roles.used
        judged += roles.judged()
        refused += [entry.why for entry in story.timeline if entry.what == "access denied"]
    return Told(frozenset(granted), frozenset(used), tuple(judged), tuple(refused), roles)


@pytest.fixture
def changed(stack: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """The stack with the statements of its roles' policies changed."""

    def change(edit: Callable[[dict[str, Any]], None]) -> Path:
        document = json.loads((stack / "cdk.tf.json").read_text())
        for policy in document["resource"]["aws_iam_role_policy"].values():
            text = json.loads(policy["policy"])
            for statement in text["Statement"]:
                edit(statement)
            text["Statement"] = [each for each in text["Statement"] if each["Action"]]
            policy["policy"] = json.dumps(text)
        (tmp_path / "assets").symlink_to(stack / "assets")
        (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
        return tmp_path

    return change


def without(action: str) -> Callable[[dict[str, Any]], None]:
    def edit(statement: dict[str, Any]) -> None:
        statement["Action"] = [each for each in statement["Action"] if each != action]

    return edit


def listed() -> set[tuple[str, str, str]]:
    entries = tomllib.loads(Path(__file__).with_name("unused_grants.toml").read_text())["unused"]
    assert all(entry["why"] for entry in entries)
    return {(entry["role"], entry["action"], entry["resource"]) for entry in entries}


def test_everything_that_is_done_is_allowed(told: Told) -> None:
    assert told.refused == ()
    assert [each for each in told.judged if not each.decision.allowed] == []


def test_everything_that_is_allowed_is_done_or_has_a_reason(told: Told) -> None:
    assert {(each.role, each.action, each.resource.split(":", 5)[-1]) for each in told.unused} == listed()


def test_no_role_is_without_a_part(told: Told) -> None:
    roles = {role.removeprefix("dev-interlock-") for role in {each.role for each in told.granted}}
    assert roles == {
        *("stream-router", "orchestrator", "sla-monitor", "watchdog", "event-sink", "alert-dispatcher"),
        *("sfn", "scheduler-sla", "scheduler-cron"),
    }
    assert {each.role for each in told.used} == {each.role for each in told.granted}


def test_whatever_is_taken_away_is_missed(told: Told) -> None:
    """Each action on each resource is needed by something that happened."""
    for grant in sorted(told.used):
        theirs = [each for each in told.judged if each.principal.role == grant.role]
        left = [_less(statement, grant) for statement in told.roles.statements(grant.role)]
        statements = [part for parts in left for part in parts]
        assert any(not decide(statements, each.access).allowed for each in theirs), f"nobody misses {grant}"


def test_a_grant_that_nobody_needs_is_found(told: Told, changed: Callable[..., Path]) -> None:
    def edit(statement: dict[str, Any]) -> None:
        if "glue:StartJobRun" in statement["Action"]:
            statement["Action"].append("glue:BatchStopJobRun")

    roles = Roles(Configuration.read(changed(edit)))
    assert {each.action for each in roles.granted() - told.used - told.unused} == {"glue:BatchStopJobRun"}


@pytest.mark.refusals
@pytest.mark.parametrize(
    ("story", "action"),
    [
        (every_job, "glue:StartJobRun"),
        (every_job, "emr-serverless:StartJobRun"),
        (every_job, "iam:PassRole"),
        (every_job, "states:StartExecution"),
        (every_job, "kms:Decrypt"),
        (a_deadline_passed, "scheduler:CreateSchedule"),
        (a_deadline_passed, "dynamodb:BatchGetItem"),
    ],
)
def test_a_grant_that_is_missing_is_found(story: Story, action: str, changed: Callable[..., Path]) -> None:
    folder = changed(without(action))
    with pytest.raises(Exception, match=rf"not authorized to perform: {action} on resource: \S+ because no identity"):
        story(folder)


def test_the_tables_of_the_judge_agree_with_the_data_of_a_linter(told: Told) -> None:
    """Every action exists, its resource is one of those that it has, and so are the keys."""
    services = {service["prefix"]: service for service in parliament.iam_definition}
    for access in (each.access for each in told.judged):
        prefix, _, name = access.action.partition(":")
        service = services[prefix]
        (action,) = (each for each in service["privileges"] if each["privilege"] == name)
        assert _resource_fits(access, action, service), access
        keys = {key for each in action["resource_types"] for key in each["condition_keys"]}
        assert access.keys.keys() <= keys | GLOBAL_KEYS, access


def _resource_fits(access: Access, action: Mapping[str, Any], service: Mapping[str, Any]) -> bool:
    wanted = {each["resource_type"].rstrip("*") for each in action["resource_types"]} - {""}
    if access.resource == "*" or access.action in WRONG_DATA:
        # Lambda's network interfaces and log deliveries are asked for on everything.
        return not wanted or access.action.startswith(("ec2:", "logs:")) or access.action in WRONG_DATA
    arns = [each["arn"] for each in service["resources"] if each["resource"] in wanted]
    patterns = [re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(arn)) for arn in arns]
    return any(re.fullmatch(pattern, access.resource) for pattern in patterns)


def _less(statement: Statement, grant: Grant) -> Iterator[Statement]:
    """A statement without one of its actions on one of its resources."""
    actions, resources = statement.told["Action"], statement.told["Resource"]
    if statement.policy != grant.policy or grant.action not in actions or grant.resource not in resources:
        yield statement
        return
    others = [each for each in actions if each != grant.action]
    yield replace(statement, told={**statement.told, "Action": others})
    elsewhere = [each for each in resources if each != grant.resource]
    yield replace(statement, told={**statement.told, "Action": [grant.action], "Resource": elsewhere})
