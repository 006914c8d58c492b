"""The tables of the documentation that tell what a synthesised stack contains.

Apart from :mod:`tables`, since a synthesis takes some seconds. ``make docs`` writes both.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cdktf import Testing
from tables import ROOT, column, table

from interlock_tf.functions import FUNCTIONS
from interlock_tf.grants import GRANTS
from interlock_tf.stack import InterlockStack

#: A pipeline that needs no schedule and no permission of its own, to count what is there in any case.
_PLAIN_PIPELINE = """
pipeline: {id: plain}
schedule: {trigger: {key: landed, check: exists}}
validation: {rules: [{key: landed, check: exists}]}
job: {type: http, config: {url: "https://jobs.example.com"}}
"""

_COUNTED_BY_PIPELINES = {"aws_dynamodb_table_item": "one per pipeline", "aws_scheduler_schedule": "one per cron"}

_TOKENS = (
    (r"\$\{data\.aws_partition\.\w+\.partition\}", "<partition>"),
    (r"\$\{data\.aws_region\.\w+\.\w+\}", "<region>"),
    (r"\$\{data\.aws_caller_identity\.\w+\.account_id\}", "<account>"),
    (r"\$\{(\w+\.\w+)\.arn\}", r"\1"),
    (r"\$\{(\w+\.\w+)\.stream_arn\}", r"the stream of \1"),
)


@cache
def _stack(pipelines: Path, calendars: Path | None = None) -> dict[str, Any]:
    """The Terraform JSON of a stack with these pipelines."""
    stack = InterlockStack(
        Testing.app(), "interlock", environment="dev", pipelines_path=pipelines, calendars_path=calendars
    )
    synthesised: dict[str, Any] = json.loads(Testing.synth(stack))
    return synthesised


def _samples() -> dict[str, Any]:
    return _stack(ROOT / "pipelines", ROOT / "calendars")


def _outputs(_: str) -> str:
    rows = ((f"`{name}`", f"`{output['value'][2:-1]}`") for name, output in sorted(_samples()["output"].items()))
    return table(("output", "value"), rows)


def _resources(old: str) -> str:
    meanings = column(old, "meaning")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "plain.yaml").write_text(_PLAIN_PIPELINE, encoding="utf-8")
        resources = _stack(Path(folder))["resource"]
    counts = {kind: str(len(made)) for kind, made in resources.items()} | _COUNTED_BY_PIPELINES
    rows = ((f"`{kind}`", counts[kind], meanings.get(f"`{kind}`", "")) for kind in sorted(counts))
    return table(("resource", "number", "meaning"), rows)


def _permissions(_: str) -> str:
    granted: dict[str, dict[str, dict[str, None]]] = {}
    for role, _policy, statement in _statements():
        services = granted.setdefault(role, {})
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            services.setdefault(service, {})[name] = None
    rows = (
        (
            f"`{role}`",
            "; ".join(f"{service}: {', '.join(sorted(names))}" for service, names in sorted(services.items())),
        )
        for role, services in sorted(granted.items())
    )
    return table(("role", "may"), rows)


def _policies(_: str) -> str:
    rows = (
        (
            f"`{role}`",
            f"`{policy}`",
            ", ".join(f"`{action}`" for action in statement["Action"]),
            ", ".join(f"`{_readable(arn)}`" for arn in statement["Resource"]),
            _user(role, policy, statement),
        )
        for role, policy, statement in _statements()
    )
    return table(("role", "policy", "actions", "on", "used by"), rows)


def _statements() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(role, policy, statement) of every role in the stack of the samples."""
    resources = _samples()["resource"]
    roles = {key: role["name"].removeprefix("dev-interlock-") for key, role in resources["aws_iam_role"].items()}
    for policy in resources["aws_iam_role_policy"].values():
        role = roles[policy["role"].split(".")[1]]
        for statement in json.loads(policy["policy"])["Statement"]:
            yield role, policy["name"], statement


def _user(role: str, policy: str, statement: Mapping[str, Any]) -> str:
    """Who makes the calls: the function's code, or the service that acts with the role."""
    key = role.replace("-", "_")
    if key not in FUNCTIONS:
        return "Step Functions" if role == "sfn" else "Scheduler"
    by_lambda = any(
        grant.by_service and grant.policy == policy and list(grant.action_names) == statement["Action"]
        for grant in GRANTS[key]
    )
    return "Lambda" if by_lambda else "code"


def _readable(arn: str) -> str:
    for token, text in _TOKENS:
        arn = re.sub(token, text, arn)
    return arn


#: Every table of a stack by its name.
STACK_TABLES: Mapping[str, Callable[[str], str]] = {
    "outputs": _outputs,
    "resources": _resources,
    "permissions": _permissions,
    "policies": _policies,
}
