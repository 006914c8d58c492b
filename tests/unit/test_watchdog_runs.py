"""What was lost on the way: executions, starts, post-run sensors, decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core import rows
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import KIND, Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.pipeline(gold(postRun=None))
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def start(world: World) -> Run:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    return the_run(world)


def finish(world: World, run: Run, status: Status, kind: Kind | None, reason: Reason | None = None) -> Run:
    runs.finish(world.ports, run, status=status, reason=reason, kind=kind, now=world.now)
    return the_run(world)


def exclude(world: World, **sections: Any) -> None:
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}, **sections))


# Check 1, stale runs


def a_run_whose_launch_failed(world: World) -> Run:
    world.calls.fail["states:StartExecution"] = ConnectionError("no answer")
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.calls.fail.clear()
    run = the_run(world)
    assert not run.is_launched
    return run


def test_a_run_that_was_never_launched_is_launched_after_two_minutes(world: World) -> None:
    a_run_whose_launch_failed(world)
    world.advance(minutes=1, seconds=59)
    world.watchdog()
    assert not the_run(world).is_launched
    world.advance(seconds=1)
    world.watchdog()
    run = the_run(world)
    assert run.is_launched
    assert world.executions.inputs == {run.execution_name: run.input}
    assert world.bus.events == []


def test_a_run_that_was_launched_meanwhile_is_left_alone(world: World) -> None:
    run = start(world)
    stale_view = world.control.rows()[run.key] | {"executionArn": None}
    del stale_view["executionArn"]
    world.advance(minutes=10)
    index = [stale_view]
    world.control.of_kind = lambda kind: iter(index if kind == Kind.RUNNING else ())  # type: ignore[method-assign]
    world.calls.reset()
    world.watchdog()
    assert "states:StartExecution" not in world.calls.made


def test_a_stale_run_whose_execution_is_over_is_ended(world: World) -> None:
    run = start(world)
    world.executions.statuses[run.execution_name] = "TIMED_OUT"
    world.advance(hours=4, minutes=30)
    world.watchdog()
    assert the_run(world).is_running
    world.advance(seconds=1)
    world.watchdog()
    ended = the_run(world)
    assert (ended.status, ended.reason, ended.kind) == ("FAILED_FINAL", "sfn-timeout", None)
    event = world.bus.the("SFN_TIMEOUT")
    assert (event.attempt, event.detail["status"]) == (0, "TIMED_OUT")


def test_a_stale_run_whose_execution_is_unknown_is_ended(world: World) -> None:
    run = start(world)
    del world.executions.inputs[run.execution_name]
    world.advance(hours=5)
    world.watchdog()
    assert the_run(world).status == "FAILED_FINAL"
    assert world.bus.the("SFN_TIMEOUT").detail["status"] == "unknown to Step Functions"


def test_a_stale_run_whose_execution_still_runs_is_left_alone(world: World) -> None:
    start(world)
    world.advance(hours=5)
    world.watchdog()
    assert the_run(world).is_running
    assert world.bus.events == []
    assert "still runs" in world.log.text("warning")


def test_a_run_in_good_health_costs_nothing_but_its_place_on_the_index(world: World) -> None:
    start(world)
    world.control.delete((rows.pk("gold"), rows.CONFIG))
    world.advance(minutes=30)
    world.calls.reset()
    world.watchdog()
    assert set(world.calls.made) == {"dynamodb:Query"}


@pytest.mark.parametrize("sections", [{"dryRun": True}, {"schedule": {"exclude": {"dates": [DATE]}}}])
def test_stale_runs_of_dry_runs_and_excluded_dates_are_passed_over(world: World, sections: dict[str, Any]) -> None:
    run = start(world)
    world.executions.statuses[run.execution_name] = "TIMED_OUT"
    world.pipeline(gold(**sections))
    world.advance(hours=5)
    world.watchdog()
    assert the_run(world).is_running
    assert world.bus.events == []


def test_a_stale_run_of_a_removed_pipeline_is_ended_all_the_same(world: World) -> None:
    run = start(world)
    world.executions.statuses[run.execution_name] = "ABORTED"
    world.control.delete((rows.pk("gold"), rows.CONFIG))
    world.advance(hours=5)
    world.watchdog()
    assert the_run(world).status == "FAILED_FINAL"


# Check 4, reconciliation


def test_a_start_whose_record_was_lost_is_made_good(world: World) -> None:
    world.write_sensor("gold", "orders", **READY)
    world.watchdog()
    run = the_run(world)
    assert (run.cause, run.attempt) == ("reconcile", 0)
    assert run.is_launched
    assert world.bus.types == ["TRIGGER_RECOVERED"]
    world.advance(minutes=5)
    world.watchdog()
    assert world.bus.types == ["TRIGGER_RECOVERED"]


def test_a_record_that_is_merely_under_way_is_not_lost(world: World) -> None:
    record = world.write_sensor("gold", "orders", **READY)
    world.watchdog(meanwhile=lambda: world.deliver(record))
    assert the_run(world).cause == f"record:{record['eventID']}"
    assert world.bus.events == []


def test_when_nothing_is_lost_nothing_is_waited_for(world: World) -> None:
    start(world)
    before = world.now
    world.watchdog()
    assert world.now == before


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("orders", {"date": "20260303"}),
        ("orders", {"updatedAt": "2026-03-03T05:00:00Z"}),
        ("orders", {"updatedAt": 1772514000, "date": "2026-03-02"}),
        ("orders#2026-03-02", {}),
        ("orders#20260303", {"updatedAt": "2026-03-03T05:00:00Z"}),
    ],
)
def test_the_date_is_told_by_fields_key_or_update(world: World, key: str, fields: dict[str, Any]) -> None:
    world.write_sensor("gold", key, state="ready", **fields)
    world.watchdog()
    assert world.bus.types == ["TRIGGER_RECOVERED"]


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("orders", {}),
        ("orders", {"date": "2026-03-01"}),
        ("orders", {"updatedAt": "2026-03-01T05:00:00Z"}),
        ("orders#2026-03-03", {"date": "2026-02-03"}),
        ("orders", {"date": DATE, "state": "loading"}),
        ("orders", {"date": "someday", "updatedAt": "some time"}),
    ],
)
def test_a_sensor_of_no_date_or_another_or_that_is_not_ready_starts_nothing(
    world: World, key: str, fields: dict[str, Any]
) -> None:
    world.write_sensor("gold", key, **{"state": "ready"} | fields)
    world.watchdog()
    assert world.bus.events == []
    assert world.executions.inputs == {}


def test_an_hourly_sensor_without_an_hour_needs_the_time_of_its_update(world: World) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": ":50"}
    world.pipeline(gold(schedule={"trigger": trigger}))
    world.write_sensor("gold", "orders", state="ready", date=DATE)
    world.watchdog()
    assert world.executions.inputs == {}
    world.write_sensor("gold", "orders", state="ready", date=DATE, updatedAt="2026-03-03T05:10:00Z")
    world.watchdog()
    assert world.run("gold", f"{DATE}T05") is not None


def test_the_condition_is_judged_at_the_time_of_the_update(world: World) -> None:
    trigger = {"key": "orders", "check": "age_lt", "field": "updatedAt", "value": "5m"}
    world.pipeline(gold(schedule={"trigger": trigger}))
    world.write_sensor("gold", "orders", date=DATE, updatedAt=rfc3339(world.now))
    world.advance(minutes=30)
    world.watchdog()
    assert the_run(world).arrival == world.now - timedelta(minutes=30, seconds=15)


def test_a_sensor_that_came_in_time_starts_its_run_after_the_deadline(world: World) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "09:00", "dayOffset": 0}
    world.pipeline(gold(schedule={"trigger": trigger}))
    world.watchdog()
    world.advance(hours=2, minutes=59)
    world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now))
    world.advance(minutes=3)
    world.watchdog()
    assert world.bus.types == ["TRIGGER_RECOVERED"]
    assert the_run(world).is_running


def test_a_sensor_that_came_too_late_starts_nothing_and_its_date_expires(world: World) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "09:00", "dayOffset": 0}
    world.pipeline(gold(schedule={"trigger": trigger}))
    world.watchdog()
    world.advance(hours=3, minutes=1)
    world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now))
    world.watchdog()
    world.advance(minutes=5)
    world.watchdog()
    assert world.bus.types == ["SENSOR_DEADLINE_EXPIRED"]
    assert world.executions.inputs == {}


def test_a_date_that_has_had_a_run_is_not_started_again(world: World) -> None:
    finish(world, start(world), Status.FAILED_FINAL, None, Reason.FAIL)
    world.watchdog()
    assert the_run(world).attempt == 0
    assert world.bus.events == []


@pytest.mark.parametrize("sections", [{"dryRun": True}, {"schedule": {"exclude": {"dates": [DATE]}}}])
def test_dry_runs_and_excluded_dates_are_not_reconciled(world: World, sections: dict[str, Any]) -> None:
    world.pipeline(gold(**sections))
    world.write_sensor("gold", "orders", **READY)
    world.watchdog()
    assert world.bus.events == []


# Check 7, missing post-run sensors


def completed(world: World) -> Run:
    """A run of ``gold`` that has just completed, and waits for its post-run sensor."""
    world.pipeline(gold())
    return finish(world, start(world), Status.COMPLETED, Kind.POSTRUN)


def test_a_post_run_sensor_that_does_not_come_is_missed_after_its_timeout(world: World) -> None:
    completed(world)
    world.advance(hours=1, minutes=59)
    world.watchdog()
    assert world.bus.events == []
    world.advance(minutes=1)
    world.watchdog()
    event = world.bus.the("POST_RUN_SENSOR_MISSING")
    assert event.message == "no post-run sensor of gold for 2026-03-03 was written within 2h after completion"
    assert event.detail["sensorKeys"] == ["orders"]
    assert the_run(world).kind is None
    world.advance(minutes=5)
    world.watchdog()
    assert world.bus.types == ["POST_RUN_SENSOR_MISSING"]


def test_a_sensor_that_is_missing_again_after_a_rerun_is_told_again(world: World) -> None:
    completed(world)
    world.advance(hours=2)
    world.watchdog()
    run = the_run(world)
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    runs.again(world.ports, config, run, cause="request:x", reason=Reason.MANUAL, now=world.now)
    finish(world, the_run(world), Status.COMPLETED, Kind.POSTRUN)
    world.advance(hours=2)
    world.watchdog()
    assert [event.attempt for event in world.bus.events if event.type == "POST_RUN_SENSOR_MISSING"] == [0, 1]
    assert the_run(world).kind is None


def test_a_sensor_from_before_the_completion_does_not_count(world: World) -> None:
    world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now))
    completed(world)
    world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now))
    world.advance(hours=2)
    world.watchdog()
    assert world.bus.types == ["POST_RUN_SENSOR_MISSING"]


def test_a_sensor_whose_record_was_lost_is_judged_after_all(world: World) -> None:
    completed(world)
    world.advance(minutes=10)
    world.write_sensor("gold", "orders", **READY | {"count": 5}, updatedAt=rfc3339(world.now))
    world.advance(hours=2)
    world.watchdog()
    assert world.bus.types == ["POST_RUN_FAILED"]
    assert the_run(world).kind is None


def test_a_drift_whose_record_was_lost_asks_for_a_rerun_after_all(world: World) -> None:
    world.pipeline(gold())
    world.write_sensor("gold", "rates", x=1)
    run = start(world)
    window = {"evaluationWindowSeconds": 3600}
    world.task("evaluate", run, executionStartTime=rfc3339(run.started_at), config=window)
    finish(world, run, Status.COMPLETED, Kind.POSTRUN)
    world.advance(minutes=10)
    world.write_sensor("gold", "orders", **READY | {"count": 2000}, updatedAt=rfc3339(world.now))
    world.advance(hours=2)
    world.watchdog()
    assert world.bus.types[-1] == "POST_RUN_DRIFT"
    assert (rows.pk("gold"), rows.rerun_request("stream", DATE)) in world.control.rows()


def test_a_drift_during_the_job_that_nobody_compared_asks_for_a_rerun_after_all(world: World) -> None:
    world.pipeline(gold())
    world.write_sensor("gold", "rates", x=1)
    run = start(world)
    window = {"evaluationWindowSeconds": 3600}
    world.task("evaluate", run, executionStartTime=rfc3339(run.started_at), config=window)
    world.advance(minutes=5)
    world.write_sensor("gold", "orders", **READY | {"count": 2000}, updatedAt=rfc3339(world.now))
    world.advance(minutes=5)
    finish(world, run, Status.COMPLETED, Kind.POSTRUN)
    world.advance(hours=2)
    world.watchdog()
    assert world.bus.types[-2:] == ["POST_RUN_DRIFT", "POST_RUN_SENSOR_MISSING"]
    assert (rows.pk("gold"), rows.rerun_request("stream", DATE)) in world.control.rows()
    assert the_run(world).kind is None


@pytest.mark.parametrize(
    "sections",
    [{"postRun": None}, {"postRun": {"rules": []}}, {"schedule": {"exclude": {"dates": [DATE]}}}, {"dryRun": True}],
    ids=["no post-run", "no rules", "excluded", "dry run"],
)
def test_a_run_that_nobody_waits_for_any_more_leaves_the_index_in_silence(
    world: World, sections: dict[str, Any]
) -> None:
    completed(world)
    world.pipeline(gold(**sections))
    world.advance(hours=2)
    world.watchdog()
    assert the_run(world).kind is None
    assert world.bus.events == []


def test_a_rerun_that_began_meanwhile_is_left_alone(world: World) -> None:
    run = completed(world)
    index = [world.control.rows()[run.key]]
    world.control.of_kind = lambda kind: iter(index if kind == Kind.POSTRUN else ())  # type: ignore[method-assign]
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    runs.again(world.ports, config, run, cause="request:x", reason="manual", now=world.now)
    world.advance(hours=2)
    world.watchdog()
    assert world.bus.events == []
    assert the_run(world).kind == Kind.RUNNING


# Check 9, undecided


def failed(world: World, event: str = "fail", **attributes: Any) -> Run:
    """A run whose job failed, and whose job-log record the router never saw."""
    run = start(world)
    world.log_job("gold", DATE, event, attempt=0, **attributes)
    return finish(world, run, Status.FAILED_FINAL, Kind.UNDECIDED, Reason.FAIL)


def test_a_failure_whose_record_was_lost_is_retried_after_ten_minutes(world: World) -> None:
    failed(world)
    world.advance(minutes=9, seconds=59)
    world.watchdog()
    assert the_run(world).attempt == 0
    world.advance(seconds=1)
    world.watchdog()
    run = the_run(world)
    assert (run.attempt, run.cause, run.status) == (1, "job-failure:0", "RUNNING")
    assert run.is_launched


def test_a_failure_without_a_budget_is_told_and_leaves_the_index(world: World) -> None:
    world.pipeline(gold(job={"maxRetries": 0}))
    failed(world, category="TRANSIENT", error="disk full")
    world.advance(minutes=10)
    world.watchdog()
    assert world.bus.the("RETRY_EXHAUSTED").detail["error"] == "disk full"
    assert the_run(world).kind is None
    world.advance(minutes=5)
    world.watchdog()
    assert world.bus.types == ["RETRY_EXHAUSTED"]


def test_what_failed_is_what_is_decided_about_though_a_success_was_logged_later(world: World) -> None:
    world.pipeline(gold(job={"maxRetries": 1, "maxCodeRetries": 0}))
    failed(world, category="PERMANENT", error="no such column")
    world.advance(seconds=1)
    world.log_job("gold", DATE, "success", attempt=0)
    world.advance(minutes=10)
    world.watchdog()
    detail = world.bus.the("RETRY_EXHAUSTED").detail
    assert (detail["event"], detail["error"], detail["allowed"]) == ("fail", "no such column", 0)


def test_a_failure_of_an_excluded_date_is_decided_as_the_router_decides(world: World) -> None:
    failed(world)
    exclude(world)
    world.advance(minutes=10)
    world.watchdog()
    assert world.bus.types == ["PIPELINE_EXCLUDED"]
    assert the_run(world).kind is None


def test_a_failure_that_was_decided_meanwhile_is_left_alone(world: World) -> None:
    run = failed(world)
    index = [world.control.rows()[run.key]]
    world.control.of_kind = lambda kind: iter(index if kind == Kind.UNDECIDED else ())  # type: ignore[method-assign]
    runs.settle(world.ports, run)
    world.advance(minutes=10)
    world.watchdog()
    assert world.bus.events == []


def request(world: World, **attributes: Any) -> dict[str, Any]:
    return world.request("gold", DATE, **{KIND: "REQUEST"} | attributes)


def test_a_request_whose_record_was_lost_is_accepted_after_ten_minutes(world: World) -> None:
    finish(world, start(world), Status.FAILED_FINAL, None, Reason.FAIL)
    request(world, requestedAt=rfc3339(world.now), requestedBy="ada")
    world.advance(minutes=9)
    world.watchdog()
    assert world.bus.events == []
    world.advance(minutes=1)
    world.watchdog()
    assert world.bus.types == ["RERUN_ACCEPTED"]
    assert the_run(world).attempt == 1
    assert (rows.pk("gold"), rows.rerun_request("stream", DATE)) not in world.control.rows()


@pytest.mark.parametrize("attributes", [{}, {"requestedAt": None}, {"requestedAt": "this morning"}], ids=str)
def test_a_request_without_a_time_is_accepted_at_a_second_look(world: World, attributes: dict[str, Any]) -> None:
    finish(world, start(world), Status.FAILED_FINAL, None, Reason.FAIL)
    request(world, **attributes)
    world.watchdog()
    assert (rows.pk("gold"), rows.rerun_request("stream", DATE)) not in world.control.rows()
    assert world.bus.types == ["RERUN_ACCEPTED"]
    assert the_run(world).attempt == 1


def test_the_router_that_sees_such_a_request_late_changes_nothing(world: World) -> None:
    finish(world, start(world), Status.FAILED_FINAL, None, Reason.FAIL)
    world.pump()
    request(world)
    world.watchdog()
    before = world.bus.keys
    dated = [record for record in world.control.stream if "RERUN_REQUEST" in str(record["dynamodb"]["Keys"])][1]
    world.deliver(dated)
    assert the_run(world).attempt == 1
    assert world.bus.keys == before


def test_a_request_without_a_time_that_is_under_way_is_the_routers(world: World) -> None:
    finish(world, start(world), Status.FAILED_FINAL, None, Reason.FAIL)
    record = request(world)
    world.watchdog(meanwhile=lambda: world.deliver(record))
    assert the_run(world).cause == f"request:{record['eventID']}"
    assert world.bus.types == ["RERUN_ACCEPTED"]
