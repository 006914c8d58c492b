"""stream-router and orchestrator, killed after any AWS call and replayed: see :mod:`tests.fakes.crashes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.handlers import stream_router
from tests.fakes.crashes import REPLAYS, Replay, Step, Story, handle_twice, kill_and_replay
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.scenes import checked, completed, evaluate, evaluated, failed, started
from tests.fakes.world import World


def deliver(world: World, *records: Mapping[str, Any]) -> Step:
    return lambda: world.deliver(*records)


def sensor(world: World, key: str = "orders", /, **fields: Any) -> Step:
    return deliver(world, world.write_sensor("gold", key, **{**READY, **fields}))


# Stories of the stream router


def a_sensor_starts_a_run(world: World) -> Step:
    world.pipeline(gold())
    return sensor(world)


def a_sensor_of_an_excluded_date(world: World) -> Step:
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}))
    return sensor(world)


def a_tick_starts_a_run(world: World) -> Step:
    world.pipeline(gold(schedule={"cron": "0 6 * * *"}))
    event = {"mode": "cron", "pipelineId": "gold", "scheduledAt": rfc3339(world.now)}
    return lambda: stream_router.handle(event, world.ports, clock=world.clock)


def a_batch_of_many_kinds(world: World) -> Step:
    started(world)
    records = [
        world.log_job("gold", DATE, "fail", attempt=0),
        world.write_sensor("gold", "orders", **READY | {"date": "2026-03-04"}),
        world.request("gold", "2026-03-01", requestedAt=rfc3339(world.now)),
        world.write_sensor("gold", "other", x=1),
    ]
    return deliver(world, *records)


def late_data(world: World) -> Step:
    completed(world, postRun=None)
    return sensor(world, rows=7)


def late_data_that_drifts(world: World) -> Step:
    completed(world)
    return sensor(world, count=2000)


def a_sensor_after_an_exhausted_trigger(world: World) -> Step:
    failed(world, Reason.TRIGGER_EXHAUSTED)
    return sensor(world, rows=7)


def a_sensor_after_an_exhausted_validation(world: World) -> Step:
    failed(world, Reason.VALIDATION_EXHAUSTED)
    return sensor(world, rows=7)


def a_success(world: World) -> Step:
    started(world)
    return deliver(world, world.log_job("gold", DATE, "success", attempt=0))


def a_failure_that_is_retried(world: World) -> Step:
    started(world)
    return deliver(world, world.log_job("gold", DATE, "fail", attempt=0))


def a_failure_that_is_not_retried(world: World) -> Step:
    started(world, job={"maxRetries": 0})
    return deliver(world, world.log_job("gold", DATE, "timeout", attempt=0))


def an_undecided_failure_that_is_not_retried(world: World) -> Step:
    failed(world, kind=Kind.UNDECIDED, job={"maxRetries": 0})
    return deliver(world, world.log_job("gold", DATE, "fail", attempt=0))


def an_undecided_failure_on_an_excluded_date(world: World) -> Step:
    failed(world, kind=Kind.UNDECIDED)
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}))
    return deliver(world, world.log_job("gold", DATE, "fail", attempt=0))


def a_request_that_is_accepted(world: World) -> Step:
    failed(world)
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now), reason="corrected"))


def a_request_without_a_time_that_is_accepted(world: World) -> Step:
    failed(world)
    return deliver(world, world.request("gold", DATE))


def a_request_that_comes_before_the_verdict(world: World) -> Step:
    sla = {"deadline": "10:00", "expectedDuration": "30m", "maxDuration": "2h"}
    run = started(world, sla=sla)
    runs.finish(world.ports, run, status=Status.COMPLETED, reason=None, kind=None, now=world.now)
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def a_request_that_starts_a_date(world: World) -> Step:
    world.pipeline(gold())
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def a_request_that_is_rejected(world: World) -> Step:
    started(world)
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def a_request_whose_place_drift_takes(world: World) -> Step:
    failed(world)
    own = {"requestedAt": rfc3339(world.now), "requestedBy": "interlock"}
    late = world.request("gold", DATE, reason="late-data", cause="record:1", **own)
    return deliver(world, late, world.request("gold", DATE, reason="data-drift", cause="drift:0:orders:5", **own))


def late_data_while_a_request_waits_whose_record_was_lost(world: World) -> Step:
    completed(world, postRun=None)
    world.request("gold", DATE)
    world.control.stream.pop()
    return sensor(world, rows=7)


def a_request_for_an_excluded_date(world: World) -> Step:
    failed(world)
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}))
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def a_request_for_an_unknown_pipeline(world: World) -> Step:
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def drift_in_flight(world: World) -> Step:
    evaluated(world)
    return sensor(world, f"orders#{DATE}", count=5, state="loading")


def drift_afterwards(world: World) -> Step:
    completed(world)
    return sensor(world, f"orders#{DATE}", count=5, state="loading")


def rules_that_hold_afterwards(world: World) -> Step:
    completed(world)
    return sensor(world, f"orders#{DATE}", count=1000, state="loading")


def an_execution_that_timed_out(world: World) -> Step:
    run = started(world)
    detail = {"executionArn": run.execution_arn, "status": "TIMED_OUT", "input": run.input}
    event = {"detail-type": "Step Functions Execution Status Change", "detail": detail}
    return lambda: stream_router.handle(event, world.ports, clock=world.clock)


def a_dry_run(world: World) -> Step:
    world.pipeline(gold(dryRun=True, sla={"deadline": "09:00", "expectedDuration": "1h", "dayOffset": 0}))
    world.write_sensor("gold", "rates", x=1)
    return sensor(world)


def a_dry_run_whose_data_comes_late(world: World) -> Step:
    a_dry_run(world)()
    world.advance(minutes=5)
    return sensor(world, count=3000)


def a_dry_run_that_is_asked_to_rerun(world: World) -> Step:
    a_dry_run(world)()
    return deliver(world, world.request("gold", DATE, requestedAt=rfc3339(world.now)))


def a_dry_run_whose_outside_job_fails(world: World) -> Step:
    a_dry_run(world)()
    return deliver(world, world.log_job("gold", DATE, "fail"))


# Stories of the orchestrator


def constraints_that_hold(world: World) -> Step:
    run = started(world)
    return lambda: evaluate(world, run)


def constraints_that_do_not_hold(world: World) -> Step:
    run = started(world)
    world.control.delete(("PIPELINE#gold", "SENSOR#rates"))
    return lambda: evaluate(world, run)


def a_job_that_is_started(world: World) -> Step:
    run = evaluated(world)
    return lambda: world.task("trigger", run)


def check(world: World, run: Run) -> Step:
    job = world.task("trigger", run)
    return lambda: checked(world, run, job)


def a_job_that_runs(world: World) -> Step:
    return check(world, evaluated(world))


def a_job_that_succeeded(world: World) -> Step:
    step = check(world, evaluated(world))
    world.jobs.end("SUCCEEDED")
    return step


def a_job_that_failed_and_is_retried(world: World) -> Step:
    step = check(world, evaluated(world))
    world.jobs.end("FAILED", message="disk full")
    return step


def a_job_that_timed_out_for_good(world: World) -> Step:
    step = check(world, evaluated(world, job={"maxRetries": 0}))
    world.jobs.end("TIMEOUT")
    return step


def a_job_whose_outside_row_failed(world: World) -> Step:
    step = check(world, evaluated(world))
    world.log_job("gold", DATE, "fail", attempt=0)
    return step


def exhausted_constraints(world: World) -> Step:
    run = started(world)
    return lambda: world.task("validation-exhausted", run, results=[{"passed": False, "reason": "x"}])


def an_exhausted_trigger(world: World) -> Step:
    run = evaluated(world)
    return lambda: world.task("trigger-exhausted", run, error={"Error": "E", "Cause": "C"})


def an_exhausted_poll(world: World) -> Step:
    run = evaluated(world)
    world.task("trigger", run)
    return lambda: world.task("job-poll-exhausted", run, runId="jr_0", jobType="glue")


def a_success_that_completes(world: World) -> Step:
    run = evaluated(world)
    world.task("trigger", run)
    return lambda: world.task("complete-trigger", run, outcome="success")


def a_success_whose_data_drifted_meanwhile(world: World) -> Step:
    run = evaluated(world)
    world.task("trigger", run)
    world.write_sensor("gold", "orders", **READY | {"count": 4000})
    world.advance(minutes=1)
    return lambda: world.task("complete-trigger", run, outcome="success")


def a_failure_that_completes(world: World) -> Step:
    run = evaluated(world)
    world.task("trigger", run)
    return lambda: world.task("complete-trigger", run, outcome="fail")


def an_infrastructure_failure(world: World) -> Step:
    run = started(world)
    return lambda: world.task("infra-failure", run, error={"Error": "E"})


STORIES: tuple[Story, ...] = (
    a_sensor_starts_a_run,
    a_sensor_of_an_excluded_date,
    a_tick_starts_a_run,
    a_batch_of_many_kinds,
    late_data,
    late_data_that_drifts,
    a_sensor_after_an_exhausted_trigger,
    a_sensor_after_an_exhausted_validation,
    a_success,
    a_failure_that_is_retried,
    a_failure_that_is_not_retried,
    an_undecided_failure_that_is_not_retried,
    an_undecided_failure_on_an_excluded_date,
    a_request_that_is_accepted,
    a_request_without_a_time_that_is_accepted,
    a_request_that_comes_before_the_verdict,
    a_request_that_starts_a_date,
    a_request_that_is_rejected,
    a_request_whose_place_drift_takes,
    late_data_while_a_request_waits_whose_record_was_lost,
    a_request_for_an_excluded_date,
    a_request_for_an_unknown_pipeline,
    drift_in_flight,
    drift_afterwards,
    rules_that_hold_afterwards,
    an_execution_that_timed_out,
    a_dry_run,
    a_dry_run_whose_data_comes_late,
    a_dry_run_that_is_asked_to_rerun,
    a_dry_run_whose_outside_job_fails,
    constraints_that_hold,
    constraints_that_do_not_hold,
    a_job_that_is_started,
    a_job_that_runs,
    a_job_that_succeeded,
    a_job_that_failed_and_is_retried,
    a_job_that_timed_out_for_good,
    a_job_whose_outside_row_failed,
    exhausted_constraints,
    an_exhausted_trigger,
    an_exhausted_poll,
    a_success_that_completes,
    a_success_whose_data_drifted_meanwhile,
    a_failure_that_completes,
    an_infrastructure_failure,
)


@pytest.mark.parametrize("replay", REPLAYS, ids=str)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_killed_after_any_call_and_replayed_it_ends_as_undisturbed(story: Story, replay: Replay) -> None:
    kill_and_replay(story, replay)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_handled_twice_it_ends_as_handled_once(story: Story) -> None:
    handle_twice(story)
