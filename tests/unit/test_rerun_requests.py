"""Requests for another run: what is checked, in which order, and what becomes of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.aws.tables import Write
from interlock_runtime.control import reruns, runs
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import millis, rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.calls import Killed
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return failed(gold())


def failed(document: dict[str, Any]) -> World:
    """A world in which the date's first run has failed for good, an hour ago."""
    world = World()
    world.pipeline(document)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world)
    world.advance(hours=1)
    return world


def end(world: World, status: Status = Status.FAILED_FINAL) -> None:
    reason = Reason.FAIL if status is Status.FAILED_FINAL else None
    runs.finish(world.ports, the_run(world), status=status, reason=reason, kind=None, now=world.now)


def the_run(world: World, date: str = DATE) -> Run:
    run = world.run("gold", date)
    assert run is not None
    return run


def ask(world: World, date: str = DATE, **attributes: Any) -> dict[str, Any]:
    record = world.request("gold", date, **{"requestedAt": rfc3339(world.now)} | attributes)
    assert world.deliver(record) == []
    world.advance(minutes=1)
    return record


def rejection(world: World) -> str:
    """Why the only rejected request was rejected, as event, log row and request row agree."""
    why: str = world.bus.the("RERUN_REJECTED").detail["rejectedBecause"]
    logged = [row for row in world.joblog.rows().values() if row["event"] == "rerun-rejected"]
    assert [row["error"] for row in logged] == [why]
    assert not waiting(world)
    return why


def waiting(world: World, date: str = DATE) -> bool:
    return ("PIPELINE#gold", f"RERUN_REQUEST#stream#{date}") in world.control.rows()


def test_an_accepted_request_starts_the_next_attempt(world: World) -> None:
    ask(world, reason="source was corrected", requestedBy="mara")
    run = the_run(world)
    assert (run.attempt, run.status, run.reason) == (1, "RUNNING", "source was corrected")
    assert run.execution_arn is not None
    event = world.bus.the("RERUN_ACCEPTED")
    assert (event.attempt, event.detail["reason"]) == (1, "source was corrected")
    assert [row["event"] for row in world.joblog.rows().values()] == ["rerun-accepted"]
    assert world.rerun.rows()["PIPELINE#gold", f"RERUN#stream#{DATE}#1"]["reason"] == "source was corrected"
    assert not waiting(world)


def test_a_request_without_a_reason_is_manual(world: World) -> None:
    ask(world)
    assert the_run(world).reason == "manual"


@pytest.mark.parametrize("reason", ["job-fail-retry", "sensor-after-trigger-exhausted", "", 7])
def test_a_request_cannot_borrow_a_reason_that_costs_it_nothing(world: World, reason: Any) -> None:
    ask(world, reason=reason)
    assert the_run(world).reason == "manual"


# The checks


def test_1_an_excluded_date_is_told_as_such(world: World) -> None:
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}, job={"maxManualReruns": 0}))
    ask(world)
    assert the_run(world).attempt == 0
    assert world.bus.types == ["PIPELINE_EXCLUDED"]
    assert [row["event"] for row in world.joblog.rows().values()] == ["rerun-rejected"]
    assert not waiting(world)


def test_2_a_spent_budget_rejects(world: World) -> None:
    ask(world)
    end(world)
    ask(world)
    assert "1 of maxManualReruns 1 used" in rejection(world)
    assert the_run(world).attempt == 1


def test_2_drift_and_late_data_share_a_budget_apart_from_all_other_reasons() -> None:
    world = failed(gold(job={"maxDriftReruns": 2, "maxManualReruns": 1}))
    for reason in ("data-drift", "manual", "late-data"):
        ask(world, reason=reason)
        end(world)
    assert the_run(world).attempt == 3
    ask(world, reason="data-drift")
    assert "2 of maxDriftReruns 2 used" in rejection(world)


def test_2_retries_and_free_reruns_count_against_no_budget_of_requests(world: World) -> None:
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    for reason in (Reason.JOB_FAIL_RETRY, Reason.SENSOR_AFTER_TRIGGER_EXHAUSTED):
        made = runs.again(world.ports, config, the_run(world), cause=f"x:{reason}", reason=reason, now=world.now)
        assert made.run is not None
        runs.launch(world.ports, made.run, now=world.now)
        end(world)
    ask(world)
    assert the_run(world).attempt == 3


def succeeded(world: World, **sensors: dict[str, Any]) -> None:
    """The date's job succeeded now; before that the sensors were written."""
    for key, fields in sensors.items():
        world.write_sensor("gold", key, **fields)
    world.log_job("gold", DATE, "success", attempt=0)
    world.advance(minutes=10)


