"""Every Choice branch and every Catch of the emitted state machine, with the real handlers behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.state_machine import StateMachine, interpreted
from tests.fakes.world import World

pytestmark = pytest.mark.slow

SLA = {"deadline": "09:00", "dayOffset": 0, "expectedDuration": "1h"}
LAMBDA = {"type": "lambda", "config": {"functionName": "gold"}}
EVALUATED = ["HasSLA", "Evaluate", "IsReady"]
TRIGGERED = [*EVALUATED, "Trigger", "JobEnded"]
CHECKED = [*TRIGGERED, "WaitForJob", "CheckJob"]
COMPLETED = ["CompleteTrigger", "HasSLAToCancel", "Done", "SUCCEEDED"]
BROKEN = ["RecordInfraFailure", "InfraFailure", "FAILED"]


@pytest.fixture(scope="module")
def machine() -> Iterator[StateMachine]:
    with interpreted(World()) as machine:
        yield machine


class Play:
    """One execution in a world of its own, whose clock begins at the time of day that the interpreter tells."""

    def __init__(self, machine: StateMachine, *, ready: bool = True, **sections: Any) -> None:
        self.machine = machine
        self.world = World(datetime.now(UTC))
        machine.play(self.world)
        self.world.pipeline(gold(**sections))
        if ready:
            self.world.write_sensor("gold", "rates", x=1)
        self.world.deliver(self.world.write_sensor("gold", "orders", **READY))

    @property
    def run(self) -> Run:
        """The run of the date."""
        run = self.world.run("gold", DATE)
        assert run is not None
        return run

    def states(self) -> list[str]:
        """Run the execution of the run as it is now: the states it enters, each told once, and its status."""
        status, entered = self.machine.run(self.run.input, name=self.run.execution_name)
        return [*dict.fromkeys(entered), status]

    def when(self, mode: str, number: int, happens: Any) -> None:
        """Let something happen before a mode is called for the given time."""
        self.machine.before = lambda asked, count: happens() if (asked, count) == (mode, number) else None

    def supersede(self) -> None:
        """Another attempt begins."""
        self.world.deliver(self.world.log_job("gold", DATE, "fail", attempt=0, writer="interlock"))


# HasSLA, HasSLAToCancel, and the Catches of what survives


def test_without_an_sla_nothing_is_scheduled_or_cancelled(machine: StateMachine) -> None:
    play = Play(machine, job=LAMBDA)
    assert play.states() == [*TRIGGERED, "SetOutcomeFromJob", *COMPLETED]
    assert machine.asked == ["evaluate", "trigger", "complete-trigger"]


def test_with_an_sla_its_entries_are_scheduled_and_cancelled(machine: StateMachine) -> None:
    play = Play(machine, job=LAMBDA, sla=SLA)
    assert play.states() == [
        *["HasSLA", "ScheduleSLA", "Evaluate", "IsReady", "Trigger", "JobEnded", "SetOutcomeFromJob"],
        *["CompleteTrigger", "HasSLAToCancel", "CancelSLA", "Done", "SUCCEEDED"],
    ]
    schedule, cancel = machine.sla_events
    assert (schedule["mode"], schedule["sla"]) == ("schedule", SLA)
    assert (cancel["mode"], cancel["attempt"]) == ("cancel", 0)


@pytest.mark.parametrize("mode", ["schedule", "cancel"])
def test_a_run_survives_trouble_with_its_sla(machine: StateMachine, mode: str) -> None:
    play = Play(machine, job=LAMBDA, sla=SLA)
    machine.broken[mode] = TransientError("no Scheduler")
    assert play.states()[-2:] == ["Done", "SUCCEEDED"]
    assert play.run.status == Status.COMPLETED


# IsReady


def test_not_ready_waits_and_asks_again(machine: StateMachine) -> None:
    play = Play(machine, ready=False, job=LAMBDA)
    play.when("evaluate", 3, lambda: play.world.write_sensor("gold", "rates", x=1))
    assert "WaitForSensors" in play.states()
    assert machine.asked.count("evaluate") == 3
    assert play.run.status == Status.COMPLETED


def test_exhausted_constraints_end_in_done(machine: StateMachine) -> None:
    play = Play(machine, ready=False)
    play.when("evaluate", 2, lambda: play.world.advance(hours=2))
    assert play.states() == [*EVALUATED, "WaitForSensors", "ValidationExhausted", "Done", "SUCCEEDED"]
    assert "sensor rates is missing" in play.world.bus.the("VALIDATION_EXHAUSTED").message
    assert play.run.reason == Reason.VALIDATION_EXHAUSTED


def test_a_superseded_evaluation_ends_in_done(machine: StateMachine) -> None:
    play = Play(machine)
    play.when("evaluate", 1, play.supersede)
    assert play.states() == [*EVALUATED, "Done", "SUCCEEDED"]
    assert play.run.attempt == 1


# Trigger, JobEnded


def test_a_job_that_fails_at_once_completes_as_failed(machine: StateMachine) -> None:
    play = Play(machine, job=LAMBDA)
    play.world.jobs.function_error = "{}"
    assert play.states() == [*TRIGGERED, "SetOutcomeFromJob", *COMPLETED]
    assert (play.run.status, play.run.kind) == (Status.FAILED_FINAL, "UNDECIDED")


def test_a_superseded_trigger_ends_in_done(machine: StateMachine) -> None:
    play = Play(machine)
    play.when("trigger", 1, play.supersede)
    assert play.states() == [*TRIGGERED, "Done", "SUCCEEDED"]
    assert play.world.jobs.jobs == []


def test_what_is_permanent_is_not_retried(machine: StateMachine) -> None:
    play = Play(machine, job={"config": {"jobName": "${INTERLOCK_NOWHERE}"}})
    assert play.states() == [*EVALUATED, "Trigger", "TriggerExhausted", "Done", "SUCCEEDED"]
    assert machine.asked.count("trigger") == 1
    assert "INTERLOCK_NOWHERE" in play.world.bus.the("RETRY_EXHAUSTED").detail["error"]
    assert play.run.reason == Reason.TRIGGER_EXHAUSTED


def test_every_other_trouble_at_the_start_is_retried_and_then_told(machine: StateMachine) -> None:
    play = Play(machine)
    play.world.jobs.fail_start = TimeoutError("no answer")
    assert play.states() == [*EVALUATED, "Trigger", "TriggerExhausted", "Done", "SUCCEEDED"]
    assert machine.asked.count("trigger") == 2
    assert "no answer" in play.world.bus.the("RETRY_EXHAUSTED").message


# IsJobDone


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        ("SUCCEEDED", Status.COMPLETED, None),
        ("FAILED", Status.FAILED_FINAL, Reason.FAIL),
        ("TIMEOUT", Status.FAILED_FINAL, Reason.TIMEOUT),
    ],
)
def test_a_job_is_watched_until_it_ends(
    machine: StateMachine, state: str, status: Status, reason: Reason | None
) -> None:
    play = Play(machine)
    play.when("check-job", 3, lambda: play.world.jobs.end(state))
    assert play.states() == [*CHECKED, "IsJobDone", "SetOutcomeFromCheck", *COMPLETED]
    assert machine.asked.count("check-job") == 3
    assert (play.run.status, play.run.reason) == (status, reason)


def test_a_job_that_outlives_its_window_is_told_and_not_retried(machine: StateMachine) -> None:
    play = Play(machine)
    play.when("check-job", 1, lambda: play.world.advance(hours=2))
    assert play.states() == [
        *CHECKED,
        "IsJobDone",
        "JobPollExhausted",
        "SetOutcomePollExhausted",
        *COMPLETED,
    ]
    assert "jr_0" in play.world.bus.the("JOB_POLL_EXHAUSTED").detail["actionHint"]
    assert (play.run.reason, play.run.kind) == (Reason.JOB_POLL_EXHAUSTED, None)


def test_a_superseded_check_ends_in_done(machine: StateMachine) -> None:
    play = Play(machine)
    play.when("check-job", 2, play.supersede)
    assert play.states() == [*CHECKED, "IsJobDone", "Done", "SUCCEEDED"]


# Catches that lead to RecordInfraFailure


def test_an_evaluation_that_cannot_be_done_is_an_infrastructure_failure(machine: StateMachine) -> None:
    play = Play(machine)
    machine.broken["evaluate"] = TransientError("no table")
    assert play.states() == ["HasSLA", "Evaluate", *BROKEN]
    assert machine.asked.count("evaluate") == 2
    assert "no table" in play.world.bus.the("INFRA_FAILURE").message
    assert (play.run.status, play.run.reason) == (Status.FAILED_FINAL, Reason.INFRA_FAILURE)


def test_an_exhaustion_that_cannot_be_recorded_is_one(machine: StateMachine) -> None:
    play = Play(machine, ready=False)
    machine.broken["validation-exhausted"] = TransientError("no table")
    play.when("evaluate", 1, lambda: play.world.advance(hours=2))
    assert play.states() == [*EVALUATED, "ValidationExhausted", *BROKEN]


def test_an_exhausted_trigger_that_cannot_be_recorded_is_one(machine: StateMachine) -> None:
    play = Play(machine)
    machine.broken |= {"trigger": PermanentError("refused"), "trigger-exhausted": TransientError("no table")}
    assert play.states() == [*EVALUATED, "Trigger", "TriggerExhausted", *BROKEN]


def test_a_check_that_cannot_be_done_is_one(machine: StateMachine) -> None:
    play = Play(machine)
    machine.broken["check-job"] = TransientError("no table")
    assert play.states() == [*CHECKED, *BROKEN]


def test_an_exhausted_poll_that_cannot_be_recorded_is_one(machine: StateMachine) -> None:
    play = Play(machine)
    machine.broken["job-poll-exhausted"] = TransientError("no table")
    play.when("check-job", 1, lambda: play.world.advance(hours=2))
    assert play.states() == [*CHECKED, "IsJobDone", "JobPollExhausted", *BROKEN]


def test_a_completion_that_cannot_be_done_is_one(machine: StateMachine) -> None:
    play = Play(machine, job=LAMBDA)
    machine.broken["complete-trigger"] = TransientError("no table")
    assert play.states() == [*TRIGGERED, "SetOutcomeFromJob", "CompleteTrigger", *BROKEN]


def test_when_even_the_record_fails_the_status_event_closes_the_run(machine: StateMachine) -> None:
    play = Play(machine)
    machine.broken |= {"evaluate": TransientError("no table"), "infra-failure": TransientError("still no table")}
    assert play.states() == ["HasSLA", "Evaluate", *BROKEN]
    run = play.run
    assert run.is_running
    detail = {"executionArn": run.execution_arn, "status": "FAILED", "input": run.input}
    event = {"detail-type": "Step Functions Execution Status Change", "detail": detail}
    assert stream_router.handle(event, play.world.ports, clock=play.world.clock) == {}
    assert play.run.reason == Reason.INFRA_FAILURE
    assert play.world.bus.the("INFRA_FAILURE")
