"""Rules that people add to the bus, to hear of Interlock's events in their own code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.events import EVENT_TYPES
from interlock_tf._cdk import CloudwatchEventBus, CloudwatchEventRule, CloudwatchEventTarget, SqsQueue
from interlock_tf.context import Context
from interlock_tf.events import event_pattern
from interlock_tf.terraform_values import is_token

RULE_NAME_LENGTH = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def add_subscription(
    context: Context,
    name: str,
    *,
    detail_types: Iterable[str],
    target_arn: str,
    role_arn: str | None,
    bus: CloudwatchEventBus,
    dead_letters: SqsQueue,
) -> CloudwatchEventRule:
    """Add a rule for these event types and its target.

    Raises:
        ConfigError: an event type does not exist, the name cannot be a rule's, or the target is no ARN.
    """
    if not isinstance(target_arn, str) or not (is_token(target_arn) or target_arn.startswith("arn:")):
        raise ConfigError(Problem(path="target_arn", message=f"{target_arn!r} is not valid; expected an ARN"))
    types = _event_types(detail_types)
    rule = context.add(
        CloudwatchEventRule,
        f"on_event_{name}",
        name=_rule_name(context, name),
        description=f"Passes on {', '.join(types)}"[:512],
        event_bus_name=bus.name,
        event_pattern=json.dumps(event_pattern(types)),
        tags=context.tags,
    )
    target: dict[str, Any] = {"arn": target_arn, "role_arn": role_arn}
    context.add(
        CloudwatchEventTarget,
        f"event_target_{name}",
        rule=rule.name,
        event_bus_name=bus.name,
        target_id=name,
        dead_letter_config={"arn": dead_letters.arn},
        **target,
    )
    return rule


def _event_types(names: Iterable[str]) -> tuple[str, ...]:
    types = (names,) if isinstance(names, str) else tuple(names)
    unknown = [name for name in types if name not in EVENT_TYPES]
    if unknown or not types:
        shown = ", ".join(map(repr, unknown)) or "an empty list"
        known = ", ".join(EVENT_TYPES)
        raise ConfigError(Problem(path="detail_types", message=f"{shown} is no event type; there are {known}"))
    return types


def _rule_name(context: Context, name: str) -> str:
    full = context.names(f"on-{name}")  # so that it is never the name of a rule of Interlock itself
    if not _ID.fullmatch(name) or len(full) > RULE_NAME_LENGTH:
        raise ConfigError(
            Problem(
                path="id",
                message=f"{name!r} is not valid; expected letters, digits, '-' and '_', and the rule's name {full} may "
                f"have {RULE_NAME_LENGTH} characters",
            )
        )
    return full
