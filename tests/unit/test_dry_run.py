"""Dry run: everything is told, nothing is done."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.core.instants import rfc3339
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


def dry(**sections: Any) -> World:
    world = World()
    world.pipeline(gold(dryRun=True, **sections))
    world.write_sensor("gold", "rates", x=1)
    return world


@pytest.fixture
def world() -> World:
    return dry()


def trigger(world: World, **fields: Any) -> dict[str, Any]:
    record = world.write_sensor("gold", "orders", **READY | fields)
    assert world.deliver(record) == []
    return record


def test_nothing_is_started_or_claimed(world: World) -> None:
    trigger(world)
    world.advance(minutes=10)
    trigger(world, count=2000)
    world.deliver(world.request("gold", DATE))
    world.deliver(world.log_job("gold", DATE, "fail"))
    assert world.executions.inputs == {}
    assert world.rerun.rows() == {}
    assert world.jobs.jobs == []
    assert not [sk for _, sk in world.control.rows() if sk.startswith(("TRIGGER#", "RERUN_REQUEST#"))]
    assert all(kind.startswith("DRY_RUN_") for kind in world.bus.types)


def test_a_trigger_whose_constraints_hold_is_told_and_remembered_for_a_week(world: World) -> None:
    trigger(world)
    assert world.bus.types == ["DRY_RUN_WOULD_TRIGGER", "DRY_RUN_COMPLETED"]
    assert world.bus.the("DRY_RUN_COMPLETED").detail == {"slaStatus": "n/a"}
    marker = world.control.rows()["PIPELINE#gold", f"DRY_RUN#stream#{DATE}"]
    assert marker["data"]["triggeredAt"] == rfc3339(world.now)
    assert marker["ttl"] == int(world.now.timestamp()) + 7 * 86400


def test_a_trigger_whose_constraints_do_not_hold_is_asked_again_by_the_next(world: World) -> None:
    trigger(world, count=999)
    assert world.bus.events == []
    assert "count is 999" in world.log.text("info")
    world.advance(minutes=10)
    trigger(world, count=1000)
    assert "DRY_RUN_WOULD_TRIGGER" in world.bus.types


def with_deadline(at: str) -> World:
    return dry(schedule={"trigger": gold()["schedule"]["trigger"] | {"deadline": at, "dayOffset": 0}})


def test_after_the_trigger_deadline_nothing_would_be_started_and_nothing_is_told() -> None:
    world = with_deadline("05:00")
    record = trigger(world)
    world.deliver(record)
    assert world.bus.events == []
    assert ("PIPELINE#gold", f"DRY_RUN#stream#{DATE}") not in world.control.rows()


def test_a_sensor_at_the_trigger_deadline_is_in_time_whenever_it_is_handled() -> None:
    world = with_deadline("06:00")
    record = world.write_sensor("gold", "orders", **READY)
    world.advance(minutes=5)
    world.deliver(record)
    assert "DRY_RUN_WOULD_TRIGGER" in world.bus.types


def test_what_comes_after_an_observation_is_late_also_after_the_trigger_deadline() -> None:
    world = with_deadline("06:30")
    record = trigger(world)
    world.advance(hours=1)
    trigger(world, more=1)
    assert world.bus.the("DRY_RUN_LATE_DATA").detail["lateBy"] == "1h"
    world.deliver(record)
    assert world.bus.the("DRY_RUN_WOULD_TRIGGER")


def test_data_after_the_trigger_is_late(world: World) -> None:
    trigger(world)
    world.advance(minutes=10)
    record = trigger(world, more=1)
    event = world.bus.the("DRY_RUN_LATE_DATA")
    assert event.detail["lateBy"] == "10m"
    assert event.detail["triggeredAt"] == "2026-03-03T06:00:00.000Z"
    world.deliver(record)
    assert len([key for key in world.bus.keys if key.startswith("DRY_RUN_LATE_DATA")]) == 1


def test_data_from_before_the_observation_is_not_late_whenever_it_is_handled(world: World) -> None:
    before = world.write_sensor("gold", "orders", **READY, more=1)
    world.advance(minutes=10)
    trigger(world)
    world.advance(minutes=10)
    world.deliver(before)
    assert world.bus.types == ["DRY_RUN_WOULD_TRIGGER", "DRY_RUN_COMPLETED"]


def test_the_same_record_again_is_the_same_observation(world: World) -> None:
    record = trigger(world)
    keys = world.bus.keys
    world.advance(minutes=5)
    world.deliver(record)
    assert world.bus.keys == keys


def test_the_projection_says_whether_the_deadline_would_be_met() -> None:
    world = dry(sla={"deadline": "07:00", "dayOffset": 0, "expectedDuration": "45m"})
    trigger(world)
    assert world.bus.the("DRY_RUN_SLA_PROJECTION").detail == {
        "status": "met",
        "estimatedCompletion": "2026-03-03T06:45:00.000Z",
        "deadline": "2026-03-03T07:00:00.000Z",
        "marginSeconds": 900,
    }
    assert world.bus.the("DRY_RUN_COMPLETED").detail == {"slaStatus": "met"}


def test_a_breach_is_projected_with_a_negative_margin() -> None:
    world = dry(sla={"deadline": "07:00", "dayOffset": 0, "expectedDuration": "90m"})
    trigger(world)
    detail = world.bus.the("DRY_RUN_SLA_PROJECTION").detail
    assert (detail["status"], detail["marginSeconds"]) == ("breach", -1800)
    assert world.bus.the("DRY_RUN_COMPLETED").detail == {"slaStatus": "breach"}


def test_the_earlier_of_two_deadlines_counts() -> None:
    world = dry(sla={"deadline": "09:00", "dayOffset": 0, "expectedDuration": "45m", "maxDuration": "30m"})
    trigger(world)
    assert world.bus.the("DRY_RUN_SLA_PROJECTION").detail["deadline"] == "2026-03-03T06:30:00.000Z"


def test_without_an_expected_duration_nothing_is_projected() -> None:
    world = dry(sla={"maxDuration": "2h"})
    trigger(world)
    assert "DRY_RUN_SLA_PROJECTION" not in world.bus.types


def test_drift_from_the_observation_is_told(world: World) -> None:
    trigger(world)
    world.advance(minutes=10)
    world.deliver(world.write_sensor("gold", f"orders#{DATE}", count=1300, state="loading"))
    event = world.bus.the("DRY_RUN_DRIFT")
    assert (event.detail["previous"], event.detail["current"]) == (1000, 1300)


def test_a_field_that_no_row_could_hold_does_not_stop_the_observation(world: World) -> None:
    deep: Any = 1
    for _ in range(29):
        deep = [deep]
    world.write_sensor("gold", f"orders#{DATE}", count=1000, state="ready")
    world.pipeline(gold(dryRun=True, postRun={"rules": [{"key": "rates", "check": "exists"}], "driftField": "deep"}))
    world.write_sensor("gold", "rates", deep=deep)
    trigger(world)
    baseline = world.control.rows()["PIPELINE#gold", f"MARKER#baseline#stream#{DATE}#0"]
    assert baseline["data"]["sensors"] == {"rates": {"sensorKey": "rates", "fields": {}}}


def test_a_record_from_before_the_observation_is_no_drift(world: World) -> None:
    before = world.write_sensor("gold", f"orders#{DATE}", count=1300, state="loading")
    world.write_sensor("gold", f"orders#{DATE}", count=1000, state="ready")
    world.advance(minutes=1)
    trigger(world)
    world.deliver(before)
    assert "DRY_RUN_COMPLETED" in world.bus.types
    assert "DRY_RUN_DRIFT" not in world.bus.types


def test_a_request_would_be_accepted_and_is_deleted(world: World) -> None:
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))
    assert world.bus.types == ["DRY_RUN_WOULD_RERUN"]


def test_a_request_on_an_excluded_date_would_be_rejected() -> None:
    world = dry(schedule={"exclude": {"dates": [DATE]}})
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))
    assert "excluded" in world.bus.the("DRY_RUN_RERUN_REJECTED").detail["rejectedBecause"]


def test_a_request_with_nothing_new_would_be_rejected(world: World) -> None:
    trigger(world, updatedAt=rfc3339(world.now))
    world.advance(minutes=1)
    world.log_job("gold", DATE, "success")
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))
    assert "no sensor was updated" in world.bus.the("DRY_RUN_RERUN_REJECTED").message


def test_a_failed_outside_job_would_be_retried_until_the_budget_is_spent(world: World) -> None:
    for _ in range(2):
        world.deliver(world.log_job("gold", DATE, "fail", category="TRANSIENT"))
        world.advance(minutes=5)
    assert world.bus.types == ["DRY_RUN_WOULD_RETRY", "DRY_RUN_RETRY_EXHAUSTED"]


def test_an_excluded_date_is_told_as_ever() -> None:
    world = dry(schedule={"exclude": {"dates": [DATE]}})
    trigger(world)
    assert world.bus.types == ["PIPELINE_EXCLUDED"]