def test_3_nothing_new_since_a_success_rejects(world: World) -> None:
    updated = world.now - timedelta(minutes=5)
    succeeded(world, orders=READY | {"updatedAt": rfc3339(updated)}, rates={"x": 1})
    ask(world)
    assert "no sensor was updated after that" in rejection(world)


@pytest.mark.parametrize(
    "spelled",
    [lambda at: rfc3339(at), lambda at: millis(at), lambda at: millis(at) // 1000, lambda at: str(millis(at))],
)
def test_3_a_sensor_updated_since_lets_the_request_through(world: World, spelled: Any) -> None:
    updated = spelled(world.now + timedelta(minutes=5))
    succeeded(world, orders=READY, rates={"updatedAt": updated})
    ask(world)
    assert the_run(world).attempt == 1


def test_3_the_sensor_of_the_date_counts_not_that_of_another(world: World) -> None:
    later = rfc3339(world.now + timedelta(minutes=5))
    before = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, **{"orders#2026-03-04": {"updatedAt": later}, f"orders#{DATE}": {"updatedAt": before}})
    ask(world)
    assert rejection(world)


def test_3_a_plain_sensor_that_says_itself_that_it_is_of_another_date_does_not_count(world: World) -> None:
    later = rfc3339(world.now + timedelta(minutes=5))
    before = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, orders=READY | {"updatedAt": before}, rates={"date": "2026-03-04", "updatedAt": later})
    ask(world)
    assert "no sensor was updated after that" in rejection(world)


def test_3_when_no_sensor_says_when_it_was_updated_the_request_passes(world: World) -> None:
    succeeded(world, orders=READY, rates={"updatedAt": "yesterday"})
    ask(world)
    assert the_run(world).attempt == 1


def test_3_the_last_outcome_is_the_latest_of_success_fail_and_timeout(world: World) -> None:
    old = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, orders=READY | {"updatedAt": old})
    world.log_job("gold", DATE, "timeout", attempt=0)
    world.advance(minutes=1)
    world.log_job("gold", DATE, "infra-trigger-failure", attempt=0)
    ask(world)
    assert the_run(world).attempt == 1


def test_3_drift_that_interlock_saw_needs_no_newer_update(world: World) -> None:
    old = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, orders=READY | {"updatedAt": old})
    ask(world, reason="data-drift", requestedBy="interlock")
    assert the_run(world).attempt == 1


def test_3_drift_that_somebody_else_asserts_does(world: World) -> None:
    old = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, orders=READY | {"updatedAt": old})
    ask(world, reason="data-drift", requestedBy="mara")
    assert "no sensor was updated after that" in rejection(world)


def test_4_a_run_in_progress_rejects(world: World) -> None:
    ask(world)
    ask(world, reason="late-data")
    assert rejection(world) == "run in progress"


def test_5_where_no_run_ever_was_the_request_is_a_start_and_spends_no_budget() -> None:
    world = World()
    world.pipeline(gold())
    ask(world, "2026-02-27")
    run = the_run(world, "2026-02-27")
    assert (run.attempt, run.reason) == (0, "manual")
    assert world.rerun.rows() == {}
    assert world.bus.the("RERUN_ACCEPTED").attempt == 0
    runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=Reason.FAIL, kind=None, now=world.now)
    ask(world, "2026-02-27")
    assert the_run(world, "2026-02-27").attempt == 1


def test_5_an_expired_date_is_started_on_request_after_its_deadline() -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "05:30", "dayOffset": 0}
    world = World()
    world.pipeline(gold(schedule={"trigger": trigger}))
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    runs.expire(world.ports, config, DATE, now=world.now)
    ask(world)
    assert (the_run(world).attempt, the_run(world).status) == (0, "RUNNING")


def test_5_a_start_on_request_counts_from_the_first_sensor_that_arrived() -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "05:30", "dayOffset": 0}
    world = World()
    world.pipeline(gold(schedule={"trigger": trigger}, sla={"maxDuration": "2h"}))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    arrived = world.now
    world.advance(minutes=30)
    ask(world)
    assert the_run(world).arrival == arrived


@pytest.mark.parametrize(
    ("change", "winner"),
    [
        ({"schedule": {"exclude": {"dates": [DATE]}}, "job": {"maxManualReruns": 0}}, "PIPELINE_EXCLUDED"),
        ({"job": {"maxManualReruns": 0}}, "budget is spent"),
        ({}, "no sensor was updated"),
    ],
)
def test_the_first_check_that_speaks_decides(change: dict[str, Any], winner: str) -> None:
    world = World()
    world.pipeline(gold())
    world.deliver(world.write_sensor("gold", "orders", **READY, updatedAt="2026-03-03T05:00:00Z"))
    world.advance(minutes=1)
    world.log_job("gold", DATE, "success", attempt=0)
    world.pipeline(gold(**change))
    assert the_run(world).is_running
    ask(world)
    assert winner in world.bus.types or winner in rejection(world)


