"""What starts a run by itself, and what the row that stands there already means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.control.ports import Metric
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import START, World


@pytest.fixture
def world() -> World:
    world = World()
    world.pipeline(gold())
    return world


def the_run(world: World, date: str = DATE) -> Run:
    run = world.run("gold", date)
    assert run is not None
    return run


def end(world: World, status: Status = Status.FAILED_FINAL, reason: Reason | None = None) -> None:
    made = runs.finish(world.ports, the_run(world), status=status, reason=reason, kind=None, now=world.now)
    assert made.made


def tick(world: World, at: datetime, *, pipeline: str = "gold", mode: str = "cron") -> None:
    event = {"mode": mode, "pipelineId": pipeline, "scheduledAt": at.isoformat().replace("+00:00", "Z")}
    assert stream_router.handle(event, world.ports, clock=world.clock) == {}


# Sensors


def test_a_sensor_that_meets_the_trigger_condition_starts_the_run(world: World) -> None:
    record = world.write_sensor("gold", "orders", **READY)
    assert world.deliver(record) == []
    run = the_run(world)
    assert (run.attempt, run.status, run.cause) == (0, Status.RUNNING, f"record:{record['eventID']}")
    assert run.execution_arn == world.executions.arn(run.execution_name)
    assert json.loads(world.executions.inputs[run.execution_name])["sensorArrivalAt"] == "2026-03-03T06:00:00.000Z"
    assert world.metrics.counts[Metric.RUNS_STARTED] == 1


def test_a_sensor_that_does_not_meet_it_starts_nothing(world: World) -> None:
    assert world.deliver(world.write_sensor("gold", "orders", state="loading")) == []
    assert world.run("gold", DATE) is None
    assert world.bus.events == []


def test_a_sensor_whose_fields_are_at_top_level_is_read_as_well(world: World) -> None:
    row = {"PK": "PIPELINE#gold", "SK": "SENSOR#orders", "state": "ready", "date": DATE}
    assert world.deliver(world.write(world.control, row)) == []
    assert the_run(world).attempt == 0


def test_a_per_period_key_starts_the_run_of_its_period(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders#20260301", state="ready"))
    assert the_run(world, "2026-03-01").attempt == 0


def test_a_key_with_the_same_beginning_is_another_sensor(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders-eu", **READY))
    assert world.run("gold", DATE) is None


def test_without_a_date_the_time_of_the_write_counts_never_that_of_processing(world: World) -> None:
    world.now = datetime(2026, 3, 3, 23, 59, 59, tzinfo=UTC)
    record = world.write_sensor("gold", "orders", state="ready")
    world.advance(hours=5)
    world.deliver(record)
    assert the_run(world).date == DATE
    assert world.run("gold", "2026-03-04") is None


def test_an_invalid_date_is_ignored_and_logged(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", state="ready", date="2026-02-30"))
    assert the_run(world).date == DATE
    assert "2026-02-30" in world.log.text("warning")


def test_a_broken_sensor_is_not_taken_for_one_that_is_not_there_yet(world: World) -> None:
    row = {"PK": "PIPELINE#gold", "SK": "SENSOR#orders", "data": "ready"}
    world.deliver(world.write(world.control, row))
    assert world.run("gold", DATE) is None
    assert "broken sensor" in world.log.text("warning")


def test_the_first_passing_sensor_of_a_date_is_its_arrival(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=10)
    world.deliver(world.write_sensor("gold", "orders", **READY, extra=1))
    marker = world.control.rows()["PIPELINE#gold", f"MARKER#arrival#{DATE}"]
    assert marker["data"] == {"arrivedAt": "2026-03-03T06:00:00.000Z", "sensorKey": "orders"}
    assert "interlockKind" not in marker


def test_the_arrival_stands_on_the_index_while_a_relative_sla_is_open(world: World) -> None:
    world.pipeline(gold(sla={"maxDuration": "2h"}))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert [row["SK"] for row in world.control.of_kind(Kind.ARRIVAL)] == [f"MARKER#arrival#{DATE}"]


def test_the_config_is_remembered_for_half_a_minute(world: World) -> None:
    world.deliver(world.write_sensor("gold", "other", x=1))
    world.calls.reset()
    world.advance(seconds=29)
    world.deliver(world.write_sensor("gold", "other", x=2))
    assert world.calls.made == []
    world.advance(seconds=2)
    world.deliver(world.write_sensor("gold", "other", x=3))
    assert world.calls.made == ["dynamodb:GetItem"]


def test_the_absence_of_a_config_is_believed_for_five_seconds(world: World) -> None:
    world.deliver(world.write_sensor("silver", "orders", **READY))
    world.deliver(world.write_sensor("silver", "orders", **READY, again=1))
    assert world.calls.made == ["dynamodb:GetItem"]
    world.advance(seconds=6)
    world.deliver(world.write_sensor("silver", "orders", **READY, again=2))
    assert world.calls.made == ["dynamodb:GetItem"] * 2


# Exclusion and the trigger deadline


def test_an_excluded_date_is_told_once_and_not_started(world: World) -> None:
    world.pipeline(gold(schedule={"exclude": {"days": ["tuesday"]}}))
    for number in range(3):
        world.deliver(world.write_sensor("gold", "orders", **READY, number=number))
    assert world.run("gold", DATE) is None
    assert world.bus.types == ["PIPELINE_EXCLUDED"]
    assert "Tuesday" in world.bus.the("PIPELINE_EXCLUDED").message
    marker = world.control.rows()["PIPELINE#gold", f"MARKER#alert#PIPELINE_EXCLUDED#stream#{DATE}"]
    assert marker["ttl"] == epoch_seconds(START + timedelta(days=30))


def test_exclusion_looks_at_the_execution_date_not_at_today(world: World) -> None:
    world.pipeline(gold(schedule={"exclude": {"days": ["tuesday"]}}))
    world.deliver(world.write_sensor("gold", "orders", state="ready", date="2026-03-02"))
    assert the_run(world, "2026-03-02").attempt == 0


def test_an_automatic_start_after_the_trigger_deadline_is_refused(world: World) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "05:30", "dayOffset": 0}
    world.pipeline(gold(schedule={"trigger": trigger}))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert world.run("gold", DATE) is None
    assert "deadline has passed" in world.log.text("info")


def test_a_sensor_written_in_time_starts_even_when_it_is_handled_later(world: World) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "06:30", "dayOffset": 0}
    world.pipeline(gold(schedule={"trigger": trigger}))
    record = world.write_sensor("gold", "orders", **READY)
    world.advance(hours=1)
    world.deliver(record)
    assert the_run(world).attempt == 0


def due_by(deadline: str, **schedule: Any) -> dict[str, Any]:
    """``gold``, which nothing may start after a time on the date itself."""
    trigger = gold()["schedule"]["trigger"] | {"deadline": deadline, "dayOffset": 0}
    return gold(schedule={"trigger": trigger} | schedule)


def test_a_sensor_written_at_the_very_deadline_is_in_time(world: World) -> None:
    world.pipeline(due_by("06:00"))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert the_run(world).attempt == 0


@pytest.mark.parametrize(("minutes", "starts"), [(30, True), (31, False)])
def test_a_tick_that_is_delivered_after_the_trigger_deadline_is_refused(
    world: World, minutes: int, *, starts: bool
) -> None:
    world.pipeline(due_by("06:30", cron="0 6 * * *"))
    world.advance(minutes=minutes)
    tick(world, START)
    assert (world.run("gold", DATE, schedule_id="cron") is not None) is starts
    assert ("deadline has passed" in world.log.text("info")) is not starts


def test_a_tick_that_comes_again_after_the_deadline_resumes_its_start(world: World) -> None:
    world.pipeline(due_by("06:30", cron="0 6 * * *"))
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    with pytest.raises(TransientError):
        tick(world, START)
    world.calls.reset()
    world.advance(hours=1)
    tick(world, START)
    run = world.run("gold", DATE, schedule_id="cron")
    assert run is not None
    assert run.is_launched


def test_the_trigger_condition_is_judged_at_the_time_of_the_write(world: World) -> None:
    trigger = {"key": "orders", "check": "age_lt", "field": "loadedAt", "value": "10m"}
    world.pipeline(gold(schedule={"trigger": trigger}))
    in_time = world.write_sensor("gold", "orders", date=DATE, loadedAt=rfc3339(world.now - timedelta(minutes=9)))
    old = world.write_sensor("gold", "orders", date="2026-03-02", loadedAt=rfc3339(world.now - timedelta(minutes=10)))
    world.advance(hours=1)
    world.deliver(in_time, old)
    assert the_run(world).attempt == 0
    assert world.run("gold", "2026-03-02") is None


# What a row that stands there means


def test_the_same_record_again_does_nothing(world: World) -> None:
    record = world.write_sensor("gold", "orders", **READY)
    world.deliver(record, record)
    world.deliver(record)
    assert len(world.executions.inputs) == 1
    world.advance(minutes=1)
    end(world, Status.COMPLETED)
    world.advance(hours=1)
    world.deliver(record)
    assert world.bus.events == []


def test_any_later_sensor_resumes_a_start_that_failed(world: World) -> None:
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    record = world.write_sensor("gold", "orders", **READY)
    assert world.deliver(record) == [record["dynamodb"]["SequenceNumber"]]
    assert the_run(world).execution_arn is None
    stored = the_run(world).input
    world.calls.reset()
    world.advance(minutes=1)
    world.pipeline(gold(schedule={"evaluation": {"window": "2h", "interval": "5m"}}))
    world.deliver(world.write_sensor("gold", "orders", **READY, more=1))
    run = the_run(world)
    assert run.execution_arn is not None
    assert world.executions.inputs == {run.execution_name: stored}


def test_another_sensor_of_a_running_date_starts_nothing(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1)
    world.deliver(world.write_sensor("gold", "orders", **READY, more=1))
    assert len(world.executions.inputs) == 1
    assert "LATE_DATA_ARRIVAL" not in world.bus.types


def late(world: World, **fields: Any) -> dict[str, Any]:
    world.advance(hours=1)
    record = world.write_sensor("gold", "orders", **READY, **fields)
    world.deliver(record)
    return record


def test_data_written_after_completion_is_late_and_requests_a_rerun(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, Status.COMPLETED)
    record = late(world, rows=7)
    event = world.bus.the("LATE_DATA_ARRIVAL")
    assert (event.attempt, event.cause) == (0, f"record:{record['eventID']}")
    request = world.control.rows()["PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}"]
    assert (request["reason"], request["requestedBy"], request["interlockKind"]) == (
        "late-data",
        "interlock",
        "REQUEST",
    )
    assert [row["event"] for row in world.joblog.rows().values()] == ["late-data-arrival"]


def test_late_data_is_told_once_per_record(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, Status.COMPLETED)
    record = late(world, rows=7)
    world.deliver(record)
    assert len(world.bus.keys) == len([key for key in world.bus.keys if key.startswith(("LATE", "POST"))])
    assert len([key for key in world.bus.keys if key.startswith("LATE_DATA_ARRIVAL")]) == 1
    assert len(world.joblog.rows()) == 1
    world.advance(minutes=1)
    world.deliver(world.write_sensor("gold", "orders", **READY, rows=8))
    assert len([key for key in world.bus.keys if key.startswith("LATE_DATA_ARRIVAL")]) == 2


def test_data_written_before_completion_is_not_late_whenever_it_is_handled(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1)
    record = world.write_sensor("gold", "orders", **READY, rows=7)
    world.advance(minutes=1)
    end(world, Status.COMPLETED)
    world.advance(minutes=1)
    world.deliver(record)
    assert "LATE_DATA_ARRIVAL" not in world.bus.types


def test_data_written_in_the_second_of_the_completion_is_late(world: World) -> None:
    """Stream records tell whole seconds, so what was written just after looks as if it had come before."""
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1, milliseconds=200)
    end(world, Status.COMPLETED)
    world.advance(milliseconds=500)
    world.deliver(world.write_sensor("gold", "orders", **READY, rows=7))
    assert world.bus.the("LATE_DATA_ARRIVAL")


def test_a_sensor_after_an_exhausted_trigger_starts_the_next_attempt_and_costs_no_budget(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, reason=Reason.TRIGGER_EXHAUSTED)
    record = late(world, rows=7)
    run = the_run(world)
    assert (run.attempt, run.cause) == (1, f"record:{record['eventID']}")
    assert run.execution_arn is not None
    rerun = world.rerun.rows()["PIPELINE#gold", f"RERUN#stream#{DATE}#1"]
    assert rerun["reason"] == "sensor-after-trigger-exhausted"
    world.deliver(record)
    assert the_run(world).attempt == 1


def test_a_sensor_after_the_trigger_deadline_starts_no_next_attempt(world: World) -> None:
    world.pipeline(due_by("06:30"))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, reason=Reason.TRIGGER_EXHAUSTED)
    late(world, rows=7)
    assert the_run(world).attempt == 0
    assert "deadline has passed" in world.log.text("info")


def test_a_sensor_after_an_exhausted_validation_is_told_once_with_what_to_do(world: World) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, reason=Reason.VALIDATION_EXHAUSTED)
    late(world, rows=7)
    late(world, rows=8)
    assert the_run(world).attempt == 0
    assert "rerun request" in world.bus.the("LATE_DATA_ARRIVAL").detail["actionHint"]
    assert ("PIPELINE#gold", f"RERUN_REQUEST#stream#{DATE}") not in world.control.rows()


@pytest.mark.parametrize("reason", [Reason.FAIL, Reason.INFRA_FAILURE, Reason.SFN_TIMEOUT, Reason.JOB_POLL_EXHAUSTED])
def test_a_sensor_after_any_other_failure_does_nothing(world: World, reason: Reason) -> None:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    end(world, reason=reason)
    late(world, rows=7)
    assert the_run(world).attempt == 0
    assert world.bus.events == []


def test_a_sensor_does_not_start_an_expired_date(world: World) -> None:
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    runs.expire(world.ports, config, DATE, now=world.now - timedelta(minutes=1))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert the_run(world).attempt == -1
    assert world.executions.inputs == {}


# Ticks


def cron_only(**schedule: Any) -> dict[str, Any]:
    document = gold()
    document["schedule"] = {"cron": "0 6 * * *", "timezone": "Europe/Berlin"} | schedule
    return document


def test_a_tick_starts_the_run_of_the_date_it_fired_for_in_the_pipelines_zone(world: World) -> None:
    world.pipeline(cron_only(cron="30 0 * * *"))
    tick(world, datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    run = world.run("gold", "2026-03-03", schedule_id="cron")
    assert run is not None
    assert run.cause == "tick:2026-03-02T23:30:00.000Z"
    assert json.loads(run.input)["sensorArrivalAt"] is None


def test_a_tick_that_comes_twice_starts_once(world: World) -> None:
    world.pipeline(cron_only())
    for _ in range(2):
        tick(world, datetime(2026, 3, 3, 5, 0, tzinfo=UTC))
        world.advance(minutes=1)
    assert len(world.executions.inputs) == 1


def test_a_tick_that_outlived_its_cron_starts_nothing(world: World) -> None:
    tick(world, START)
    assert world.executions.inputs == {}
    assert "no cron any more" in world.log.text("warning")


def test_a_tick_on_an_excluded_date_is_told_once(world: World) -> None:
    world.pipeline(cron_only(exclude={"dates": ["2026-03-03"]}))
    tick(world, START)
    tick(world, START)
    assert world.bus.types == ["PIPELINE_EXCLUDED"]


def test_an_include_tick_starts_on_a_listed_date_only(world: World) -> None:
    document = gold()
    document["schedule"] = {"include": {"dates": ["2026-03-03"]}, "time": "06:00"}
    world.pipeline(document)
    tick(world, START, mode="include")
    tick(world, START + timedelta(days=1), mode="include")
    assert world.run("gold", "2026-03-03") is not None
    assert world.run("gold", "2026-03-04") is None


def test_with_a_trigger_condition_as_well_whichever_comes_first_starts_the_run(world: World) -> None:
    world.pipeline(gold(schedule={"cron": "0 6 * * *"}))
    tick(world, START)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    run = world.run("gold", DATE, schedule_id="cron")
    assert run is not None
    assert run.cause == "tick:2026-03-03T06:00:00.000Z"
    assert len(world.executions.inputs) == 1


def test_a_tick_after_the_arrival_carries_it_to_a_relative_sla(world: World) -> None:
    world.pipeline(gold(schedule={"cron": "0 6 * * *"}, sla={"maxDuration": "2h"}))
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    world.deliver(world.write_sensor("gold", "orders", state="ready", date="2026-03-04"))
    world.calls.reset()
    world.control.delete(("PIPELINE#gold", "TRIGGER#cron#2026-03-04"))
    tick(world, START + timedelta(days=1))
    run = world.run("gold", "2026-03-04", schedule_id="cron")
    assert run is not None
    assert json.loads(run.input)["sensorArrivalAt"] == "2026-03-03T06:00:00.000Z"


def test_a_tick_for_an_unknown_pipeline_is_logged(world: World) -> None:
    tick(world, START, pipeline="silver")
    assert "silver" in world.log.text("error")


@pytest.mark.parametrize(
    "change", [{"pipelineId": None}, {"pipelineId": ""}, {"scheduledAt": "soon"}, {"scheduledAt": None}]
)
def test_a_tick_without_pipeline_or_time_is_an_error(world: World, change: dict[str, Any]) -> None:
    event = {"mode": "cron", "pipelineId": "gold", "scheduledAt": "2026-03-03T06:00:00Z"} | change
    with pytest.raises(PermanentError, match="a tick needs"):
        stream_router.handle(event, world.ports, clock=world.clock)
