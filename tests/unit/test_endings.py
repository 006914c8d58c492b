"""How an execution ends its run, and how a run is closed when its execution ended badly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return started(gold())


def started(document: dict[str, Any]) -> World:
    world = World()
    world.pipeline(document)
    world.write_sensor("gold", "rates", x=1)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    window = {"evaluationWindowSeconds": 3600}
    world.task("evaluate", the_run(world), executionStartTime=rfc3339(world.now), config=window)
    world.advance(minutes=1)
    world.bus.events.clear()
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def logged(world: World) -> list[str]:
    return [row["event"] for row in world.joblog.rows().values()]


def complete(world: World, outcome: str, run: Run | None = None) -> None:
    assert world.task("complete-trigger", run or the_run(world), outcome=outcome) == {}


# Constraints that never held, jobs that could not be started, jobs that never ended

RESULTS = [
    {"passed": True, "reason": "orders is fine"},
    {"passed": False, "reason": "sensor rates is missing"},
]


def test_exhausted_constraints_are_told_with_the_last_failing_reasons(world: World) -> None:
    world.task("validation-exhausted", the_run(world), results=RESULTS)
    event = world.bus.the("VALIDATION_EXHAUSTED")
    assert "sensor rates is missing" in event.message
    assert "orders is fine" not in event.message
    run = the_run(world)
    assert (run.status, run.reason, run.kind) == ("FAILED_FINAL", "validation-exhausted", None)
    assert logged(world) == ["validation-exhausted"]


def test_a_reason_that_several_rules_share_is_told_once(world: World) -> None:
    results = [RESULTS[1], {"passed": False, "reason": "orders is late"}, RESULTS[1]]
    world.task("validation-exhausted", the_run(world), results=results)
    event = world.bus.the("VALIDATION_EXHAUSTED")
    assert event.message.endswith(" did not hold in time: sensor rates is missing; orders is late")
    assert event.detail["rules"] == results
    (entry,) = world.joblog.rows().values()
    assert entry["error"] == "sensor rates is missing; orders is late"


def test_an_exhausted_trigger_is_told_with_its_cause(world: World) -> None:
    cause = json.dumps({"errorMessage": "no such job", "errorType": "PermanentError", "stackTrace": ["…"]})
    world.task("trigger-exhausted", the_run(world), error={"Error": "PermanentError", "Cause": cause})
    event = world.bus.the("RETRY_EXHAUSTED")
    assert event.detail["error"] == "PermanentError: no such job"
    run = the_run(world)
    assert (run.status, run.reason, run.kind) == ("FAILED_FINAL", "trigger-exhausted", None)
    assert logged(world) == ["infra-trigger-exhausted"]
    assert event.detail["actionHint"] == "mend the cause; the next write of orders starts the date anew"


def test_where_no_sensor_starts_runs_the_hint_is_a_request(world: World) -> None:
    run = the_run(world)
    schedule = {"cron": "0 8 * * *", "evaluation": {"window": "1h", "interval": "5m"}}
    world.pipeline({**gold(), "schedule": schedule})
    world.task("trigger-exhausted", run, error={"Error": "E"})
    assert world.bus.the("RETRY_EXHAUSTED").detail["actionHint"] == "mend the cause; then request a rerun"


@pytest.mark.parametrize(("error", "doubted"), [("TransientError", True), ("PermanentError", False)])
def test_a_start_that_nobody_heard_of_is_named_before_the_next(world: World, error: str, doubted: bool) -> None:
    world.jobs.fail_start = ConnectionError("no answer")
    with pytest.raises(TransientError):
        world.task("trigger", the_run(world))
    world.task("trigger-exhausted", the_run(world), error={"Error": error, "Cause": "no answer"})
    detail = world.bus.the("RETRY_EXHAUSTED").detail
    assert detail["token"] == the_run(world).token
    warning = f"a start may have come through unheard: look for the job's run {detail['token']} first; "
    assert detail["actionHint"].startswith(warning) is doubted
    assert detail["actionHint"].endswith("mend the cause; the next write of orders starts the date anew")


def test_a_trigger_is_exhausted_without_a_configuration_too(world: World) -> None:
    run = the_run(world)
    world.control.delete(("PIPELINE#gold", "CONFIG"))
    world.advance(minutes=1)
    world.task("trigger-exhausted", run, error={"Error": "E"})
    assert the_run(world).reason == "trigger-exhausted"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "A", "Cause": "not JSON"}, "A: not JSON"),
        ({"Error": "A", "Cause": "[1]"}, "A: [1]"),
        ({"Error": "A", "Cause": 7}, "A: 7"),
        ({}, "error"),
        (None, "no error was passed on"),
    ],
)
def test_a_caught_error_is_told_whatever_its_form(world: World, error: Any, told: str) -> None:
    world.task("trigger-exhausted", the_run(world), error=error)
    assert world.bus.the("RETRY_EXHAUSTED").detail["error"] == told


def test_an_exhausted_poll_names_the_jobs_run_and_leaves_the_row_running(world: World) -> None:
    world.task("job-poll-exhausted", the_run(world), jobType="glue", runId="jr_7", metadata={}, triggeredAt="x")
    event = world.bus.the("JOB_POLL_EXHAUSTED")
    assert "jr_7" in event.detail["actionHint"]
    assert the_run(world).is_running
    assert logged(world) == ["job-poll-exhausted"]


@pytest.mark.parametrize("mode", ["validation-exhausted", "trigger-exhausted", "job-poll-exhausted"])
def test_the_task_again_logs_and_tells_once(world: World, mode: str) -> None:
    run = the_run(world)
    for _ in range(2):
        world.task(mode, run, results=RESULTS, error=None, runId="jr_7")
        world.advance(minutes=1)
    assert len(logged(world)) == 1
    assert len(world.bus.keys) == 1


@pytest.mark.parametrize(
    "mode", ["validation-exhausted", "trigger-exhausted", "job-poll-exhausted", "complete-trigger", "infra-failure"]
)
def test_a_superseded_execution_does_nothing(world: World, mode: str) -> None:
    old = the_run(world)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    world.bus.events.clear()
    before = world.control.rows()
    assert world.task(mode, old, results=RESULTS, error=None, outcome="success") == {}
    assert world.control.rows() == before
    assert world.bus.events == []


@pytest.mark.parametrize(
    "mode", ["validation-exhausted", "trigger-exhausted", "job-poll-exhausted", "complete-trigger", "infra-failure"]
)
def test_a_run_is_ended_without_a_config_too(world: World, mode: str) -> None:
    world.control.write({"PK": "PIPELINE#gold", "SK": "CONFIG", "config": "{"})
    world.ports.configs.forget()
    assert world.task(mode, the_run(world), results=RESULTS, error=None, outcome="success") == {}


# Outcomes


def test_a_success_with_post_run_rules_completes_and_is_watched(world: World) -> None:
    complete(world, "success")
    run = the_run(world)
    assert (run.status, run.kind) == ("COMPLETED", Kind.POSTRUN)
    assert world.bus.types == ["POST_RUN_BASELINE_CAPTURED"]
    row = world.control.rows()[run.key]
    assert row["completedAt"] == rfc3339(world.now)
    assert row["ttl"] == epoch_seconds(world.now) + 400 * 86400


def test_a_success_without_post_run_rules_is_done_with() -> None:
    for post_run in (None, {"rules": []}):
        world = started(gold(postRun=post_run))
        complete(world, "success")
        assert (the_run(world).status, the_run(world).kind) == ("COMPLETED", None)
        assert world.bus.events == []


def test_a_missing_baseline_is_told(world: World) -> None:
    world.control.delete(("PIPELINE#gold", f"MARKER#baseline#stream#{DATE}#0"))
    complete(world, "success")
    assert world.bus.types == ["BASELINE_CAPTURE_FAILED"]


def test_drift_during_the_job_is_drift(world: World) -> None:
    world.write_sensor("gold", "orders", **READY | {"count": 1300})
    complete(world, "success")
    assert world.bus.types == ["POST_RUN_BASELINE_CAPTURED", "POST_RUN_DRIFT"]
    assert world.control.rows()["PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}"]["reason"] == "data-drift"


@pytest.mark.parametrize(
    ("outcome", "reason", "kind"),
    [
        ("fail", Reason.FAIL, Kind.UNDECIDED),
        ("timeout", Reason.TIMEOUT, Kind.UNDECIDED),
        ("exhausted", Reason.JOB_POLL_EXHAUSTED, None),
    ],
)
def test_a_failure_is_final_until_somebody_decides_otherwise(
    world: World, outcome: str, reason: Reason, kind: Kind | None
) -> None:
    complete(world, outcome)
    run = the_run(world)
    assert (run.status, run.reason, run.kind) == ("FAILED_FINAL", reason, kind)


def test_a_failure_that_the_router_decided_first_stays_decided(world: World) -> None:
    world.pipeline(gold(job={"maxRetries": 0}))
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    complete(world, "fail")
    assert (the_run(world).status, the_run(world).kind) == ("FAILED_FINAL", None)


def test_completing_again_changes_nothing(world: World) -> None:
    complete(world, "success")
    row, keys = world.control.rows(), world.bus.keys
    world.advance(minutes=1)
    complete(world, "success")
    assert world.control.rows() == row
    assert world.bus.keys == keys


def test_an_unknown_outcome_is_an_error(world: World) -> None:
    for outcome in (None, "done"):
        with pytest.raises(PermanentError, match="no outcome of a job"):
            world.task("complete-trigger", the_run(world), outcome=outcome)


# Infrastructure


def test_an_infrastructure_failure_is_told_and_final(world: World) -> None:
    world.task("infra-failure", the_run(world), error={"Error": "Lambda.Unknown", "Cause": "boom"})
    assert world.bus.the("INFRA_FAILURE").detail["error"] == "Lambda.Unknown: boom"
    assert (the_run(world).status, the_run(world).reason) == ("FAILED_FINAL", "infra-failure")


def broken_inside(world: World) -> None:
    world.task("infra-failure", the_run(world), error={"Error": "Lambda.Unknown", "Cause": "boom"})


def found_stale(world: World) -> None:
    world.executions.statuses[the_run(world).execution_name] = "TIMED_OUT"
    world.advance(hours=5)
    world.watchdog()


WAYS_TO_BREAK: dict[str, Callable[[World], None]] = {
    "an error in the execution": broken_inside,
    "an aborted execution": lambda world: deliver(world, status_event(world, "ABORTED")),
    "a time-out": lambda world: deliver(world, status_event(world, "TIMED_OUT")),
    "a time-out that nobody told of": found_stale,
}


def broken(world: World) -> dict[str, Any]:
    event = next(each for each in world.bus.events if each.type in ("INFRA_FAILURE", "SFN_TIMEOUT"))
    names = ("runId", "jobType", "token", "actionHint")
    return {name: event.detail[name] for name in names if name in event.detail}


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_a_job_that_may_live_on_is_named_before_somebody_asks_for_another(world: World, way: str) -> None:
    world.task("trigger", the_run(world))
    WAYS_TO_BREAK[way](world)
    assert broken(world) == {
        "runId": "jr_0",
        "jobType": "glue",
        "token": the_run(world).token,
        "actionHint": "stop or await the job's run jr_0 before you request a rerun",
    }


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_a_job_that_may_have_been_started_is_named_by_its_token(world: World, way: str) -> None:
    world.jobs.fail_start = ConnectionError("no answer")
    with pytest.raises(TransientError):
        world.task("trigger", the_run(world))
    WAYS_TO_BREAK[way](world)
    token = the_run(world).token
    assert broken(world) == {
        "runId": None,
        "jobType": "glue",
        "token": token,
        "actionHint": f"stop or await the job's run {token} before you request a rerun",
    }


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_a_failure_that_only_the_job_log_knows_of_is_told_and_tried_again(world: World, way: str) -> None:
    world.task("trigger", the_run(world))
    world.log_job("gold", DATE, "fail", attempt=0, category="TRANSIENT", error="lost")  # its record gets no further
    world.bus.events.clear()
    WAYS_TO_BREAK[way](world)
    assert world.bus.types[0] == "JOB_FAILED"
    assert broken(world)["actionHint"].startswith("the job's run jr_0 has ended")
    assert (the_run(world).status, the_run(world).kind) == ("FAILED_FINAL", "UNDECIDED")
    world.advance(minutes=10)
    world.watchdog()
    assert (the_run(world).attempt, the_run(world).reason) == (1, "job-fail-retry")


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_a_success_that_only_the_job_log_knows_of_is_told(world: World, way: str) -> None:
    world.task("trigger", the_run(world))
    world.log_job("gold", DATE, "success", attempt=0)
    world.bus.events.clear()
    WAYS_TO_BREAK[way](world)
    assert world.bus.types[0] == "JOB_COMPLETED"
    assert (the_run(world).status, the_run(world).kind) == ("FAILED_FINAL", None)


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_where_no_job_was_started_the_hint_is_a_request(world: World, way: str) -> None:
    WAYS_TO_BREAK[way](world)
    assert broken(world) == {"actionHint": "no job was started: mend the cause, then write a rerun request"}


def test_a_job_that_ended_with_its_start_is_looked_at_not_stopped() -> None:
    world = started(gold(job={"type": "lambda", "config": {"functionName": "f"}}))
    world.task("trigger", the_run(world))
    broken_inside(world)
    hint = "the job's run inv_1 has ended: look at what it did before you request a rerun"
    assert (broken(world)["jobType"], broken(world)["actionHint"]) == ("lambda", hint)


def test_an_infrastructure_failure_after_completion_is_told_but_the_run_stays_completed(world: World) -> None:
    complete(world, "success")
    world.task("infra-failure", the_run(world), error=None)
    assert world.bus.the("INFRA_FAILURE")
    assert the_run(world).status == "COMPLETED"


def status_event(world: World, status: str, **detail: Any) -> dict[str, Any]:
    run = the_run(world)
    told = {"executionArn": world.executions.arn(run.execution_name), "status": status, "input": run.input}
    return {
        "id": "1",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": told | detail,
    }


def deliver(world: World, event: dict[str, Any]) -> None:
    assert stream_router.handle(event, world.ports, clock=world.clock) == {}


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("TIMED_OUT", "SFN_TIMEOUT", Reason.SFN_TIMEOUT),
        ("ABORTED", "INFRA_FAILURE", Reason.INFRA_FAILURE),
        ("FAILED", "INFRA_FAILURE", Reason.INFRA_FAILURE),
    ],
)
def test_an_execution_that_ended_badly_closes_its_run_at_once(
    world: World, status: str, kind: str, reason: Reason
) -> None:
    deliver(world, status_event(world, status, error="E", cause="C"))
    assert world.bus.the(kind).detail["cause"] == "C"
    run = the_run(world)
    assert (run.status, run.reason, run.kind) == ("FAILED_FINAL", reason, None)


def test_a_status_event_tells_the_same_as_the_execution_itself_did(world: World) -> None:
    event = status_event(world, "FAILED")
    run = the_run(world)
    deliver(world, event)
    row = world.control.rows()[run.key]
    world.control.write(row | {"status": "RUNNING"})
    world.task("infra-failure", run, error={"Error": "boom"})
    assert world.bus.the("INFRA_FAILURE")


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE", None])
def test_other_statuses_mean_nothing(world: World, status: Any) -> None:
    deliver(world, status_event(world, status))
    assert the_run(world).is_running


def test_a_status_event_of_another_execution_is_passed_over(world: World) -> None:
    event = status_event(world, "FAILED")
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    world.bus.events.clear()
    deliver(world, event)
    assert (the_run(world).attempt, the_run(world).status) == (1, "RUNNING")
    assert world.bus.events == []


def test_a_status_event_for_an_ended_run_is_passed_over(world: World) -> None:
    event = status_event(world, "TIMED_OUT")
    runs.finish(world.ports, the_run(world), status=Status.COMPLETED, reason=None, kind=None, now=world.now)
    deliver(world, event)
    assert the_run(world).status == "COMPLETED"
    assert world.bus.events == []


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"pipelineId":"gold"}'])
def test_a_status_event_that_names_no_run_is_an_error(world: World, text: Any) -> None:
    with pytest.raises(PermanentError, match="does not hold the input of a run"):
        deliver(world, status_event(world, "FAILED", input=text))
