"""Decides as IAM does whether the policies of a role allow an access.

What is understood is what policies here are written with. Another element, operator or key is an
error that names it, since to skip it would be to allow or refuse by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from interlock_tf.local.terraform_json import StackError

#: The values of a condition key in a request; None for one that the request does not have.
Values = tuple[str, ...] | None

_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?")


@dataclass(frozen=True)
class Access:
    """One action on one resource (``*`` where IAM knows none), with the keys that conditions may ask for."""

    action: str
    resource: str
    keys: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Grant:
    """What a policy says in one statement: an action and a resource, as they are written there."""

    role: str
    policy: str
    action: str
    resource: str


@dataclass(frozen=True)
class Statement:
    """One statement of a policy of a role."""

    role: str
    policy: str
    told: Mapping[str, Any]

    def __post_init__(self) -> None:
        if unknown := sorted(self.told.keys() - _ELEMENTS):
            raise StackError(f"{self}: {', '.join(unknown)} is not understood here")
        if self.told.get("Effect") not in ("Allow", "Deny"):
            raise StackError(f"{self}: Effect is {self.told.get('Effect')!r}, expected Allow or Deny")
        for told in (*self._list("Resource"), *self._list("NotResource")):
            if "${" in told:
                raise StackError(f"{self}: variables of policies are not understood here: {told}")

    def __str__(self) -> str:
        return f"the policy {self.policy} of the role {self.role}"

    @property
    def denies(self) -> bool:
        """Whether it forbids, instead of allowing."""
        return bool(self.told["Effect"] == "Deny")

    def grants(self) -> Iterator[Grant]:
        """Everything that it allows."""
        if not self.denies:
            for action in self._list("Action") or ("*",):
                for resource in self._list("Resource") or ("*",):
                    yield Grant(self.role, self.policy, action, resource)

    def matches(self, access: Access) -> bool:
        """Whether it speaks of an access, and its conditions hold."""
        if self._actions(access) is None or self._resources(access) is None:
            return False
        # All are looked at, so that one which is not understood here is found.
        held = [
            self._holds(operator, key, _texts(told), access)
            for operator, keys in self.told.get("Condition", {}).items()
            for key, told in keys.items()
        ]
        return all(held)

    def used(self, access: Access) -> Iterator[Grant]:
        """What of it an access makes use of that it matches."""
        for action in self._actions(access) or ():
            for resource in self._resources(access) or ():
                yield Grant(self.role, self.policy, action, resource)

    def _actions(self, access: Access) -> Sequence[str] | None:
        """The patterns that the action fits; None when it does not fit."""
        wanted = access.action.lower()
        if "NotAction" in self.told:
            return None if any(_fits(each.lower(), wanted) for each in self._list("NotAction")) else ["*"]
        return [each for each in self._list("Action") if _fits(each.lower(), wanted)] or None

    def _resources(self, access: Access) -> Sequence[str] | None:
        if "NotResource" in self.told:
            return None if any(arn_fits(each, access.resource) for each in self._list("NotResource")) else ["*"]
        return [each for each in self._list("Resource") if arn_fits(each, access.resource)] or None

    def _holds(self, told: str, key: str, wanted: Sequence[str], access: Access) -> bool:
        match = _OPERATOR.fullmatch(told)
        if match is None or match[2] not in (*_OPERATORS, "Null"):
            raise StackError(f"{self}: the operator {told} is not understood here")
        # Keys are compared without regard to case.
        keys = {name.lower(): values for name, values in access.keys.items()}
        if key.lower() not in keys:
            raise StackError(f"{self}: the condition key {key} is not understood here for {access.action}")
        if any("${" in each for each in wanted):
            raise StackError(f"{self}: variables of policies are not understood here: {', '.join(wanted)}")
        found = keys[key.lower()]
        quantifier, operator, if_exists = match.groups()
        if operator == "Null":
            return [each.lower() for each in wanted] == ["false" if found else "true"]
        if not found:
            return bool(if_exists) or quantifier == "ForAllValues" or (quantifier is None and operator in _NEGATED)
        fits = [_one_fits(operator, wanted, value) for value in found]
        return any(fits) if quantifier == "ForAnyValue" else all(fits)

    def _list(self, element: str) -> Sequence[str]:
        return _texts(self.told.get(element, ()))


@dataclass(frozen=True)
class Decision:
    """Whether an access is allowed; ``by`` are the statements that say so, or that forbid it."""

    allowed: bool
    by: tuple[Statement, ...] = ()


def decide(statements: Sequence[Statement], access: Access) -> Decision:
    """What a role's policies together say of an access: what is forbidden anywhere is, and the rest must be allowed.

    Raises:
        StackError: something in a statement about it is not understood here.
    """
    matching = tuple(each for each in statements if each.matches(access))
    if denying := tuple(each for each in matching if each.denies):
        return Decision(False, denying)
    return Decision(bool(matching), matching)


def arn_fits(pattern: str, arn: str) -> bool:
    """Whether an ARN fits a pattern: its first five parts each for itself, and the rest as a whole.

    Parts that a pattern leaves out at its end may be anything.
    """
    if pattern == "*":
        return True
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    wanted += ["*"] * (6 - len(wanted))
    return len(parts) == 6 and all(_fits(one, other) for one, other in zip(wanted, parts, strict=True))


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _fits(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringNotEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _fits,
    "StringNotLike": _fits,
    "ArnEquals": arn_fits,
    "ArnLike": arn_fits,
    "ArnNotEquals": arn_fits,
    "ArnNotLike": arn_fits,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
_NEGATED = frozenset(each for each in _OPERATORS if "Not" in each)


def _one_fits(operator: str, wanted: Sequence[str], value: str) -> bool:
    return any(_OPERATORS[operator](each, value) for each in wanted) != (operator in _NEGATED)


def _texts(told: Any) -> Sequence[str]:
    return [str(told)] if isinstance(told, (str, bool)) else [str(each) for each in told]
