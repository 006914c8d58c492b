"""Faults happen where, when and as often as the plan says, and as AWS and its SDK would let them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from interlock_tf.local import soak
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.aws_session import ServiceError
from interlock_tf.local.disturbances import GoneError, Invocation, UnansweredError
from interlock_tf.local.faults import GROUPS, Fault, Group, Kind, random_faults
from interlock_tf.local.functions import Functions
from interlock_tf.local.injection import Injector

START = datetime(2026, 3, 3, 8, tzinfo=UTC)
UNTIL = START + timedelta(days=1)
ROUTER = "dev-interlock-stream-router"


class Stage:
    """A function that calls services while faults happen. ``acted`` are the parameters with which they acted."""

    def __init__(self, *faults: Fault, function: str = ROUTER, timeout: int = 60) -> None:
        self.agenda = Agenda(START)
        self.injector = Injector(faults, until=UNTIL)
        self.functions = Functions(self.agenda, lambda *_: {}, disturbances=self.injector)
        self.invocation = Invocation(function=function, event={}, timeout=timedelta(seconds=timeout))
        self.functions.running.append(self.invocation)
        self.acted: list[Any] = []

    def call(self, service: str = "dynamodb", operation: str = "GetItem", **parameters: Any) -> Any:
        def act(given: Any = parameters) -> Any:
            self.acted.append(given)
            return {"Entries": [{"EventId": "x"} for _ in given["Entries"]]} if "Entries" in given else len(self.acted)

        return self.injector.call(self.invocation, service, operation, parameters, act)

    def request(self) -> Any:
        def act() -> int:
            self.acted.append(None)
            return len(self.acted)

        return self.injector.request(self.invocation, act)


def fault(kind: Kind, *, minutes: int = 0, skip: int = 0, seconds: float = 0, where: str = "stream-router") -> Fault:
    return Fault(at=START + timedelta(minutes=minutes), kind=kind, where=where, skip=skip, seconds=seconds)


def test_a_fault_happens_once_after_the_occasions_that_it_lets_pass() -> None:
    stage = Stage(fault(Kind.REFUSED, skip=2))
    assert [stage.call(), stage.call()] == [1, 2]
    with pytest.raises(ServiceError):
        stage.call()
    assert stage.call() == 3


def test_a_fault_waits_for_its_time_and_its_function() -> None:
    stage = Stage(fault(Kind.REFUSED, minutes=5), fault(Kind.REFUSED, where="watchdog"))
    assert stage.call() == 1
    stage.agenda.run_until(START + timedelta(minutes=5))
    with pytest.raises(ServiceError):
        stage.call()


def test_a_fault_waits_for_a_call_to_its_operation() -> None:
    stage = Stage(Fault(at=START, kind=Kind.REFUSED, where="stream-router", to="PutItem", skip=1))
    stage.call()
    stage.call("dynamodb", "PutItem")
    stage.call("dynamodb", "UpdateItem")
    with pytest.raises(ServiceError):
        stage.call("dynamodb", "PutItem")
    stage = Stage(Fault(at=START, kind=Kind.REFUSED, where="stream-router", to="request"))
    stage.call()
    with pytest.raises(UnansweredError):
        stage.request()


def test_without_one_fault_the_others_happen_where_they_did() -> None:
    def refused(*faults: Fault) -> list[int]:
        stage = Stage(*faults)
        found = []
        for number in range(10):
            try:
                stage.call()
            except ServiceError:
                found.append(number)
        return found

    one, other = fault(Kind.REFUSED, skip=3), fault(Kind.REFUSED, skip=6)
    assert (refused(one), refused(other)) == ([3], [6])
    assert refused(one, other) == [3, 7]


def test_nothing_goes_wrong_once_it_is_calm() -> None:
    stage = Stage(fault(Kind.REFUSED), fault(Kind.OUTAGE, where="dynamodb", seconds=3600 * 48))
    stage.agenda.run_until(UNTIL)
    assert stage.call() == 1
    assert stage.injector.happened == []


@pytest.mark.parametrize(
    ("kind", "error", "acts"),
    [
        (Kind.REFUSED, ServiceError, 0),
        (Kind.UNREACHABLE, BotoCoreError, 0),
        (Kind.UNANSWERED, BotoCoreError, 1),
        (Kind.DIES_BEFORE, GoneError, 0),
        (Kind.DIES_AFTER, GoneError, 1),
    ],
)
def test_whether_a_service_acts_before_the_call_fails(kind: Kind, error: type[BaseException], acts: int) -> None:
    stage = Stage(fault(kind, seconds=5))
    with pytest.raises(error):
        stage.call()
    assert len(stage.acted) == acts


def test_the_sdk_repeats_a_call_whose_answer_was_lost_but_no_start_of_a_job() -> None:
    stage = Stage(fault(Kind.REPEATED, seconds=5))
    assert stage.call() == 2
    stage = Stage(fault(Kind.REPEATED, seconds=5))
    with pytest.raises(BotoCoreError):
        stage.call("glue", "StartJobRun")
    assert len(stage.acted) == 1


def test_what_takes_time_takes_the_worlds_time_and_the_functions() -> None:
    stage = Stage(fault(Kind.SLOW, seconds=20))
    seen: list[int] = []
    stage.agenda.after(timedelta(seconds=10), lambda: seen.append(len(stage.acted)))
    stage.call()
    assert seen == [0], "others go on meanwhile"
    assert stage.agenda.now() == START + timedelta(seconds=20)
    assert stage.invocation.spent == timedelta(seconds=20)


def test_a_function_that_takes_too_long_ends_when_its_time_is_up() -> None:
    stage = Stage(fault(Kind.SLOW, seconds=200), timeout=60)
    with pytest.raises(GoneError, match=r"Task timed out after 60\.00 seconds"):
        stage.call()
    assert stage.acted == []
    assert stage.agenda.now() == START + timedelta(seconds=60)
    assert stage.invocation.gone is not None


def test_events_are_taken_in_part() -> None:
    stage = Stage(fault(Kind.PARTIAL))
    answer = stage.call("events", "PutEvents", Entries=["a", "b", "c", "d"])
    assert stage.acted == [{"Entries": ["b", "d"]}]
    assert [("ErrorCode" in each) for each in answer["Entries"]] == [True, False, True, False]
    assert answer["FailedEntryCount"] == 2


def test_keys_are_read_in_part() -> None:
    stage = Stage(fault(Kind.PARTIAL))
    rows = [{"PK": {"S": "a"}, "SK": {"S": str(number)}, "x": {"S": "y"}} for number in range(3)]
    keys = [{"PK": row["PK"], "SK": row["SK"]} for row in rows]
    wanted = {"RequestItems": {"control": {"Keys": keys, "ConsistentRead": True}}}
    answer = stage.injector.call(
        stage.invocation, "dynamodb", "BatchGetItem", wanted, lambda: {"Responses": {"control": list(rows)}}
    )
    assert answer["Responses"] == {"control": [rows[1]]}
    assert answer["UnprocessedKeys"]["control"]["Keys"] == [keys[0], keys[2]]


@pytest.mark.parametrize(
    ("out", "call"),
    [
        ("dynamodb", lambda stage: stage.call()),
        ("events", lambda stage: stage.call("events", "PutEvents", Entries=[])),
        ("stepfunctions", lambda stage: stage.call("stepfunctions", "StartExecution")),
        ("jobs", lambda stage: stage.call("glue", "StartJobRun")),
    ],
)
def test_an_outage_refuses_every_call_of_its_service(out: str, call: Callable[[Stage], Any]) -> None:
    stage = Stage(fault(Kind.OUTAGE, where=out, seconds=600))
    for _ in range(3):
        with pytest.raises(ServiceError):
            call(stage)
    assert stage.acted == []
    assert stage.call("scheduler", "CreateSchedule") == 1
    stage.agenda.run_until(START + timedelta(minutes=10))
    call(stage)
    assert len(stage.acted) == 2


def test_a_job_of_step_functions_is_out_with_the_jobs_and_not_with_the_state_machine() -> None:
    stage = Stage(fault(Kind.OUTAGE, where="jobs", seconds=600), function="dev-interlock-orchestrator")
    with pytest.raises(ServiceError):
        stage.call("stepfunctions", "StartExecution")


@pytest.mark.parametrize(
    ("kind", "acts"), [(Kind.REFUSED, 0), (Kind.UNREACHABLE, 0), (Kind.UNANSWERED, 1), (Kind.REPEATED, 1)]
)
def test_a_request_by_http_is_answered_once_or_not_at_all(kind: Kind, acts: int) -> None:
    stage = Stage(fault(kind, seconds=5))
    with pytest.raises(UnansweredError):
        stage.request()
    assert len(stage.acted) == acts


def test_deliveries_come_late_or_twice() -> None:
    stage = Stage(fault(Kind.LATE, seconds=30), fault(Kind.TWICE, seconds=90))
    late, twice, plain = (stage.injector.deliveries(ROUTER) for _ in range(3))
    assert late == (timedelta(seconds=30),)
    assert twice == (timedelta(), timedelta(seconds=90))
    assert plain == (timedelta(),)


def test_batches_are_held_and_forgotten_each_in_its_turn() -> None:
    stage = Stage(fault(Kind.HELD, seconds=60), fault(Kind.FORGOTTEN))
    assert stage.injector.is_forgotten(ROUTER)
    assert stage.injector.hold(ROUTER) == timedelta(seconds=60)
    assert not stage.injector.is_forgotten(ROUTER)
    assert stage.injector.hold(ROUTER) == timedelta()


def test_a_task_is_not_invoked_or_its_result_is_lost() -> None:
    where = "orchestrator"
    stage = Stage(fault(Kind.NOT_INVOKED, where=where), fault(Kind.RESULT_LOST, where=where))
    found = [stage.injector.interruption("dev-interlock-orchestrator") for _ in range(3)]
    assert [each and (each.error, each.acts) for each in found] == [
        ("Lambda.TooManyRequestsException", False),
        ("Lambda.SdkClientException", True),
        None,
    ]


def test_a_fault_is_the_same_after_writing_and_reading() -> None:
    for kind in Kind:
        where = "dynamodb" if kind is Kind.OUTAGE else "watchdog"
        one = fault(kind, skip=3, seconds=7, where=where)
        assert Fault.of(one.describe()) == one


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"at": "noon"}, "RFC 3339"),
        ({"fault": "sloth"}, "expected one of refused, unreachable"),
        ({"where": "dynamodb"}, "expected one of orchestrator"),
        ({"skip": -1}, "numbers from 0"),
        ({"fault": "twice", "to": "PutItem"}, "for a fault that happens to calls"),
    ],
)
def test_a_fault_that_cannot_be_read_says_why(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Fault.of(fault(Kind.REFUSED).describe() | change)


def test_random_faults_are_of_every_kind_and_over_when_it_is_calm() -> None:
    until = START + timedelta(hours=24)
    plans = [list(random_faults(Random(seed), start=START, until=until, busy=[START])) for seed in range(200)]
    faults = [each for plan in plans for each in plan]
    assert {each.kind for each in faults} == set(Kind) == set(GROUPS)
    for each in faults:
        assert START <= each.at <= until
        if each.group is Group.OUTAGE:
            assert each.seconds <= 3600
            assert each.at + each.duration <= until
    assert max(sum(each.kind is Kind.OUTAGE for each in plan) for plan in plans) <= 2
    assert plans[7] == list(random_faults(Random(7), start=START, until=until, busy=[START]))


def test_the_page_about_soaks_names_every_fault_and_every_check() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "soak.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_-]+)`", page))
    assert {str(kind) for kind in Kind} <= named
    assert {check.__name__ for check in soak.CHECKS} <= named
