"""What is watched after a run: drift in flight and afterwards, and the rules."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World

AUDIT = {
    "rules": [{"key": "audit", "check": "gte", "field": "count", "value": 900}],
    "driftField": "count",
    "driftThreshold": 10,
}


@pytest.fixture
def world() -> World:
    return evaluated(gold(postRun=AUDIT), audit={"count": 1000, "date": DATE})


def evaluated(document: dict[str, Any], **sensors: dict[str, Any]) -> World:
    """A world in which the date's rules have passed and its baseline is taken."""
    world = World()
    world.pipeline(document)
    for key, fields in {"rates": {"x": 1}, **sensors}.items():
        world.write_sensor("gold", key, **fields)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    answer = world.task(
        "evaluate",
        the_run(world),
        executionStartTime=rfc3339(world.now),
        config={"evaluationWindowSeconds": 3600},
    )
    assert answer["status"] == "passed"
    world.advance(minutes=5)
    world.bus.events.clear()
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def complete(world: World, status: Status = Status.COMPLETED) -> None:
    kind = Kind.POSTRUN if status is Status.COMPLETED else None
    made = runs.finish(world.ports, the_run(world), status=status, reason=Reason.FAIL, kind=kind, now=world.now)
    assert made.made
    world.advance(minutes=5)


def audit(world: World, key: str = "audit", /, **fields: Any) -> dict[str, Any]:
    record = world.write_sensor("gold", key, **{"date": DATE} | fields)
    assert world.deliver(record) == []
    return record


def request_reason(world: World) -> str | None:
    row = world.control.rows().get(("PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}"))
    return None if row is None else row["reason"]


def test_drift_during_the_run_is_told_without_a_rerun(world: World) -> None:
    audit(world, count=1500)
    event = world.bus.the("POST_RUN_DRIFT_INFLIGHT")
    assert event.detail == {
        "field": "count",
        "previous": 1000,
        "current": 1500,
        "delta": 500,
        "threshold": 10,
        "sensorKey": "audit",
    }
    assert request_reason(world) is None


def test_drift_after_completion_requests_a_rerun(world: World) -> None:
    complete(world)
    audit(world, count=980)
    event = world.bus.the("POST_RUN_DRIFT")
    assert (event.detail["delta"], event.attempt) == (-20, 0)
    assert request_reason(world) == "data-drift"


def test_drift_on_an_excluded_date_is_told_without_a_rerun(world: World) -> None:
    complete(world)
    world.pipeline(gold(postRun=AUDIT, schedule={"exclude": {"dates": [DATE]}}))
    audit(world, count=980)
    assert world.bus.the("POST_RUN_DRIFT")
    assert request_reason(world) is None


def test_the_same_drift_again_is_the_same_event(world: World) -> None:
    complete(world)
    record = audit(world, count=980)
    world.deliver(record)
    audit(world, count=980, seen="twice")
    assert world.bus.the("POST_RUN_DRIFT")
    audit(world, count=970)
    assert len(world.bus.keys) == 2


def test_a_difference_within_the_threshold_is_no_drift(world: World) -> None:
    complete(world)
    audit(world, count=990)
    assert world.bus.types == ["POST_RUN_PASSED"]


def test_zero_is_a_number() -> None:
    world = evaluated(gold(postRun=AUDIT), audit={"count": 0, "date": DATE})
    complete(world)
    audit(world, count=1000)
    assert world.bus.the("POST_RUN_DRIFT").detail["previous"] == 0


@pytest.mark.parametrize("count", [None, "many"])
def test_what_is_no_number_is_no_drift_and_the_rules_say_so(world: World, count: Any) -> None:
    complete(world)
    audit(world, count=count)
    assert world.bus.types == ["POST_RUN_FAILED"]


def test_rules_that_do_not_hold_are_told_with_their_reasons(world: World) -> None:
    world.pipeline(gold(postRun=AUDIT | {"driftThreshold": 500}))
    complete(world)
    audit(world, count=899)
    event = world.bus.the("POST_RUN_FAILED")
    assert "count is 899, but must be at least 900" in event.message
    assert event.detail["rules"][0]["passed"] is False


def test_every_post_run_rule_is_evaluated_whichever_sensor_came() -> None:
    rules = [*AUDIT["rules"], {"key": "quality", "check": "exists"}]
    world = evaluated(gold(postRun=AUDIT | {"rules": rules}), audit={"count": 1000})
    complete(world)
    audit(world, count=1000)
    assert "sensor quality is missing" in world.bus.the("POST_RUN_FAILED").message


def test_without_a_baseline_for_the_key_the_rules_are_evaluated() -> None:
    world = evaluated(gold(postRun=AUDIT))
    complete(world)
    audit(world, count=5000)
    assert world.bus.types == ["POST_RUN_PASSED"]


def test_a_per_period_sensor_is_compared_with_the_baseline_of_its_rule_key() -> None:
    world = evaluated(gold(postRun=AUDIT), **{f"audit#{DATE}": {"count": 1000}})
    complete(world)
    world.deliver(world.write_sensor("gold", f"audit#{DATE}", count=2000))
    assert world.bus.the("POST_RUN_DRIFT").detail["sensorKey"] == f"audit#{DATE}"


