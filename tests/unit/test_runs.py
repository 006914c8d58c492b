"""The life of a run, transition by transition."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.control.runs import Transition
from interlock_runtime.core import causes
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import Kind, RunKey, Status
from interlock_runtime.core.run import EXPIRED_ATTEMPT, Reason, Run
from tests.fakes.world import START, World

DATE = "2026-03-03"
DOCUMENT: dict[str, Any] = {
    "pipeline": {"id": "gold"},
    "schedule": {"trigger": {"key": "orders", "check": "exists"}, "evaluation": {"window": "30m", "interval": "90s"}},
    "sla": {"deadline": "10:00", "expectedDuration": "30m"},
    "validation": {"rules": []},
    "job": {"type": "lambda", "config": {"functionName": "gold"}},
}


@pytest.fixture
def world() -> World:
    world = World()
    world.pipeline(DOCUMENT)
    return world


def config(world: World) -> Config:
    found = world.ports.configs.get("gold", world.now)
    assert found is not None
    return found


def begin(world: World, *, cause: str = "record:1", expired: Run | None = None) -> Transition:
    return runs.begin(
        world.ports,
        config(world),
        DATE,
        cause=cause,
        arrival=START,
        now=world.now,
        expired=expired,
    )


def begun(world: World, *, cause: str = "record:1") -> Run:
    run = begin(world, cause=cause).run
    assert run is not None
    return run


def stored(world: World) -> dict[str, Any]:
    return world.control.rows()[begun_key()]


def begun_key() -> tuple[str, str]:
    return "PIPELINE#gold", f"TRIGGER#stream#{DATE}"


def finished(
    world: World, run: Run, *, status: Status = Status.FAILED_FINAL, reason: Reason | None = Reason.FAIL
) -> Run:
    made = runs.finish(world.ports, run, status=status, reason=reason, kind=None, now=world.now)
    assert made.run is not None
    return made.run


def test_a_run_begins_with_a_row_that_says_everything(world: World) -> None:
    assert begin(world).made
    row = stored(world)
    assert row == {
        "PK": "PIPELINE#gold",
        "SK": f"TRIGGER#stream#{DATE}",
        "status": "RUNNING",
        "attempt": 0,
        "startedAt": rfc3339(START),
        "input": row["input"],
        "cause": "record:1",
        "staleAt": rfc3339(START + timedelta(hours=4, minutes=30)),
        "interlockKind": "RUNNING",
    }
    assert "ttl" not in row
    assert json.loads(row["input"]) == {
        "pipelineId": "gold",
        "scheduleId": "stream",
        "date": DATE,
        "attempt": 0,
        "startedAt": "2026-03-03T06:00:00.000Z",
        "config": {
            "evaluationIntervalSeconds": 90,
            "evaluationWindowSeconds": 1800,
            "jobCheckIntervalSeconds": 60,
            "jobPollWindowSeconds": 3600,
        },
        "sla": {"deadline": "10:00", "expectedDuration": "30m"},
        "sensorArrivalAt": "2026-03-03T06:00:00.000Z",
    }


def test_every_key_of_the_input_is_there_even_when_there_is_nothing_to_say(world: World) -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != "sla"}
    world.pipeline(document)
    content = json.loads(runs.execution_input(config(world), DATE, attempt=2, arrival=None, now=START))
    assert content["sla"] is None
    assert content["sensorArrivalAt"] is None


def test_of_two_beginnings_one_wins_and_the_other_learns_who(world: World) -> None:
    begin(world, cause="record:1")
    second = begin(world, cause="record:2")
    assert not second.made
    assert second.run is not None
    assert second.run.cause == "record:1"


def test_launching_starts_the_execution_with_the_stored_bytes_and_notes_its_arn(world: World) -> None:
    run = begun(world)
    world.pipeline(DOCUMENT | {"sla": {"deadline": "11:00", "expectedDuration": "1h"}})
    world.advance(minutes=5)
    runs.launch(world.ports, run, now=world.now)
    assert world.executions.inputs == {run.execution_name: stored(world)["input"]}
    assert "10:00" in stored(world)["input"]
    assert stored(world)["executionArn"] == world.executions.arn(run.execution_name)


def test_a_failed_start_execution_leaves_the_row_to_be_resumed(world: World) -> None:
    run = begun(world)
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    with pytest.raises(TransientError):
        runs.launch(world.ports, run, now=world.now)
    assert stored(world)["status"] == "RUNNING"
    assert "executionArn" not in stored(world)
    world.calls.reset()
    runs.launch(world.ports, run, now=world.now)
    assert stored(world)["executionArn"]


def test_launching_what_was_launched_does_nothing(world: World) -> None:
    runs.launch(world.ports, begun(world), now=world.now)
    world.calls.reset()
    again = runs.read(world.ports, "gold", RunKey("stream", DATE))
    assert again is not None
    runs.launch(world.ports, again, now=world.now)
    assert world.calls.made == ["dynamodb:GetItem"]


def test_a_dry_run_pipeline_is_never_started_even_by_mistake(world: World) -> None:
    world.pipeline(DOCUMENT | {"dryRun": True})
    with pytest.raises(PermanentError, match="dry run"):
        begin(world)
    assert world.run("gold", DATE) is None


def test_a_run_whose_pipeline_has_become_a_dry_run_is_not_launched(world: World) -> None:
    run = begun(world)
    world.pipeline(DOCUMENT | {"dryRun": True})
    with pytest.raises(PermanentError, match="dry run"):
        runs.launch(world.ports, run, now=world.now)
    assert world.executions.inputs == {}


def test_another_attempt_clears_what_belonged_to_the_last_one(world: World) -> None:
    run = begun(world)
    runs.launch(world.ports, run, now=world.now)
    runs.intend(world.ports, run, now=world.now)
    runs.record_job(world.ports, run, {"status": "started"}, run_id="jr_1")
    failed = finished(world, run)
    assert stored(world)["ttl"] == epoch_seconds(START + timedelta(days=400))
    world.advance(minutes=10)
    made = runs.again(world.ports, config(world), failed, cause="job-failure:0", reason="job-fail-retry", now=world.now)
    assert made.made
    row = stored(world)
    assert (row["status"], row["attempt"], row["cause"], row["reason"]) == (
        "RUNNING",
        1,
        "job-failure:0",
        "job-fail-retry",
    )
    assert row["startedAt"] == "2026-03-03T06:10:00.000Z"
    assert row["interlockKind"] == "RUNNING"
    assert json.loads(row["input"])["attempt"] == 1
    assert json.loads(row["input"])["sensorArrivalAt"] == "2026-03-03T06:00:00.000Z"
    assert {"executionArn", "intent", "runId", "completedAt", "ttl"}.isdisjoint(row)


def test_of_two_reruns_of_the_same_attempt_one_wins(world: World) -> None:
    failed = finished(world, begun(world))
    assert runs.again(world.ports, config(world), failed, cause="request:a", reason="manual", now=world.now).made
    second = runs.again(world.ports, config(world), failed, cause="request:b", reason="manual", now=world.now)
    assert not second.made
    assert second.run is not None
    assert (second.run.attempt, second.run.cause) == (1, "request:a")


def test_a_rerun_is_recorded_before_it_is_started(world: World) -> None:
    failed = finished(world, begun(world))
    made = runs.again(world.ports, config(world), failed, cause="job-failure:0", reason="job-fail-retry", now=world.now)
    assert made.run is not None
    world.calls.reset()
    runs.launch(world.ports, made.run, now=world.now)
    assert world.calls.made == ["dynamodb:PutItem", "states:StartExecution", "dynamodb:UpdateItem"]
    row = world.rerun.rows()["PIPELINE#gold", f"RERUN#stream#{DATE}#1"]
    assert row["reason"] == "job-fail-retry"
    assert row["cause"] == "job-failure:0"
    assert row["ttl"] == epoch_seconds(START + timedelta(days=30))


def test_an_accepted_request_is_told_of_and_logged_once(world: World) -> None:
    failed = finished(world, begun(world))
    made = runs.again(world.ports, config(world), failed, cause="request:a", reason="manual", now=world.now)
    assert made.run is not None
    runs.launch(world.ports, made.run, now=world.now)
    world.advance(minutes=1)
    runs.launch(world.ports, made.run, now=world.now)
    assert world.bus.the("RERUN_ACCEPTED").attempt == 1
    assert [row["event"] for row in world.joblog.rows().values()] == ["rerun-accepted"]
    assert len(world.executions.inputs) == 1


def test_a_recovered_start_is_told_of(world: World) -> None:
    runs.launch(world.ports, begun(world, cause=causes.RECONCILE), now=world.now)
    assert world.bus.types == ["TRIGGER_RECOVERED"]


def test_a_finish_needs_the_attempt_to_be_running(world: World) -> None:
    run = begun(world)
    done = runs.finish(world.ports, run, status=Status.COMPLETED, reason=None, kind=Kind.POSTRUN, now=world.now)
    assert done.made
    assert stored(world)["interlockKind"] == "POSTRUN"
    assert stored(world)["completedAt"] == rfc3339(START)
    again = runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=Reason.FAIL, kind=None, now=world.now)
    assert not again.made
    assert stored(world)["status"] == "COMPLETED"


def test_an_old_run_that_finishes_late_changes_nothing(world: World) -> None:
    old = begun(world)
    runs.again(world.ports, config(world), old, cause="job-failure:0", reason="job-fail-retry", now=world.now)
    late = runs.finish(world.ports, old, status=Status.COMPLETED, reason=None, kind=None, now=world.now)
    assert not late.made
    assert (stored(world)["attempt"], stored(world)["status"]) == (1, "RUNNING")


def test_a_retry_may_overtake_the_execution_that_has_not_ended_yet(world: World) -> None:
    running = begun(world)
    made = runs.again(
        world.ports, config(world), running, cause="job-failure:0", reason="job-fail-retry", now=world.now
    )
    assert made.made


def test_the_intent_is_recorded_once_and_only_while_the_attempt_goes_on(world: World) -> None:
    run = begun(world)
    first = runs.intend(world.ports, run, now=world.now)
    assert first is not None
    assert first.intent == {"token": run.token, "at": rfc3339(START)}
    world.calls.reset()
    assert runs.intend(world.ports, first, now=world.now) == first
    assert world.calls.made == []
    finished(world, run)
    assert runs.intend(world.ports, run, now=world.now) is None


def test_of_two_that_intend_at_once_one_steps_back(world: World) -> None:
    run = begun(world)
    runs.intend(world.ports, run, now=world.now)
    with pytest.raises(TransientError, match="another invocation"):
        runs.intend(world.ports, run, now=world.now)


def test_a_failure_is_decided_whether_or_not_the_execution_has_ended_it(world: World) -> None:
    run = begun(world)
    assert runs.decide(world.ports, run, reason=Reason.TIMEOUT, now=world.now).made
    assert (stored(world)["status"], stored(world)["reason"]) == ("FAILED_FINAL", "timeout")
    assert "interlockKind" not in stored(world)


def test_an_undecided_failure_leaves_the_index_when_decided(world: World) -> None:
    run = begun(world)
    made = runs.finish(
        world.ports, run, status=Status.FAILED_FINAL, reason=Reason.FAIL, kind=Kind.UNDECIDED, now=world.now
    )
    assert made.run is not None
    assert runs.decide(world.ports, made.run, reason=Reason.FAIL, now=world.now).made
    assert "interlockKind" not in stored(world)
    assert stored(world)["status"] == "FAILED_FINAL"


def test_an_expired_date_can_still_be_started_on_request(world: World) -> None:
    made = runs.expire(world.ports, config(world), DATE, now=world.now)
    assert made.made
    assert made.run is not None
    assert made.run.attempt == EXPIRED_ATTEMPT
    assert made.run.reason == "deadline"
    assert not begin(world).made
    again = begin(world, cause="request:x", expired=made.run)
    assert again.made
    assert stored(world)["attempt"] == 0
    assert "completedAt" not in stored(world)


def test_a_date_that_has_a_run_does_not_expire(world: World) -> None:
    begin(world)
    assert not runs.expire(world.ports, config(world), DATE, now=world.now).made


def test_an_execution_is_recognised_before_its_arn_was_stored(world: World) -> None:
    run = begun(world)
    assert run.execution_arn is None
    assert run.is_of(0, world.executions.arn(run.execution_name))
    assert not run.is_of(1, world.executions.arn(run.execution_name))
    assert not run.is_of(0, world.executions.arn("gold-stream-2026-03-03-0-other"))


@pytest.mark.parametrize(
    "change", [{"attempt": "0"}, {"status": "DONE"}, {"SK": "TRIGGER#stream"}, {"PK": "gold"}, {"attempt": None}]
)
def test_a_row_that_interlock_did_not_write_is_a_permanent_error(world: World, change: dict[str, Any]) -> None:
    begin(world)
    with pytest.raises(PermanentError, match="not as Interlock writes it"):
        Run.of_row(stored(world) | change)