# Requests that can mean no run


def test_a_request_for_an_unknown_pipeline_is_rejected_and_deleted() -> None:
    world = World()
    record = world.request("silver", DATE)
    assert world.deliver(record) == []
    assert "no pipeline 'silver'" in world.bus.the("RERUN_REJECTED").message
    assert ("PIPELINE#silver", f"RERUN_REQUEST#stream#{DATE}") not in world.control.rows()


def test_a_request_for_another_schedule_is_rejected(world: World) -> None:
    assert world.deliver(world.request("gold", DATE, schedule_id="cron")) == []
    assert "schedule 'stream'" in world.bus.the("RERUN_REJECTED").message


def test_a_request_for_what_is_no_date_is_rejected(world: World) -> None:
    assert world.deliver(world.request("gold", "yesterday")) == []
    assert "not an execution date" in world.bus.the("RERUN_REJECTED").message


def test_a_superfluous_hour_is_dropped(world: World) -> None:
    assert world.deliver(world.request("gold", f"{DATE}T10")) == []
    assert the_run(world).attempt == 1
    assert not waiting(world, f"{DATE}T10")


def test_a_request_for_a_pipeline_that_cannot_be_read_is_dropped_and_stays(world: World) -> None:
    world.control.write({"PK": "PIPELINE#gold", "SK": "CONFIG", "config": "{"})
    world.ports.configs.forget()
    record = world.request("gold", DATE)
    assert world.deliver(record) == []
    assert "dropped" in world.log.text("error")
    assert waiting(world)


# At least once


def test_the_same_request_again_is_accepted_once(world: World) -> None:
    record = ask(world)
    world.deliver(record)
    end(world)
    world.deliver(record)
    assert the_run(world).attempt == 1
    assert len(world.rerun.rows()) == 1


def test_a_request_is_the_same_by_time_person_and_reason_whoever_sees_it(world: World) -> None:
    at = rfc3339(world.now)
    first = world.request("gold", DATE, requestedAt=at, requestedBy="mara")
    world.control.delete(("PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}"))
    second = world.request("gold", DATE, requestedAt=at, requestedBy="mara")
    assert first["eventID"] != second["eventID"]
    world.deliver(first)
    end(world)
    world.deliver(second)
    assert the_run(world).attempt == 1
    assert "RERUN_REJECTED" not in world.bus.types


def test_requests_without_a_time_are_told_apart_by_their_records(world: World) -> None:
    world.pipeline(gold(job={"maxManualReruns": 5}))
    for attempt in (1, 2):
        world.deliver(world.request("gold", DATE))
        assert the_run(world).attempt == attempt
        end(world)


def test_an_accepted_request_is_not_accepted_again_after_a_retry_took_over(world: World) -> None:
    record = world.request("gold", DATE, requestedAt=rfc3339(world.now))
    world.calls.reset()
    world.calls.kill_after = 8
    with pytest.raises(Killed):
        world.deliver(record)
    world.calls.reset()
    assert the_run(world).attempt == 1
    world.deliver(record)
    world.advance(minutes=1)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=1))
    assert the_run(world).attempt == 2
    world.request("gold", DATE, requestedAt=record["dynamodb"]["NewImage"]["requestedAt"]["S"])
    world.deliver(record)
    assert the_run(world).attempt == 2
    assert "RERUN_REJECTED" not in world.bus.types
    assert not waiting(world)


def test_a_rejection_stands_when_the_request_is_handled_again_later(world: World) -> None:
    first = ask(world)
    record = world.request("gold", DATE, requestedAt=rfc3339(world.now), reason="late-data")
    world.calls.fail["events:PutEvents"] = TransientError("throttled")
    assert world.deliver(record) != []
    world.calls.reset()
    end(world)
    assert world.deliver(record) == []
    assert rejection(world) == "run in progress"
    assert the_run(world).attempt == 1
    assert first != record


@pytest.mark.parametrize("requested_at", [None, b"x", "soon", 5, True, ["x"]])
def test_a_request_is_deleted_whatever_its_time_is(world: World, requested_at: Any) -> None:
    record = world.request("gold", DATE, requestedAt=requested_at)
    assert world.deliver(json.loads(json.dumps(record, default=lambda _: "eA=="))) == []
    assert ("PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}") not in world.control.rows()


def test_a_newer_request_is_not_deleted_with_the_older_one(world: World) -> None:
    older = world.request("gold", DATE, requestedAt=rfc3339(world.now))
    newer = world.request("gold", DATE, requestedAt=rfc3339(world.now + timedelta(seconds=5)))
    world.deliver(older)
    assert waiting(world)
    world.deliver(newer)
    assert not waiting(world)
    assert the_run(world).attempt == 1


