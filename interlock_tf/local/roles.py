"""The roles of a stack: every call that a function makes, and all that services do for one, is judged by its role.

What a role may not do is refused with the words of AWS. What is used of a role's policies is
remembered, so that what is granted for nothing can be found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from interlock_tf.local import iam_requests
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.iam_policies import Access, Decision, Grant, Statement, decide
from interlock_tf.local.terraform_json import Configuration, Place, StackError

_POLICY = "aws_iam_role_policy"


@dataclass(frozen=True)
class Principal:
    """Who acts: a role, by its ARN, under the name of whom it was assumed for."""

    role_arn: str
    session: str

    @property
    def role(self) -> str:
        """The name of the role."""
        return self.role_arn.rpartition("/")[2]

    def arn(self, place: Place) -> str:
        """As AWS calls it when it refuses something."""
        return f"arn:{place.partition}:sts::{place.account}:assumed-role/{self.role}/{self.session}"


@dataclass(frozen=True)
class Judgement:
    """What was decided about what somebody asked for."""

    principal: Principal
    access: Access
    decision: Decision


class Roles:
    """All roles of a stack, with their policies.

    Attributes:
        used: what of the policies was made use of so far.
        refused: is told of every access that is refused, in the words of AWS.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.place = configuration.place
        self.used: set[Grant] = set()
        self.refused: Callable[[str], None] = lambda _: None
        self._configuration = configuration
        self._policies = _policies(configuration)
        self._statements: dict[str, Sequence[Statement]] = {}
        self._keys = _keys(configuration)
        self._judged: dict[tuple[str, str, str, str], Judgement] = {}

    def granted(self) -> set[Grant]:
        """Everything that the policies allow, as it is written there."""
        return {grant for role in self._policies for each in self.statements(role) for grant in each.grants()}

    def judged(self) -> Iterable[Judgement]:
        """Everything that was asked for so far, each once."""
        return self._judged.values()

    def statements(self, role: str) -> Sequence[Statement]:
        """What the policies of a role say; read when first asked for.

        Raises:
            StackError: there is no such role, or a policy of it is not understood here.
        """
        if role not in self._policies:
            raise StackError(f"there is no role {role} in the stack")
        if role not in self._statements:
            found = [each for policy in self._policies[role] for each in _read(self._configuration, role, policy)]
            self._statements[role] = found
        return self._statements[role]

    def decide(self, principal: Principal, access: Access) -> Decision:
        """Whether a role may do something.

        Raises:
            StackError: there is no such role, or something in a policy about it is not understood here.
        """
        place = self.place
        common = {
            "aws:PrincipalAccount": (place.account,),
            "aws:PrincipalArn": (principal.role_arn,),
            "aws:RequestedRegion": (place.region,),
            "aws:SecureTransport": ("true",),
        }
        key = (principal.role_arn, access.action, access.resource, json.dumps(access.keys, sort_keys=True))
        if key not in self._judged:
            wanted = replace(access, keys={**common, **access.keys})
            decision = decide(self.statements(principal.role), wanted)
            self._judged[key] = Judgement(principal, wanted, decision)
        return self._judged[key].decision

    def refusal(self, principal: Principal, accesses: Iterable[Access]) -> str | None:
        """Why a role may not do all of this, in the words of AWS; None when it may.

        What is encrypted by a key of the account asks for that, too.

        Raises:
            StackError: there is no such role, or something in a policy about it is not understood here.
        """
        for access in self._with_keys(accesses):
            decision = self.decide(principal, access)
            if not decision.allowed:
                text = self._words(principal, access, decision)
                self.refused(text)
                return text
            self.used.update(grant for statement in decision.by for grant in statement.used(access))
        return None

    def check_call(self, principal: Principal, service: str, operation: str, call: Mapping[str, Any]) -> None:
        """Judge a call.

        Raises:
            ServiceError: the role may not make it, or it is not known here what it takes.
        """
        try:
            accesses = iam_requests.accesses_of(self.place, service, operation, call)
        except iam_requests.UnknownCall as error:
            raise ServiceError("UnknownOperationException", str(error)) from None
        if (refusal := self.refusal(principal, accesses)) is not None:
            raise ServiceError("AccessDeniedException", refusal)

    def require(self, principal: Principal, accesses: Iterable[Access], address: str) -> None:
        """Judge what a service asks for before it takes a resource.

        Raises:
            StackError: the role may not do it.
        """
        if (refusal := self.refusal(principal, accesses)) is not None:
            raise StackError(f"{address}: {refusal}")

    def nearest(self, principal: Principal, action: str) -> str:
        """What the role's policies say that comes nearest to an action, for whoever looks for the mistake."""
        service = action.partition(":")[0]
        granted = [grant for each in self.statements(principal.role) for grant in each.grants()]
        near = [grant for grant in granted if grant.action == action]
        near = near or [grant for grant in granted if grant.action.startswith(f"{service}:")]
        told = "; ".join(f"{each.policy}: {each.action} on {each.resource}" for each in near)
        return told or f"no policy of the role speaks of {service}"

    def _with_keys(self, accesses: Iterable[Access]) -> Iterable[Access]:
        for access in accesses:
            yield access
            service = access.action.partition(":")[0]
            if service in ("dynamodb", "sqs") and (key := self._key_of(access.resource)) is not None:
                actions = ("GenerateDataKey", "Decrypt") if access.action == "sqs:SendMessage" else ("Decrypt",)
                yield from iam_requests.key_uses(self.place, key, service, *actions)

    def _key_of(self, resource: str) -> str | None:
        *place, rest = resource.split(":", 5)
        return self._keys.get(":".join([*place, *["/".join(rest.split("/")[:2])]]))

    def _words(self, principal: Principal, access: Access, decision: Decision) -> str:
        who, what = principal.arn(self.place), f"{access.action} on resource: {access.resource}"
        if decision.by:
            return f"User: {who} is not authorized to perform: {what} with an explicit deny in an identity-based policy"
        why = f"because no identity-based policy allows the {access.action} action"
        return f"User: {who} is not authorized to perform: {what} {why}"


def _policies(configuration: Configuration) -> Mapping[str, list[str]]:
    """The names of the policies of each role that the stack has, by the role's name."""
    roles = [configuration.attribute("aws_iam_role", name, "name") for name in configuration.names("aws_iam_role")]
    found: dict[str, list[str]] = {role: [] for role in roles}
    for policy in configuration.names(_POLICY):
        try:
            role = configuration.attribute(_POLICY, policy, "role")
        except StackError:
            continue  # a role of somewhere else, which nobody here acts with
        if role in found:
            found[role].append(policy)
    return found


def _read(configuration: Configuration, role: str, policy: str) -> Iterator[Statement]:
    name = configuration.attribute(_POLICY, policy, "name")
    told = json.loads(configuration.attribute(_POLICY, policy, "policy"))["Statement"]
    for each in [told] if isinstance(told, Mapping) else told:
        yield Statement(role, name, each)


def _keys(configuration: Configuration) -> Mapping[str, str]:
    """The key of the account by which a table or a queue is encrypted, by its ARN."""
    found = {}
    for _, table in configuration.resources("aws_dynamodb_table"):
        found[table["arn"]] = table.get("server_side_encryption", {}).get("kms_key_arn")
    for _, queue in configuration.resources("aws_sqs_queue"):
        found[queue["arn"]] = queue.get("kms_master_key_id")
    return {arn: key for arn, key in found.items() if key is not None and ":key/" in key}
