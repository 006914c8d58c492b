"""Who may do what in a stack: the roles of whoever acts, and the resource policies of what is acted on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from interlock_tf.local import iam_requests
from interlock_tf.local.functions import LocalFunction
from interlock_tf.local.iam_policies import Access
from interlock_tf.local.queues import Queue
from interlock_tf.local.resource_policies import Doors
from interlock_tf.local.roles import Principal, Roles
from interlock_tf.local.terraform_json import Configuration


class Permissions:
    """Every question of permission that the services of a stack ask. A refusal is told in the words of AWS.

    Raises:
        StackError: a role or a policy of the stack is not understood here.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.roles = Roles(configuration)
        self._place = configuration.place
        self._doors = Doors(configuration)
        self._machines: dict[str, Principal] = {}

    def check_call(self, function: LocalFunction, service: str, operation: str, call: Mapping[str, Any]) -> None:
        """Judge a call that a function makes.

        Raises:
            ServiceError: its role may not make it, or it is not known here what it takes.
        """
        self.roles.check_call(_principal(function), service, operation, call)

    def may_send(self, function: LocalFunction, queue_arn: str) -> bool:
        """Whether Lambda may send a message with a function's role."""
        return self.roles.refusal(_principal(function), [Access("sqs:SendMessage", queue_arn)]) is None

    def schedule_may_send(self, role_arn: str, queue_arn: str, schedule: str) -> bool:
        """Whether Scheduler may send a message with a schedule's role."""
        return self.roles.refusal(Principal(role_arn, schedule), [Access("sqs:SendMessage", queue_arn)]) is None

    def schedule_refusal(self, role_arn: str, function_arn: str, schedule: str) -> str | None:
        """Why Scheduler may not invoke a function with a schedule's role; None when it may."""
        return self._invocation_refusal(Principal(role_arn, schedule), function_arn)

    def machine_refusal(self, machine_arn: str, function_arn: str) -> str | None:
        """Why a state machine may not invoke a function; None when it may."""
        return self._invocation_refusal(self._machines[machine_arn], function_arn)

    def opens(self, target: Queue | str, *, principal: str, source: str) -> bool:
        """Whether a queue, or a function by its ARN, lets a service in on behalf of a resource."""
        if isinstance(target, Queue):
            return self._doors.queue_opens(target.url, target.arn, principal=principal, source=source)
        return self._doors.function_opens(target, principal=principal, source=source)

    def take_function(self, function: LocalFunction, address: str, *, in_network: bool) -> None:
        """Ask for what a function's role must allow, so that Lambda can run it and its log can be written.

        Raises:
            StackError: the role does not allow it.
        """
        self.roles.require(_principal(function), iam_requests.log_writes(self._place, function.name), address)
        if in_network:
            self.roles.require(_principal(function), _anywhere(iam_requests.NETWORK_ACTIONS), address)

    def take_destination(self, function: LocalFunction, queue_arn: str, address: str) -> None:
        """Ask for what a function's role must allow, so that Lambda can send there what the function could not do.

        Raises:
            StackError: the role does not allow it.
        """
        self.roles.require(_principal(function), [Access("sqs:SendMessage", queue_arn)], address)

    def take_source(self, function: LocalFunction, source_arn: str, address: str) -> None:
        """Ask for what a function's role must allow, so that Lambda can read a stream or a queue for it.

        Raises:
            StackError: the role does not allow it.
        """
        self.roles.require(_principal(function), iam_requests.polls(source_arn), address)

    def take_machine(self, arn: str, *, role_arn: str, name: str, logs: bool, address: str) -> None:
        """Ask for what a state machine's role must allow, and keep in mind who acts when it does.

        Raises:
            StackError: the role does not allow it.
        """
        principal = Principal(role_arn, name)
        if logs:
            self.roles.require(principal, _anywhere(iam_requests.LOG_DELIVERY_ACTIONS), address)
        self._machines[arn] = principal

    def _invocation_refusal(self, principal: Principal, function_arn: str) -> str | None:
        return self.roles.refusal(principal, [Access("lambda:InvokeFunction", function_arn)])


def _anywhere(actions: Iterable[str]) -> list[Access]:
    return [Access(action, "*") for action in actions]


def _principal(function: LocalFunction) -> Principal:
    return Principal(function.role_arn, function.name)
