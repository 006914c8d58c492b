"""A schedule that is changed says nothing about the past: no date is started for it, and none is missed."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core import rows
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.handlers import stream_router
from tests.fakes.crashes import REPLAYS, Replay, Step, handle_twice, kill_and_replay
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.passes import pass_at, utc, watched_since
from tests.fakes.world import World

NIGHTLY = {"cron": "0 9 * * *"}


def changed_at(world: World, at: str, **sections: Any) -> None:
    """The document is changed; the pass at this time is the first to see it."""
    world.pipeline(gold(**sections))
    pass_at(world, at)


def lost(world: World, at: str, key: str = "orders", **fields: Any) -> None:
    """A sensor is written whose stream record is lost."""
    world.now = utc(at)
    world.write_sensor("gold", key, **{**READY, "updatedAt": rfc3339(world.now)} | fields)


# Check 4, reconciliation


@pytest.mark.parametrize("before", [{"dryRun": True}, {"schedule": {"timezone": "Europe/Paris"}}])
def test_what_was_written_before_the_change_starts_nothing(before: dict[str, Any]) -> None:
    world = watched_since("2026-03-03 05:00", **before)
    lost(world, "2026-03-03 06:00")
    changed_at(world, "2026-03-03 06:00")
    assert pass_at(world, "2026-03-03 06:05") == []
    assert world.executions.inputs == {}


def test_what_was_written_after_the_change_is_made_good() -> None:
    world = watched_since("2026-03-03 05:00", dryRun=True)
    changed_at(world, "2026-03-03 06:00")
    lost(world, "2026-03-03 06:01")
    assert pass_at(world, "2026-03-03 06:05") == [f"TRIGGER_RECOVERED {DATE}"]


def test_a_change_is_remembered_for_as_long_as_its_dates_are_looked_at() -> None:
    world = watched_since("2026-03-03 05:00", dryRun=True)
    lost(world, "2026-03-03 06:00")
    changed_at(world, "2026-03-03 06:10")
    for at in ("2026-03-03 06:15", "2026-03-03 23:55", "2026-03-04 00:05", "2026-03-04 23:55"):
        assert pass_at(world, at) == []
    assert world.executions.inputs == {}


def test_a_sensor_that_does_not_say_when_it_was_written_is_as_old_as_its_date() -> None:
    world = watched_since("2026-03-03 05:00", dryRun=True)
    changed_at(world, "2026-03-03 06:00")
    world.write_sensor("gold", "orders", **READY)
    assert pass_at(world, "2026-03-03 06:05") == []
    world.write_sensor("gold", "orders", **READY | {"date": "2026-03-04"})
    assert pass_at(world, "2026-03-04 06:05") == ["TRIGGER_RECOVERED 2026-03-04"]


def test_a_change_of_what_is_no_schedule_changes_nothing() -> None:
    world = watched_since("2026-03-03 05:00")
    lost(world, "2026-03-03 06:00")
    world.pipeline(gold(job={"maxRetries": 3}))
    assert pass_at(world, "2026-03-03 06:05") == [f"TRIGGER_RECOVERED {DATE}"]


def test_a_pipeline_that_nobody_has_known_is_reconciled_at_once() -> None:
    world = World(utc("2026-03-03 05:00"))
    world.pipeline(gold())
    lost(world, "2026-03-03 06:00")
    assert pass_at(world, "2026-03-03 06:05") == [f"TRIGGER_RECOVERED {DATE}"]


@pytest.mark.parametrize("schedule_id", ["cron", "stream"])
def test_a_date_that_was_observed_in_a_dry_run_is_not_lost(schedule_id: str) -> None:
    world = watched_since("2026-03-03 05:00")
    world.control.write({"PK": rows.pk("gold"), "SK": rows.dry_run(schedule_id, DATE), "data": {}})
    lost(world, "2026-03-03 06:00")
    assert pass_at(world, "2026-03-03 06:05") == []


def test_a_date_that_ran_under_the_other_schedule_is_not_lost() -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    world.control.delete((rows.pk("gold"), rows.SINCE_MARKER))
    world.pipeline(gold(schedule=NIGHTLY))
    assert pass_at(world, "2026-03-03 08:00") == []
    assert len(world.executions.inputs) == 1


# The same date under another schedule


def ran(world: World, **schedule: Any) -> World:
    """A date that a sensor started, and that has completed after an hour."""
    world.pipeline(gold(postRun=None, schedule=schedule))
    world.watchdog()
    world.deliver(world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now)))
    world.advance(hours=1)
    schedule_id = "cron" if "cron" in schedule else "stream"
    run = world.run("gold", DATE, schedule_id=schedule_id)
    assert run is not None
    runs.finish(world.ports, run, status=Status.COMPLETED, reason=None, kind=None, now=world.now)
    return world


def tick(world: World, at: str) -> None:
    world.now = utc(at)
    event = {"mode": "cron", "pipelineId": "gold", "scheduledAt": rfc3339(world.now)}
    stream_router.handle(event, world.ports, clock=world.clock)


def test_a_tick_does_not_run_a_date_again_and_nobody_misses_it() -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    changed_at(world, "2026-03-03 08:00", schedule=NIGHTLY)
    tick(world, "2026-03-03 09:00")
    assert pass_at(world, "2026-03-03 09:15") == []
    assert len(world.executions.inputs) == 1
    tick(world, "2026-03-04 09:00")
    assert world.run("gold", "2026-03-04", schedule_id="cron") is not None


@pytest.mark.parametrize(("before", "after"), [({}, NIGHTLY), (NIGHTLY, {})])
def test_newer_data_of_a_date_that_ran_is_told_and_starts_nothing(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    world = ran(World(utc("2026-03-03 06:00")), **before)
    changed_at(world, "2026-03-03 08:00", schedule=after)
    world.advance(hours=1)
    world.deliver(world.write_sensor("gold", "orders", **READY, more=1))
    event = world.bus.the("LATE_DATA_ARRIVAL")
    assert event.detail["actionHint"] == (
        f"write RERUN_REQUEST#{'cron' if after else 'stream'}#{DATE} to run the date again"
    )
    assert len(world.executions.inputs) == 1


def test_the_request_that_the_hint_names_runs_the_date() -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    changed_at(world, "2026-03-03 08:00", schedule=NIGHTLY)
    world.deliver(world.request("gold", DATE, schedule_id="cron", requestedAt=rfc3339(world.now)))
    run = world.run("gold", DATE, schedule_id="cron")
    assert run is not None
    assert run.is_launched


def test_data_that_the_run_may_have_seen_is_not_told() -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    changed_at(world, "2026-03-03 08:00", schedule=NIGHTLY)
    world.deliver(next(each for each in world.control.stream if "SENSOR#orders" in str(each)))
    assert world.bus.types == []


def test_a_trigger_deadline_does_not_expire_a_date_that_ran() -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    trigger = gold()["schedule"]["trigger"] | {"deadline": "10:00", "dayOffset": 0}
    changed_at(world, "2026-03-03 08:00", schedule={**NIGHTLY, "trigger": trigger})
    assert pass_at(world, "2026-03-03 10:05") == []
    assert world.run("gold", DATE, schedule_id="cron") is None


def test_a_listed_date_that_ran_is_not_missed() -> None:
    world = ran(World(utc("2026-03-03 06:00")), **NIGHTLY)
    changed_at(world, "2026-03-03 08:00", schedule={"include": {"dates": [DATE, "2026-03-04"]}})
    assert pass_at(world, "2026-03-04 00:30") == []
    assert pass_at(world, "2026-03-05 00:30") == ["IRREGULAR_SCHEDULE_MISSED 2026-03-04"]


SLA = {"deadline": "10:00", "dayOffset": 0, "expectedDuration": "30m"}


def test_a_date_whose_start_was_due_before_the_change_has_no_deadline() -> None:
    world = watched_since("2026-03-03 05:00")
    changed_at(world, "2026-03-03 08:00", schedule={"cron": "0 7 * * *"}, sla=SLA)
    assert pass_at(world, "2026-03-03 10:05") == []
    assert "SLA_BREACH 2026-03-04" in pass_at(world, "2026-03-04 10:05")


def ring_or_look(world: World, at: str, *, bells: bool) -> None:
    world.now = utc(at)
    if bells:
        world.ring()
    else:
        world.watchdog()


@pytest.mark.parametrize("bells", [True, False], ids=["bells", "watchdog"])
def test_a_date_that_has_completed_breaches_no_deadline(*, bells: bool) -> None:
    world = ran(World(utc("2026-03-03 06:00")))
    changed_at(world, "2026-03-03 08:00", schedule=NIGHTLY, sla=SLA)
    ring_or_look(world, "2026-03-03 10:00", bells=bells)
    assert [kind for kind in world.bus.types if "SLA" in kind] == []


@pytest.mark.parametrize("bells", [True, False], ids=["bells", "watchdog"])
@pytest.mark.parametrize("schedule", [NIGHTLY, {"cron": "0 7 * * *"}], ids=["due after", "due before"])
def test_a_date_that_is_running_breaches_its_deadline_and_is_not_called_unstarted(
    schedule: dict[str, Any], *, bells: bool
) -> None:
    world = World(utc("2026-03-03 06:00"))
    world.pipeline(gold(postRun=None))
    world.watchdog()
    world.deliver(world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now)))
    changed_at(world, "2026-03-03 08:00", schedule=schedule, sla=SLA)
    ring_or_look(world, "2026-03-03 10:00", bells=bells)
    assert world.bus.the("SLA_BREACH").detail["status"] == "RUNNING"


@pytest.mark.parametrize("bells", [True, False], ids=["bells", "watchdog"])
def test_a_date_that_was_observed_is_not_said_to_be_late_when_the_pipeline_goes_live(*, bells: bool) -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "09:30", "dayOffset": 0}
    sections = {"schedule": {"trigger": trigger}, "sla": SLA, "validation": {"rules": []}}
    world = watched_since("2026-03-03 05:00", **sections, dryRun=True)
    world.deliver(world.write_sensor("gold", "orders", **READY, updatedAt=rfc3339(world.now)))
    changed_at(world, "2026-03-03 08:00", **sections)
    world.bus.events.clear()
    assert pass_at(world, "2026-03-03 09:45") == []
    ring_or_look(world, "2026-03-03 10:00", bells=bells)
    assert world.bus.types == []
    assert pass_at(world, "2026-03-04 10:05") == ["SLA_BREACH 2026-03-04", "SENSOR_DEADLINE_EXPIRED 2026-03-04"]


def newer_data_of_another_schedule(world: World) -> Step:
    ran(world)
    changed_at(world, "2026-03-03 08:00", schedule=NIGHTLY)
    world.advance(hours=1)
    record = world.write_sensor("gold", "orders", **READY, more=1)
    return lambda: world.deliver(record)


@pytest.mark.parametrize("replay", REPLAYS, ids=str)
def test_a_router_that_is_killed_tells_newer_data_once(replay: Replay) -> None:
    kill_and_replay(newer_data_of_another_schedule, replay)


def test_newer_data_is_told_once_however_often_its_record_comes() -> None:
    handle_twice(newer_data_of_another_schedule)