@pytest.mark.parametrize("key", [f"audit#{DATE}T10", "audit#eu"])
def test_a_sensor_that_no_rule_reads_is_no_drift_though_it_belongs_to_a_rule_key(world: World, key: str) -> None:
    complete(world)
    audit(world, key, count=40)
    assert world.bus.types == ["POST_RUN_PASSED"]
    assert request_reason(world) is None


def test_the_other_spelling_of_the_date_is_compared_with_the_same_baseline(world: World) -> None:
    complete(world)
    audit(world, "audit#20260303", count=40)
    assert world.bus.the("POST_RUN_DRIFT").detail["sensorKey"] == "audit#20260303"


def test_a_post_run_sensor_after_completion_settles_the_row(world: World) -> None:
    complete(world)
    assert the_run(world).kind == Kind.POSTRUN
    audit(world, count=1000, checked="again")
    assert the_run(world).kind is None


def test_a_sensor_during_the_run_that_did_not_drift_says_nothing(world: World) -> None:
    audit(world, count=1001)
    assert world.bus.events == []


def test_a_record_handled_after_completion_means_what_it_meant_when_it_was_written(world: World) -> None:
    record = audit(world, count=1500)
    world.advance(minutes=1)
    complete(world)
    world.deliver(record)
    assert set(world.bus.types) == {"POST_RUN_DRIFT_INFLIGHT"}
    assert the_run(world).kind == Kind.POSTRUN


def test_a_record_from_before_the_baseline_is_no_drift_when_it_is_handled_again() -> None:
    world = World()
    world.pipeline(gold())
    world.write_sensor("gold", "rates", x=1)
    first = world.write_sensor("gold", "orders", **READY)
    world.deliver(first)
    world.advance(seconds=30)
    world.write_sensor("gold", "orders", **READY | {"count": 1200})
    world.advance(seconds=30)
    run = the_run(world)
    window = {"evaluationWindowSeconds": 3600}
    world.task("evaluate", run, executionStartTime=rfc3339(run.started_at), config=window)
    told = world.bus.keys
    world.deliver(first)
    assert world.bus.keys == told


def test_ages_are_those_at_the_write_whenever_the_record_is_handled() -> None:
    fresh = {"rules": [{"key": "audit", "check": "age_lt", "field": "updatedAt", "value": "10m"}]}
    world = evaluated(gold(postRun=fresh), audit={"date": DATE})
    complete(world)
    record = world.write_sensor("gold", "audit", date=DATE, updatedAt=rfc3339(world.now))
    world.advance(hours=1)
    world.deliver(record)
    assert world.bus.types == ["POST_RUN_PASSED"]


def test_a_failed_run_is_not_watched(world: World) -> None:
    complete(world, Status.FAILED_FINAL)
    audit(world, count=5)
    assert world.bus.events == []


def test_a_date_without_a_run_is_not_watched(world: World) -> None:
    audit(world, count=5, date="2026-02-01")
    assert world.bus.events == []


def test_the_baseline_of_a_rerun_is_its_own(world: World) -> None:
    complete(world)
    audit(world, count=2000)
    world.pump()
    assert the_run(world).attempt == 1
    world.task(
        "evaluate",
        the_run(world),
        executionStartTime=rfc3339(world.now),
        config={"evaluationWindowSeconds": 3600},
    )
    complete(world)
    world.bus.events.clear()
    audit(world, count=2001)
    assert world.bus.types == ["POST_RUN_PASSED"]


def test_one_sensor_may_serve_both_purposes() -> None:
    world = evaluated(gold())
    complete(world)
    world.deliver(world.write_sensor("gold", "orders", **READY | {"count": 2000}))
    assert sorted(set(world.bus.types)) == ["LATE_DATA_ARRIVAL", "POST_RUN_DRIFT"]
    assert request_reason(world) == "data-drift"


def test_drift_of_the_triggers_own_sensor_gets_its_rerun_though_no_sensor_says_that_it_is_newer() -> None:
    world = evaluated(gold(), rates={"x": 1, "updatedAt": "2026-03-03T05:00:00Z"})
    world.log_job("gold", DATE, "success", attempt=0)
    complete(world)
    world.pump()
    world.deliver(world.write_sensor("gold", "orders", **READY | {"count": 2000}))
    world.pump()
    assert (the_run(world).attempt, the_run(world).reason) == (1, "data-drift")
    assert world.bus.the("RERUN_ACCEPTED").detail["reason"] == "data-drift"
    assert "RERUN_REJECTED" not in world.bus.types
    assert request_reason(world) is None


def test_drift_does_not_take_the_place_of_anybody_elses_request() -> None:
    world = evaluated(gold())
    complete(world)
    world.request("gold", DATE, reason="late-data", requestedBy="mara")
    world.deliver(world.write_sensor("gold", f"orders#{DATE}", count=2000, state="loading"))
    assert world.bus.the("POST_RUN_DRIFT")
    assert request_reason(world) == "late-data"
