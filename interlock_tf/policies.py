"""IAM policy documents, for roles and for resources."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from interlock_tf._cdk import IamRole
from interlock_tf.context import Context

Statement = Mapping[str, Any]
Condition = Mapping[str, Mapping[str, Any]]


def allow(actions: Sequence[str], resources: Sequence[str], *, condition: Condition | None = None) -> Statement:
    """A statement of a role's policy: these actions on these resources."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def document(*statements: Statement) -> str:
    """The policy document that holds these statements, as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def add_service_role(context: Context, name: str, *, what: str, service: str) -> IamRole:
    """A role that a service may assume on behalf of this account, and of no other."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": context.account_id}},
    }
    return context.add(
        IamRole,
        name,
        name=context.names(what),
        assume_role_policy=document(trust),
        tags=context.tags,
    )
