"""Deadlines that the watchdog looks after: absolute ones of every date, relative ones of every arrival."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core import rows
from interlock_runtime.core.rows import KIND, Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.passes import pass_at, utc, watched_since
from tests.fakes.world import World

ABSOLUTE: dict[str, Any] = {"deadline": "10:00", "expectedDuration": "30m"}
RELATIVE: dict[str, Any] = {"maxDuration": "2h"}


def with_sla(at: str, **sections: Any) -> World:
    """A world that has watched ``gold`` with its absolute deadline, or another one, since a time."""
    return watched_since(at, **{"sla": ABSOLUTE} | sections)


def start(world: World) -> Run:
    world.deliver(world.write_sensor("gold", "orders", **READY))
    run = world.run("gold", DATE)
    assert run is not None
    return run


def finish(world: World, status: Status) -> None:
    run = world.run("gold", DATE)
    assert run is not None
    reason = Reason.FAIL if status is Status.FAILED_FINAL else None
    assert runs.finish(world.ports, run, status=status, reason=reason, kind=None, now=world.now).made


# Check 5, SLA scheduling


def test_the_bells_of_today_and_yesterday_are_with_scheduler_also_when_no_data_came() -> None:
    world = with_sla("2026-03-03 06:00")
    assert world.schedules.instants() == [
        utc("2026-03-03 09:30"),
        utc("2026-03-03 10:00"),
        utc("2026-03-04 09:30"),
        utc("2026-03-04 10:00"),
    ]


def test_a_pass_makes_no_bell_twice() -> None:
    world = with_sla("2026-03-03 06:00")
    world.calls.reset()
    pass_at(world, "2026-03-03 06:05")
    assert "scheduler:CreateSchedule" not in world.calls.made
    assert "dynamodb:PutItem" not in world.calls.made


def test_a_bell_that_scheduler_lost_is_made_good() -> None:
    world = with_sla("2026-03-03 06:00")
    world.schedules.entries.clear()
    assert pass_at(world, "2026-03-03 09:55") == []
    assert pass_at(world, "2026-03-03 10:00") == ["SLA_BREACH 2026-03-02"]
    assert pass_at(world, "2026-03-03 10:05") == []


def test_a_verdict_that_was_reached_by_the_bell_is_not_told_again() -> None:
    world = with_sla("2026-03-03 06:00")
    world.now = utc("2026-03-04 10:00")
    world.ring()
    assert world.bus.types == ["SLA_BREACH", "SLA_BREACH"]
    assert pass_at(world, "2026-03-04 10:00") == []


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(Status.COMPLETED, ["SLA_MET 2026-03-03"]), (Status.FAILED_FINAL, [])],
)
def test_a_cancellation_that_was_lost_is_made_good(status: Status, verdict: list[str]) -> None:
    world = with_sla("2026-03-03 06:00")
    start(world)
    finish(world, status)
    assert pass_at(world, "2026-03-03 08:00") == verdict


def test_a_fresh_deployment_breaches_nothing_of_the_past() -> None:
    assert with_sla("2026-03-03 10:30").bus.events == []


NIGHTLY: dict[str, Any] = {"trigger": None, "cron": "0 6 * * *"}
LISTED: dict[str, Any] = {"trigger": None, "include": {"dates": ["2026-03-03", "2026-03-04"]}, "time": "06:00"}


@pytest.mark.parametrize("at", ["06:00", "09:00"])
@pytest.mark.parametrize("schedule", [NIGHTLY, LISTED], ids=["cron", "listed"])
def test_a_run_that_was_due_before_the_deployment_has_no_deadline(schedule: dict[str, Any], at: str) -> None:
    world = with_sla(f"2026-03-03 {at}", sla=ABSOLUTE | {"dayOffset": 0}, schedule=schedule)
    assert world.schedules.entries == {}
    assert pass_at(world, "2026-03-03 10:05") == []
    assert pass_at(world, "2026-03-04 00:05") == []
    assert world.schedules.instants() == [utc("2026-03-04 09:30"), utc("2026-03-04 10:00")]


@pytest.mark.parametrize("schedule", [NIGHTLY, LISTED], ids=["cron", "listed"])
def test_a_run_that_was_due_after_the_deployment_has_its_deadline(schedule: dict[str, Any]) -> None:
    world = with_sla("2026-03-03 05:59", sla=ABSOLUTE | {"dayOffset": 0}, schedule=schedule)
    assert world.schedules.instants() == [utc("2026-03-03 09:30"), utc("2026-03-03 10:00")]
    assert "SLA_BREACH 2026-03-03" in pass_at(world, "2026-03-03 10:05")


def test_a_run_that_began_all_the_same_has_its_deadline() -> None:
    world = with_sla("2026-03-03 09:00", sla=ABSOLUTE | {"dayOffset": 0}, schedule={"cron": "0 6 * * *"})
    assert world.schedules.entries == {}
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert pass_at(world, "2026-03-03 10:05") == ["SLA_BREACH 2026-03-03"]


def test_a_new_sla_of_a_schedule_that_has_been_known_has_its_deadline() -> None:
    world = with_sla("2026-03-02 12:00", sla=None, schedule=NIGHTLY)
    pass_at(world, "2026-03-03 06:10")
    world.pipeline(gold(sla=ABSOLUTE, schedule=NIGHTLY))
    assert pass_at(world, "2026-03-03 08:00") == []
    assert pass_at(world, "2026-03-03 10:05") == ["SLA_BREACH 2026-03-03"]


def test_a_new_sla_breaches_nothing_of_the_past() -> None:
    world = with_sla("2026-03-02 12:00", sla=None)
    world.pipeline(gold(sla=ABSOLUTE))
    assert pass_at(world, "2026-03-03 10:30") == []
    assert pass_at(world, "2026-03-04 10:00") == ["SLA_BREACH 2026-03-03"]


def test_a_run_that_completed_late_before_there_was_an_sla_is_not_judged() -> None:
    world = with_sla("2026-03-03 06:00", sla=None)
    start(world)
    world.now = utc("2026-03-04 11:00")
    finish(world, Status.COMPLETED)
    world.pipeline(gold(sla=ABSOLUTE))
    assert pass_at(world, "2026-03-04 11:05") == []


def test_an_sla_that_becomes_critical_is_the_same_sla() -> None:
    world = with_sla("2026-03-03 06:00")
    world.schedules.entries.clear()
    world.pipeline(gold(sla=ABSOLUTE | {"critical": True}))
    assert pass_at(world, "2026-03-03 10:00") == ["SLA_BREACH 2026-03-02"]
    assert world.bus.the("SLA_BREACH").detail["critical"] is True


def test_a_deadline_that_is_moved_gets_new_bells() -> None:
    world = with_sla("2026-03-03 06:00")
    world.pipeline(gold(sla=ABSOLUTE | {"deadline": "08:00"}))
    pass_at(world, "2026-03-03 06:05")
    assert utc("2026-03-03 08:00") in world.schedules.instants()
    assert utc("2026-03-04 08:00") in world.schedules.instants()


def test_an_hourly_deadline_has_bells_hour_by_hour() -> None:
    world = with_sla("2026-03-03 06:30", sla={"deadline": ":20", "expectedDuration": "10m"})
    assert world.schedules.instants() == [utc("2026-03-03 07:10"), utc("2026-03-03 07:20")]
    pass_at(world, "2026-03-03 07:00")
    assert utc("2026-03-03 08:20") in world.schedules.instants()


def test_a_deadline_at_the_end_of_the_day_is_not_overlooked() -> None:
    world = with_sla("2026-03-03 06:00", sla={"deadline": "23:58", "expectedDuration": "30m"})
    world.schedules.entries.clear()
    assert pass_at(world, "2026-03-05 00:02") == ["SLA_BREACH 2026-03-03"]


@pytest.mark.parametrize(
    "schedule",
    [
        {"include": {"dates": ["2026-03-07"]}},
        {"cron": "0 6 * * 6"},
        {"exclude": {"dates": ["2026-03-02", "2026-03-03", "2026-03-04"]}},
    ],
    ids=["not listed", "no fire", "excluded"],
)
def test_a_date_that_nothing_is_expected_of_has_no_deadline(schedule: dict[str, Any]) -> None:
    world = with_sla("2026-03-03 06:00", schedule=schedule)
    assert world.schedules.entries == {}
    assert pass_at(world, "2026-03-04 10:30") == []


def test_a_date_that_a_sensor_started_all_the_same_has_one() -> None:
    world = with_sla("2026-03-03 06:00", schedule={"include": {"dates": ["2026-03-07"]}})
    start(world)
    pass_at(world, "2026-03-03 06:05")
    assert world.schedules.instants() == [utc("2026-03-04 09:30"), utc("2026-03-04 10:00")]


def test_a_dry_run_has_no_bells() -> None:
    assert with_sla("2026-03-03 06:00", dryRun=True).schedules.entries == {}


# Check 8, relative SLA


def arrived(**sections: Any) -> World:
    """A world in which the sensor of ``gold`` arrived at six."""
    world = World(utc("2026-03-03 06:00"))
    world.pipeline(gold(sla=RELATIVE, **sections))
    start(world)
    return world


def arrival(world: World) -> dict[str, Any]:
    return world.control.rows()[rows.pk("gold"), rows.arrival_marker(DATE)]


def test_an_arrival_that_takes_too_long_breaches() -> None:
    world = arrived()
    assert pass_at(world, "2026-03-03 07:59") == []
    assert pass_at(world, "2026-03-03 08:00") == ["RELATIVE_SLA_BREACH 2026-03-03"]
    assert KIND not in arrival(world)
    assert pass_at(world, "2026-03-03 08:05") == []


def test_the_bells_of_an_arrival_are_with_scheduler_whoever_should_have_put_them_there() -> None:
    world = arrived()
    world.watchdog()
    assert world.schedules.instants() == [utc("2026-03-03 07:30"), utc("2026-03-03 08:00")]
    assert arrival(world)[KIND] == Kind.ARRIVAL


def test_an_arrival_that_started_nothing_breaches_too() -> None:
    world = arrived()
    run = world.run("gold", DATE)
    assert run is not None
    world.control.delete(run.key)
    world.write_sensor("gold", "orders", state="loading")
    assert pass_at(world, "2026-03-03 08:00") == ["RELATIVE_SLA_BREACH 2026-03-03"]


def test_an_arrival_is_settled_when_its_date_is_complete() -> None:
    world = arrived()
    finish(world, Status.COMPLETED)
    assert pass_at(world, "2026-03-03 06:05") == []
    assert KIND not in arrival(world)


def test_an_arrival_whose_run_failed_stays_open_and_breaches() -> None:
    world = arrived()
    finish(world, Status.FAILED_FINAL)
    assert pass_at(world, "2026-03-03 06:05") == []
    assert arrival(world)[KIND] == Kind.ARRIVAL
    assert pass_at(world, "2026-03-03 08:00") == ["RELATIVE_SLA_BREACH 2026-03-03"]


@pytest.mark.parametrize(
    "sections",
    [{"sla": None}, {"dryRun": True}, {"schedule": {"exclude": {"dates": [DATE]}}}],
    ids=["no SLA", "dry run", "excluded"],
)
def test_an_arrival_that_nobody_waits_for_any_more_is_settled_in_silence(sections: dict[str, Any]) -> None:
    world = arrived()
    world.pipeline(gold(**{"sla": RELATIVE} | sections))
    assert pass_at(world, "2026-03-03 08:00") == []
    assert KIND not in arrival(world)


def test_an_arrival_of_a_removed_pipeline_is_settled_in_silence() -> None:
    world = arrived()
    world.control.delete((rows.pk("gold"), rows.CONFIG))
    assert pass_at(world, "2026-03-03 08:00") == []
    assert KIND not in arrival(world)


def test_both_clocks_are_looked_after_side_by_side() -> None:
    world = with_sla("2026-03-03 05:00", sla=ABSOLUTE | RELATIVE)
    world.now = utc("2026-03-03 06:00")
    start(world)
    world.schedules.entries.clear()
    assert pass_at(world, "2026-03-03 08:00") == ["RELATIVE_SLA_BREACH 2026-03-03"]
    world.advance(minutes=30)
    finish(world, Status.COMPLETED)
    found = pass_at(world, "2026-03-03 09:00")
    assert found == ["SLA_MET 2026-03-03"]
    assert world.now - utc("2026-03-03 09:00") < timedelta(minutes=1)