def late_data_replaced_by_drift(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """The records of a request for late data, and of the one for drift that took its place in the same moment."""
    own = {"requestedAt": rfc3339(world.now), "requestedBy": "interlock"}
    late = world.request("gold", DATE, reason="late-data", cause="record:1", **own)
    return late, world.request("gold", DATE, reason="data-drift", cause="drift:0:orders:5", **own)


@pytest.mark.parametrize("order", ["as they were written", "the first one failed, and came again"])
def test_a_request_whose_place_drift_has_taken_is_decided_with_that_one(world: World, order: str) -> None:
    late, drift = late_data_replaced_by_drift(world)
    if order.startswith("as"):
        world.deliver(late)
        assert (the_run(world).attempt, waiting(world)) == (0, True)
        world.deliver(drift)
    else:
        world.deliver(drift, late)
    assert (the_run(world).attempt, the_run(world).reason) == (1, "data-drift")
    assert world.bus.types == ["RERUN_ACCEPTED"]
    assert not waiting(world)


def test_late_data_that_was_decided_about_stays_so_when_drift_is_asked_for(world: World) -> None:
    old = rfc3339(world.now - timedelta(minutes=5))
    succeeded(world, orders=READY | {"updatedAt": old})
    own = {"requestedBy": "interlock", "reason": "late-data", "cause": "record:1"}
    late = ask(world, **own)
    assert "no sensor was updated" in rejection(world)
    ask(world, requestedBy="interlock", reason="data-drift", cause="drift:0:orders:5")
    assert the_run(world).attempt == 1
    world.deliver(late)
    assert rejection(world)
    assert the_run(world).attempt == 1


def asked_by_interlock(world: World, reason: Reason = Reason.LATE_DATA) -> None:
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    reruns.ask(world.ports, config.pipeline, DATE, reason=reason, cause="record:1", now=world.now)


@pytest.mark.parametrize("attributes", [{}, {"requestedAt": "2026-03-03T07:00:00Z"}], ids=str)
def test_a_request_that_interlock_meets_is_found_by_the_watchdog_though_its_record_was_lost(
    world: World, attributes: dict[str, Any]
) -> None:
    world.request("gold", DATE, reason="corrected", **attributes)
    asked_by_interlock(world)
    noticed = world.control.stream[-1]
    world.deliver(noticed)
    world.advance(minutes=9)
    world.watchdog()
    assert the_run(world).attempt == 0
    world.advance(minutes=2)
    world.watchdog()
    assert (the_run(world).attempt, the_run(world).reason) == (1, "corrected")
    assert not waiting(world)


def test_a_request_that_interlock_meets_is_decided_once_by_its_own_record(world: World) -> None:
    world.pipeline(gold(job={"maxManualReruns": 5}))
    own = world.request("gold", DATE)
    asked_by_interlock(world)
    noticed = world.control.stream[-1]
    assert noticed != own
    world.deliver(own, noticed)
    assert (the_run(world).attempt, waiting(world)) == (1, False)
    end(world)
    world.deliver(noticed)
    assert the_run(world).attempt == 1
    assert "RERUN_REJECTED" not in world.bus.types


@pytest.mark.parametrize("attributes", [{}, {"requestedBy": "interlock", "cause": "record:2"}], ids=str)
def test_a_request_that_was_decided_while_interlock_asked_keeps_nobody_from_asking(
    world: World, monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any]
) -> None:
    world.request("gold", DATE, reason="late-data", requestedAt="2026-03-03T06:50:00Z", **attributes)
    key, put = ("PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}"), world.control.put

    def decided_meanwhile(row: Mapping[str, Any], *, expect: Mapping[str, Any] | None = None) -> Write:
        write = put(row, expect=expect)
        world.control.delete(key)
        monkeypatch.undo()
        return Write(write.done, write.row if attributes else None)

    monkeypatch.setattr(world.control, "put", decided_meanwhile)
    asked_by_interlock(world, Reason.DATA_DRIFT)
    assert world.control.rows()[key]["reason"] == "data-drift"


def test_of_two_requests_at_once_exactly_one_is_accepted(world: World) -> None:
    world.pipeline(gold(job={"maxManualReruns": 5}))
    one = world.request("gold", DATE, requestedAt=rfc3339(world.now), requestedBy="mara")
    other = world.request("gold", DATE, requestedAt=rfc3339(world.now), requestedBy="igor")
    world.deliver(one, other)
    assert the_run(world).attempt == 1
    assert len([key for key in world.bus.keys if key.startswith("RERUN_ACCEPTED")]) == 1
    assert rejection(world) == "run in progress"
