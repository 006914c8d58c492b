"""The orchestrator's ``trigger`` and ``check-job``: a job is started once, and asked how it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from interlock_runtime.control import execution_ends, runs
from interlock_runtime.control.ports import Metric
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.calls import Killed
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World

LAMBDA = {"type": "lambda", "config": {"functionName": "gold"}}


@pytest.fixture
def world() -> World:
    return started(gold())


def started(document: dict[str, Any]) -> World:
    world = World()
    world.pipeline(document)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1)
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def trigger(world: World) -> dict[str, Any]:
    return world.task("trigger", the_run(world))


def check(world: World, job: dict[str, Any], run: Run | None = None) -> str:
    kept = {name: job[name] for name in ("jobType", "runId", "metadata", "triggeredAt")}
    status: str = world.task("check-job", run or the_run(world), **kept, config={"jobPollWindowSeconds": 600})["status"]
    return status


def logged(world: World) -> list[str]:
    return [row["event"] for row in world.joblog.rows().values()]


# trigger


def test_a_job_is_started_recorded_and_told(world: World) -> None:
    answer = trigger(world)
    assert answer == {
        "status": "started",
        "jobType": "glue",
        "runId": "jr_0",
        "metadata": answer["metadata"],
        "triggeredAt": rfc3339(world.now),
    }
    run = the_run(world)
    assert run.run_id == "jr_0"
    assert run.intent is not None
    assert run.intent["token"] == run.token
    assert world.jobs.jobs[0]["Arguments"]["--interlock_run"] == run.token
    assert world.bus.the("JOB_TRIGGERED").detail["runId"] == "jr_0"
    assert world.metrics.counts[Metric.JOBS_TRIGGERED] == 1
    assert logged(world) == []


def test_the_task_again_answers_the_same_without_a_second_job(world: World) -> None:
    first = trigger(world)
    world.advance(minutes=1)
    assert trigger(world) == first
    assert len(world.jobs.jobs) == 1
    assert len(world.bus.keys) == 1


def test_after_a_crash_between_start_and_record_the_job_is_found_by_its_token(world: World) -> None:
    intended = runs.intend(world.ports, the_run(world), now=world.now)
    assert intended is not None
    world.jobs.start_job_run(JobName="gold", Arguments={"--interlock_run": intended.token})
    assert trigger(world)["runId"] == "jr_0"
    assert len(world.jobs.jobs) == 1


def test_a_job_that_ends_with_its_start_is_logged_too() -> None:
    world = started(gold(job=LAMBDA))
    answer = trigger(world)
    assert (answer["status"], answer["runId"]) == ("success", "inv_1")
    assert logged(world) == ["success"]
    assert world.bus.types == ["JOB_TRIGGERED"]
    world.pump()
    assert world.bus.the("JOB_COMPLETED")


def test_a_job_that_fails_with_its_start_is_told_and_logged() -> None:
    world = started(gold(job=LAMBDA))
    world.jobs.function_error = '{"errorMessage": "division by zero"}'
    assert trigger(world)["status"] == "fail"
    row = next(iter(world.joblog.rows().values()))
    assert (row["event"], row["category"], row["attempt"], row["writer"]) == ("fail", "TRANSIENT", 0, "interlock")
    assert "division by zero" in world.bus.the("JOB_FAILED").message


def test_an_ended_job_answers_even_when_the_router_has_closed_the_row_meanwhile() -> None:
    world = started(gold(job=LAMBDA | {"maxRetries": 0}))
    world.jobs.function_error = "{}"
    first = trigger(world)
    world.pump()
    assert the_run(world).status == Status.FAILED_FINAL
    assert trigger(world) == first


def test_a_superseded_run_starts_nothing(world: World) -> None:
    old = the_run(world)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    answer = world.task("trigger", old)
    assert answer == {"status": "superseded", "jobType": None, "runId": None, "metadata": None, "triggeredAt": None}
    assert world.jobs.jobs == []


def test_a_run_that_was_ended_starts_nothing(world: World) -> None:
    runs.finish(
        world.ports, the_run(world), status=Status.FAILED_FINAL, reason=Reason.SFN_TIMEOUT, kind=None, now=world.now
    )
    assert trigger(world)["status"] == "superseded"
    assert world.jobs.jobs == []


def test_a_start_that_raises_is_logged_and_raised(world: World) -> None:
    world.jobs.fail_start = TimeoutError("no answer")
    with pytest.raises(TransientError, match="no answer"):
        trigger(world)
    row = next(iter(world.joblog.rows().values()))
    assert (row["event"], row["category"], row["attempt"]) == ("infra-trigger-failure", "TRANSIENT", 0)
    assert "no answer" in row["error"]
    world.jobs.fail_start = None
    assert trigger(world)["status"] == "started"


def test_what_can_never_succeed_leaves_as_a_permanent_error(world: World) -> None:
    world.pipeline(gold(job={"config": {"jobName": "${INTERLOCK_JOB}"}}))
    with pytest.raises(PermanentError, match="INTERLOCK_JOB"):
        trigger(world)
    assert [row["category"] for row in world.joblog.rows().values()] == ["PERMANENT"]


def test_why_a_start_failed_is_not_hidden_by_a_log_that_fails(world: World) -> None:
    world.jobs.fail_start = TimeoutError("no answer")
    world.calls.fail["dynamodb:PutItem"] = TransientError("throttled")
    with pytest.raises(TransientError, match="no answer"):
        trigger(world)
    assert "could not be logged" in world.log.text("error")


def test_the_job_of_a_dry_run_is_never_started(world: World) -> None:
    run = the_run(world)
    world.pipeline(gold(dryRun=True))
    with pytest.raises(PermanentError, match="dry run"):
        world.task("trigger", run)
    assert world.jobs.jobs == []


def test_a_missing_config_is_an_error(world: World) -> None:
    run = the_run(world)
    world.control.delete(("PIPELINE#gold", "CONFIG"))
    world.ports.configs.forget()
    with pytest.raises(PermanentError, match="no configuration"):
        world.task("trigger", run)


def while_the_job_starts(world: World, happens: Callable[[], object]) -> None:
    """Something happens between the start of the next job and its answer."""
    original = world.jobs.start_job_run

    def start(**request: Any) -> dict[str, Any]:
        answer = original(**request)
        world.jobs.start_job_run = original  # type: ignore[method-assign]
        happens()
        return answer

    world.jobs.start_job_run = start  # type: ignore[method-assign]


def abort(world: World) -> None:
    execution_ends.close(world.ports, the_run(world), status="ABORTED", now=world.now)


def abort_and_run_again(world: World) -> None:
    abort(world)
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def left_behind(world: World) -> Event:
    found = {event.dedupe_key: event for event in world.bus.events if event.cause == "job-left-behind"}
    assert [event.type for event in found.values()] == ["INFRA_FAILURE"]
    return next(iter(found.values()))


def test_a_job_whose_failure_was_decided_while_it_started_is_over(world: World) -> None:
    while_the_job_starts(world, lambda: world.deliver(world.log_job("gold", DATE, "fail", attempt=0)))
    assert trigger(world)["status"] == "superseded"
    assert "superseded while its job was started" in world.log.text("warning")
    assert "INFRA_FAILURE" not in world.bus.types
    assert logged(world) == ["fail"]


def test_a_job_that_started_while_its_run_was_ended_is_named(world: World) -> None:
    while_the_job_starts(world, lambda: abort(world))
    assert trigger(world)["runId"] == "jr_0"
    event = left_behind(world)
    assert event.message == "the job of gold for 2026-03-03 was started when its run was over: nobody watches it"
    assert event.detail["runId"] == "jr_0"
    assert event.detail["actionHint"] == "stop or await the job's run jr_0 before you request a rerun"
    row = next(iter(world.joblog.rows().values()))
    assert (row["event"], row["attempt"], row["runId"]) == ("infra-trigger-failure", 0, "jr_0")
    assert the_run(world).status == "FAILED_FINAL"


def test_a_job_that_started_while_its_run_was_superseded_is_named_and_the_newer_attempt_left_alone(
    world: World,
) -> None:
    while_the_job_starts(world, lambda: abort_and_run_again(world))
    assert trigger(world)["status"] == "superseded"
    event = left_behind(world)
    assert (event.attempt, event.detail["runId"], event.detail["jobType"]) == (0, "jr_0", "glue")
    assert event.detail["actionHint"] == "stop the job's run jr_0, unless it may run beside attempt 1"
    newer = the_run(world)
    assert (newer.attempt, newer.is_running, newer.intent, newer.run_id) == (1, True, None, None)
    assert logged(world) == ["rerun-accepted", "infra-trigger-failure"]
    world.pump()
    assert the_run(world) == newer


def test_the_task_again_tells_once_of_a_job_that_was_left_behind(world: World) -> None:
    while_the_job_starts(world, lambda: abort(world))
    first = trigger(world)
    told = world.bus.keys
    world.advance(minutes=1)
    assert trigger(world) == first
    assert world.bus.keys == told
    assert logged(world) == ["infra-trigger-failure"]
    assert len(world.jobs.jobs) == 1


def test_a_job_that_ended_with_its_start_is_logged_although_its_run_was_ended() -> None:
    world = started(gold(job=LAMBDA))
    original = world.jobs.invoke

    def invoke(**request: Any) -> dict[str, Any]:
        abort(world)
        return original(**request)

    world.jobs.invoke = invoke  # type: ignore[method-assign]
    assert trigger(world)["status"] == "success"
    hint = "the job's run inv_1 has ended: look at what it did before you request a rerun"
    assert left_behind(world).detail["actionHint"] == hint
    assert sorted(logged(world)) == ["infra-trigger-failure", "success"]
    told = world.bus.keys
    trigger(world)
    assert world.bus.keys == told


@pytest.mark.parametrize("meanwhile", [abort, abort_and_run_again])
def test_killed_after_any_call_somebody_is_told_of_the_job_that_was_left_behind(
    meanwhile: Callable[[World], None],
) -> None:
    def told(kill_after: int | None) -> tuple[World, Run, int]:
        world = started(gold())
        run = the_run(world)
        while_the_job_starts(world, lambda: meanwhile(world))
        world.calls.reset()
        world.calls.kill_after = kill_after
        try:
            world.task("trigger", run)
        except Killed:
            calls = len(world.calls.made)
            world.calls.reset()
            world.task("trigger", run)
            return world, run, calls
        return world, run, len(world.calls.made)

    undisturbed, run, calls = told(None)
    for number in range(1, calls + 1):
        world, _, _ = told(number)
        assert len(world.jobs.jobs) == 1, number
        if (now := the_run(world)).is_running and now.attempt == run.attempt:
            continue  # killed before the run was ended, and going on
        assert world.bus.keys <= undisturbed.bus.keys, number
        named = [event for event in world.bus.events if event.type == "INFRA_FAILURE"]
        assert {event.detail["token"] for event in named} == {run.token}, number
        if meanwhile is abort:
            assert "job-left-behind" in {event.cause for event in named}, number


# check-job


def test_a_job_that_runs_is_running(world: World) -> None:
    assert check(world, trigger(world)) == "running"
    assert logged(world) == []


def test_a_job_that_succeeded_is_logged(world: World) -> None:
    job = trigger(world)
    world.advance(minutes=5)
    world.jobs.end("SUCCEEDED")
    assert check(world, job) == "success"
    row = next(iter(world.joblog.rows().values()))
    assert (row["event"], row["runId"], row["duration"], row["attempt"]) == ("success", "jr_0", 300_000, 0)


@pytest.mark.parametrize(
    ("state", "status", "category"),
    [("FAILED", "fail", "TRANSIENT"), ("TIMEOUT", "timeout", "TIMEOUT"), ("STOPPED", "fail", "TRANSIENT")],
)
def test_a_job_that_failed_is_told_and_logged_with_its_category(
    world: World, state: str, status: str, category: str
) -> None:
    job = trigger(world)
    world.jobs.end(state, message="disk full")
    assert check(world, job) == status
    row = next(iter(world.joblog.rows().values()))
    assert (row["event"], row["category"]) == (status, category)
    event = world.bus.the("JOB_FAILED")
    assert (event.detail["category"], event.detail["event"]) == (category, status)


def test_a_row_of_an_outside_job_ends_it_without_a_poll(world: World) -> None:
    job = trigger(world)
    world.log_job("gold", DATE, "success", runId="jr_0")
    world.calls.reset()
    assert check(world, job) == "success"
    assert "glue:GetJobRun" not in world.calls.made


def test_a_row_of_an_outside_job_that_failed_is_told(world: World) -> None:
    job = trigger(world)
    world.log_job("gold", DATE, "fail", attempt=0, error="disk full")
    assert check(world, job) == "fail"
    assert "disk full" in world.bus.the("JOB_FAILED").message


def test_a_success_that_came_before_its_run_id_was_on_record_is_told(world: World) -> None:
    record = world.log_job("gold", DATE, "success", runId="jr_0")
    assert world.deliver(record) == []
    assert "JOB_COMPLETED" not in world.bus.types
    assert check(world, trigger(world)) == "success"
    assert world.bus.the("JOB_COMPLETED").detail["runId"] == "jr_0"


def test_a_row_of_another_attempt_does_not_end_it(world: World) -> None:
    job = trigger(world)
    world.log_job("gold", DATE, "fail", runId="jr_other")
    assert check(world, job) == "running"


def test_the_task_again_finds_the_outcome_in_the_log(world: World) -> None:
    job = trigger(world)
    world.jobs.end("FAILED")
    assert check(world, job) == "fail"
    world.advance(minutes=1)
    assert check(world, job) == "fail"
    assert logged(world) == ["fail"]
    assert len([key for key in world.bus.keys if key.startswith("JOB_FAILED")]) == 1


def test_the_outcome_is_answered_even_when_the_router_has_closed_the_row(world: World) -> None:
    world.pipeline(gold(job={"maxRetries": 0}))
    job = trigger(world)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    assert the_run(world).status == Status.FAILED_FINAL
    assert check(world, job) == "fail"


def test_the_poll_window_runs_from_the_jobs_own_start(world: World) -> None:
    job = trigger(world)
    world.advance(minutes=9, seconds=59)
    assert check(world, job) == "running"
    world.advance(seconds=1)
    assert check(world, job) == "exhausted"


def test_an_outcome_wins_over_the_window(world: World) -> None:
    job = trigger(world)
    world.advance(hours=5)
    world.jobs.end("SUCCEEDED")
    assert check(world, job) == "success"


@pytest.mark.parametrize("error", [TimeoutError("slow"), KeyError("JobRun"), TransientError("x"), PermanentError("y")])
def test_an_error_while_polling_leaves_the_job_running(world: World, error: Exception) -> None:
    job = trigger(world)
    world.jobs.fail_poll = error
    assert check(world, job) == "running"
    assert "could not be asked" in world.log.text("warning")


def test_a_job_whose_type_changed_meanwhile_goes_on(world: World) -> None:
    job = trigger(world)
    world.pipeline(gold(job=LAMBDA))
    assert check(world, job) == "running"
    world.advance(minutes=10)
    assert check(world, job) == "exhausted"


@pytest.mark.parametrize("config", [None, "{"])
def test_a_job_is_watched_without_a_config_too(world: World, config: str | None) -> None:
    job = trigger(world)
    key = ("PIPELINE#gold", "CONFIG")
    world.control.delete(key)
    if config is not None:
        world.control.write({"PK": key[0], "SK": key[1], "config": config})
    world.ports.configs.forget()
    assert check(world, job) == "running"
    world.log_job("gold", DATE, "success", attempt=0)
    assert check(world, job) == "success"


def test_another_attempt_supersedes_the_check(world: World) -> None:
    job, old = trigger(world), the_run(world)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    assert check(world, job, old) == "superseded"


def test_an_ended_run_without_an_outcome_supersedes_the_check(world: World) -> None:
    job, run = trigger(world), the_run(world)
    runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=Reason.SFN_TIMEOUT, kind=None, now=world.now)
    assert check(world, job, run) == "superseded"
