"""Judges every AWS call that the runtime makes in this process by the emitted policies, in whatever test.

botocore tells of each call before it is made. Whose it is, the call stack says: a handler's is that
function's; one of a job type is the orchestrator's. One of an adapter that a test uses by itself is
nobody's: some function must have that action.
Tests have names of their own for what is installed, so tables, bus, schedules and state machine are
known by what they are; the targets of jobs are judged by the action alone. A stack that runs in the
simulator judges its calls itself, to the letter, and is only asked whether it refused one.

The policies are those in the snapshots of ``tests/synth/test_snapshots.py``, so no stack need be
synthesised for it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import botocore.handlers

from interlock_runtime.core.rows import KIND_INDEX
from interlock_tf.local.iam_policies import Access
from interlock_tf.local.iam_requests import UnknownCall, accesses_of
from interlock_tf.local.roles import Principal, Roles
from interlock_tf.local.terraform_json import Configuration, Place
from tests.fakes.aws import REGION

SNAPSHOTS = Path(__file__).parents[1] / "synth" / "__snapshots__" / "test_snapshots"

#: The functions by what their modules begin with.
FUNCTIONS = ("stream_router", "orchestrator", "sla_monitor", "watchdog", "event_sink", "alert_dispatcher")
_CALLERS: Mapping[str, str] = {
    **{f"interlock_runtime.handlers.{function}": function for function in FUNCTIONS},
    "interlock_runtime.jobs.": "orchestrator",
    "interlock_runtime.slack": "alert_dispatcher",
    "interlock_runtime.control.watchdog.": "watchdog",
}
_PLACE = Place(region=REGION)
_SIMULATOR = "interlock_tf.local.functions"
NOBODY = "nobody"
_TABLE = re.compile(r"table/(?:.*-)?(control|joblog|rerun|events)(/index/[\w-]+)?")

#: What was refused since somebody last looked.
refused: list[str] = []


def listen() -> None:
    """Be told of the calls of every client that is made from now on."""
    told = [("provide-client-params", _before), ("after-call", _after)]
    botocore.handlers.BUILTIN_HANDLERS.extend(each for each in told if each not in botocore.handlers.BUILTIN_HANDLERS)


def judge(function: str, service: str, operation: str, call: Mapping[str, Any]) -> str | None:
    """Why a function may not make a call, or nobody may; None when it may."""
    try:
        accesses = accesses_of(_PLACE, service, operation, call)
    except UnknownCall as error:
        return str(error)
    if function != NOBODY:
        return _problem(function, [_as_emitted(_role(function), each) for each in accesses])
    actions = {each.action for each in accesses}
    unknown = actions - {grant.action for grant in emitted().granted()}
    return f"no role of a function may do {', '.join(sorted(unknown))}" if unknown else None


@cache
def emitted() -> Roles:
    """The roles of the stack with everything on."""
    minimal, more = (
        json.loads((SNAPSHOTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("test_the_minimal_stack", "test_what_the_maximal_stack_has_besides")
    )
    resources: dict[str, dict[str, Any]] = {}
    for address in dict.fromkeys([*minimal, *more]):
        if address.startswith("aws_"):
            kind, _, name = address.partition(".")
            attributes = {**minimal.get(address, {}), **more.get(address, {})}
            if isinstance(attributes.get("policy"), dict):
                attributes["policy"] = json.dumps(attributes["policy"])
            resources.setdefault(kind, {})[name] = attributes
    return Roles(Configuration(SNAPSHOTS, _PLACE, {}, {"resource": resources}))


def _before(params: Mapping[str, Any], model: Any, **_: Any) -> None:
    if (caller := _caller(_stack())) is not None:
        problem = judge(caller, str(model.service_model.service_name), model.name, params)
        if problem is not None:
            refused.append(problem)


def _after(parsed: Mapping[str, Any], **_: Any) -> None:
    error = parsed.get("Error", {})
    if error.get("Code") == "AccessDeniedException" and "identity-based policy" in error.get("Message", ""):
        refused.append(error["Message"])


def _stack() -> Iterator[str]:
    frame = sys._getframe(2)
    while frame is not None:
        yield frame.f_globals.get("__name__", "")
        frame = frame.f_back  # type: ignore[assignment]


def _caller(modules: Iterable[str]) -> str | None:
    """Which function calls; None when it is a test, or a function in the simulator."""
    found: str | None = None
    for module in modules:
        if module == _SIMULATOR:
            return None
        if module.startswith("interlock_runtime."):
            named = next((function for prefix, function in _CALLERS.items() if module.startswith(prefix)), None)
            found = named or found or NOBODY
    return found


def _problem(function: str, accesses: Iterable[Access]) -> str | None:
    role, roles = _role(function), emitted()
    principal = Principal(f"arn:aws:iam::{_PLACE.account}:role/{role}", role)
    for access in accesses:
        if (refusal := roles.refusal(principal, [access])) is not None:
            return f"{refusal}. What comes nearest: {roles.nearest(principal, access.action)}"
    return None


def _role(function: str) -> str:
    return f"dev-interlock-{function.replace('_', '-')}"


def _as_emitted(role: str, access: Access) -> Access:
    """The access with the names of the emitted stack."""
    *place, resource = access.resource.split(":", 5)
    service = access.action.partition(":")[0]
    ours = {
        "dynamodb": _emitted_table(resource),
        "events": "event-bus/dev-interlock-events",
        "scheduler": re.sub(r"schedule/[^/]+/", "schedule/dev-interlock-sla/", resource),
    }
    if service == "states" and role != "dev-interlock-orchestrator":
        ours["states"] = re.sub(r"^(\w+):[^:]+", r"\1:dev-interlock-pipeline", resource)
    if service in ours:
        return replace(access, resource=":".join([*_here(place), ours[service] or resource]))
    return _of_action(role, access)


def _emitted_table(resource: str) -> str | None:
    match = _TABLE.fullmatch(resource)
    return match and f"table/dev-interlock-{match[1]}{f'/index/{KIND_INDEX}' if match[2] else ''}"


def _here(place: list[str]) -> list[str]:
    return [*place[:3], _PLACE.region, _PLACE.account]


def _of_action(role: str, access: Access) -> Access:
    """The access on something that a statement names for its action; as it is when there is none."""
    for statement in emitted().statements(role):
        for grant in statement.grants():
            if grant.action == access.action:
                return replace(access, resource=grant.resource.replace("*", "x").replace("?", "x"))
    return access
