"""Has the faults of a plan happen in a world, as AWS and its SDK would let them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.disturbances import Act, Calm, GoneError, Interruption, Invocation, UnansweredError
from interlock_tf.local.faults import REQUEST, Fault, Group, Kind
from interlock_tf.local.functions import Functions

_ENDPOINT = "https://local.invalid"

#: How a service refuses a call that the SDK has repeated as often as it does.
_REFUSALS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("ProvisionedThroughputExceededException", "InternalServerError", "ThrottlingException"),
    "events": ("InternalException", "ThrottlingException"),
    "stepfunctions": ("ThrottlingException", "ExecutionLimitExceeded", "ServiceUnavailable"),
    "scheduler": ("ThrottlingException", "InternalServerException", "ServiceQuotaExceededException"),
}
_OTHER_REFUSALS = ("ThrottlingException", "ServiceUnavailable", "InternalFailure")

#: What the SDK repeats never, since a second start is a second job.
_ONCE = frozenset({"StartJobRun", "AddJobFlowSteps", "Invoke"})


@dataclass
class _Armed:
    fault: Fault
    left: int
    is_over: bool = False


@dataclass(frozen=True)
class Happened:
    """A fault that has happened: when, to which invocation (None: to none), and on what."""

    fault: Fault
    at: datetime
    what: str
    invocation: Invocation | None = None


class Injector(Calm):
    """Disturbs one world by a plan. Nothing begins to go wrong after ``until``. ``happened`` is what went wrong."""

    def __init__(self, plan: Iterable[Fault], *, until: datetime) -> None:
        self.happened: list[Happened] = []
        self._until = until
        self._armed: defaultdict[tuple[Group, str], list[_Armed]] = defaultdict(list)
        self._outages: list[Fault] = []
        self._refused = 0
        for fault in sorted(plan, key=lambda fault: fault.at):
            if fault.kind is Kind.OUTAGE:
                self._outages.append(fault)
            else:
                self._armed[fault.group, fault.where].append(_Armed(fault, fault.skip))

    def join(self, functions: Functions, agenda: Agenda) -> None:
        """Disturb these functions."""
        self._functions = functions
        self._agenda = agenda

    def call(
        self, invocation: Invocation, service: str, operation: str, parameters: Mapping[str, Any], act: Act
    ) -> Any:
        """A function calls a service; the answer, or what is raised instead of one."""
        what = f"{service} {operation}"
        # Only the orchestrator calls services for jobs; the state machine of the stack is not one of its.
        of_job = service not in _REFUSALS or (service, _short(invocation.function)) == ("stepfunctions", "orchestrator")
        if outage := self._outage("jobs" if of_job else service):
            self._note(outage, what, invocation)
            raise self._refusal(service)
        if operation in ("PutEvents", "BatchGetItem") and (fault := self._due(Group.PARTS, invocation.function)):
            self._note(fault, what, invocation)
            return _partial_events(parameters, act) if operation == "PutEvents" else _partial_keys(parameters, act)
        fault = self._due(Group.CALL, invocation.function, to=operation)
        if fault is None:
            return act()
        self._note(fault, what, invocation)
        if fault.kind is Kind.REFUSED:
            raise self._refusal(service)
        if fault.kind is Kind.UNREACHABLE:
            self._functions.take_time(fault.seconds)
            raise EndpointConnectionError(endpoint_url=_ENDPOINT)
        if fault.kind is Kind.REPEATED and operation not in _ONCE:
            self._quietly(act)
            self._functions.take_time(fault.seconds)
            return act()
        if fault.kind in (Kind.UNANSWERED, Kind.REPEATED):
            self._quietly(act)
            self._functions.take_time(fault.seconds)
            broken = ReadTimeoutError if fault.seconds > 10 else ConnectionClosedError
            raise broken(endpoint_url=_ENDPOINT)
        return self._suffered(fault, invocation, act)

    def request(self, invocation: Invocation, act: Act) -> Any:
        """A function asks somebody outside AWS, by HTTP; the answer, or what is raised instead of one."""
        what = "slack" if _short(invocation.function) == "alert-dispatcher" else "jobs"
        if outage := self._outage(what):
            self._note(outage, what, invocation)
            raise UnansweredError("it is out")
        fault = self._due(Group.CALL, invocation.function, to=REQUEST)
        if fault is None:
            return act()
        self._note(fault, what, invocation)
        if fault.kind in (Kind.REFUSED, Kind.UNREACHABLE):
            self._functions.take_time(fault.seconds)
            raise UnansweredError("no connection")
        if fault.kind in (Kind.UNANSWERED, Kind.REPEATED):
            act()
            self._functions.take_time(fault.seconds)
            raise UnansweredError("the answer was lost")
        return self._suffered(fault, invocation, act)

    def deliveries(self, function: str) -> Sequence[timedelta]:
        """When a message or an event reaches a function."""
        fault = self._due(Group.DELIVERY, function)
        if fault is None:
            return (timedelta(),)
        self._note(fault, "delivery")
        return (fault.duration,) if fault.kind is Kind.LATE else (timedelta(), fault.duration)

    def hold(self, function: str) -> timedelta:
        """How long a stream's batch waits before a function gets it."""
        fault = self._due(Group.BATCH, function, only=Kind.HELD)
        if fault is None:
            return timedelta()
        self._note(fault, "batch")
        return fault.duration

    def is_forgotten(self, function: str) -> bool:
        """Whether it gets lost that a function has handled a batch."""
        fault = self._due(Group.BATCH, function, only=Kind.FORGOTTEN)
        if fault is not None:
            self._note(fault, "batch")
        return fault is not None

    def interruption(self, function: str) -> Interruption | None:
        """What keeps a state machine from a function's result."""
        fault = self._due(Group.TASK, function)
        if fault is None:
            return None
        self._note(fault, "task")
        if fault.kind is Kind.NOT_INVOKED:
            return Interruption("Lambda.TooManyRequestsException", acts=False)
        return Interruption("Lambda.SdkClientException", acts=True)

    def _suffered(self, fault: Fault, invocation: Invocation, act: Act) -> Any:
        """The answer of a slow call; or the end of the function's process."""
        if fault.kind is Kind.SLOW:
            self._functions.take_time(fault.seconds)
            return act()
        if fault.kind is Kind.DIES_AFTER:
            self._quietly(act)
        invocation.gone = GoneError("Runtime.ExitError", "Runtime exited with error: signal: killed")
        raise invocation.gone

    def _quietly(self, act: Act) -> None:
        """Have a service do what it was asked for; that it refuses is never heard of."""
        try:
            act()
        except ServiceError:
            return

    def _due(self, group: Group, function: str, *, only: Kind | None = None, to: str = "") -> Fault | None:
        """The fault that happens on this occasion; all that are due and do not happen let it pass.

        An occasion is one for faults of ``only`` that kind, or those that wait for a call ``to`` that operation.
        """
        now = self._agenda.now()
        if now >= self._until:
            return None
        for armed in self._armed.get((group, _short(function)), ()):
            if armed.fault.at > now:
                break
            if armed.is_over or only not in (None, armed.fault.kind) or armed.fault.to not in ("", to):
                continue
            if armed.left == 0:
                armed.is_over = True
                return armed.fault
            armed.left -= 1
        return None

    def _outage(self, service: str) -> Fault | None:
        now = self._agenda.now()
        for fault in self._outages:
            if fault.where == service and fault.at <= now < min(fault.at + fault.duration, self._until):
                return fault
        return None

    def _refusal(self, service: str) -> ServiceError:
        codes = _REFUSALS.get(service, _OTHER_REFUSALS)
        self._refused += 1
        return ServiceError(codes[self._refused % len(codes)], "the simulation says so")

    def _note(self, fault: Fault, what: str, invocation: Invocation | None = None) -> None:
        self.happened.append(Happened(fault, self._agenda.now(), what, invocation))


def _partial_events(parameters: Mapping[str, Any], act: Act) -> Any:
    """Every second event is taken, the first one not."""
    entries = parameters["Entries"]
    taken = entries[1::2]
    answers = iter(act({**parameters, "Entries": taken})["Entries"] if taken else ())
    refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "the simulation says so"}
    told = [next(answers) if position % 2 else refused for position in range(len(entries))]
    return {"Entries": told, "FailedEntryCount": sum("ErrorCode" in each for each in told)}


def _partial_keys(parameters: Mapping[str, Any], act: Act) -> Any:
    """Every second key of each table is left unread, the first one too."""
    answer = dict(act())
    left: dict[str, Any] = {}
    for table, wanted in parameters["RequestItems"].items():
        unread = wanted["Keys"][::2]
        left[table] = {**wanted, "Keys": unread}
        found = answer["Responses"].get(table, [])
        read = [row for row in found if {name: row[name] for name in ("PK", "SK")} not in unread]
        answer["Responses"] = {**answer["Responses"], table: read}
    return {**answer, "UnprocessedKeys": left}


def _short(function: str) -> str:
    return function.rpartition("interlock-")[2]
