"""What should have started and did not: missed schedules, missed include dates, trigger deadlines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.core import rows
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.handlers import stream_router
from tests.fakes.gold import READY, gold
from tests.fakes.passes import pass_at, utc, watched_since
from tests.fakes.world import World


def tick(world: World, at: str, *, mode: str = "cron") -> None:
    event = {"mode": mode, "pipelineId": "gold", "scheduledAt": rfc3339(utc(at))}
    stream_router.handle(event, world.ports, clock=lambda: utc(at))


def cron(expression: str = "0 6 * * *", **schedule: Any) -> dict[str, Any]:
    """A pipeline that only a cron starts."""
    return {"schedule": {"trigger": None, "cron": expression, **schedule}}


# Check 2, missed schedules


def test_a_cron_without_a_run_is_missed_after_ten_minutes() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    assert pass_at(world, "2026-03-03 06:09:59") == []
    assert pass_at(world, "2026-03-03 06:10") == ["SCHEDULE_MISSED 2026-03-03"]
    event = world.bus.the("SCHEDULE_MISSED")
    assert event.message == "gold was to start at 2026-03-03T06:00:00.000Z for 2026-03-03, and no run exists"
    assert event.detail["cron"] == "0 6 * * *"
    assert event.detail["scheduledAt"] == "2026-03-03T06:00:00.000Z"
    assert event.detail["status"] == "NOT_STARTED"


def test_it_is_told_once() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    pass_at(world, "2026-03-03 06:10")
    assert pass_at(world, "2026-03-03 06:15") == []
    assert pass_at(world, "2026-03-04 05:55") == []
    assert pass_at(world, "2026-03-04 06:10") == ["SCHEDULE_MISSED 2026-03-04"]


def test_a_cron_with_a_run_is_not_missed_whatever_became_of_it() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    tick(world, "2026-03-03 06:00")
    assert pass_at(world, "2026-03-03 06:10") == []


def test_a_run_that_a_sensor_started_first_counts() -> None:
    world = watched_since("2026-03-02 12:00", schedule={"cron": "0 6 * * *"})
    world.now = utc("2026-03-03 05:00")
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert pass_at(world, "2026-03-03 06:10") == []


def test_it_is_not_missed_before_the_expected_time() -> None:
    world = watched_since("2026-03-02 12:00", **cron(time="07:30"))
    assert pass_at(world, "2026-03-03 07:35") == []
    assert pass_at(world, "2026-03-03 07:40") == ["SCHEDULE_MISSED 2026-03-03"]


def test_an_expected_time_at_the_end_of_the_day_is_waited_for() -> None:
    world = watched_since("2026-03-02 12:00", **cron("0 0 * * *", time="23:58"))
    assert pass_at(world, "2026-03-04 00:05") == []
    assert pass_at(world, "2026-03-04 00:10") == ["SCHEDULE_MISSED 2026-03-03"]


def test_an_expected_time_before_the_cron_changes_nothing() -> None:
    world = watched_since("2026-03-02 12:00", **cron(time="05:00"))
    assert pass_at(world, "2026-03-03 06:05") == []
    assert pass_at(world, "2026-03-03 06:10") == ["SCHEDULE_MISSED 2026-03-03"]


def test_a_fresh_deployment_reports_nothing_of_the_past() -> None:
    assert watched_since("2026-03-03 06:30", **cron()).bus.events == []


def test_a_new_pipeline_reports_nothing_of_the_past() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    world.pipeline(gold(pipeline={"id": "silver"}, **cron("0 5 * * *")))
    assert pass_at(world, "2026-03-03 06:10") == ["SCHEDULE_MISSED 2026-03-03"]
    assert world.bus.the("SCHEDULE_MISSED").pipeline_id == "gold"


def test_a_changed_schedule_reports_nothing_of_the_past() -> None:
    world = watched_since("2026-03-02 12:00", **cron("0 9 * * *"))
    world.pipeline(gold(**cron("0 6 * * *")))
    assert pass_at(world, "2026-03-03 06:30") == []
    assert pass_at(world, "2026-03-04 06:10") == ["SCHEDULE_MISSED 2026-03-04"]


@pytest.mark.parametrize(
    "change",
    [
        {"job": {"maxRetries": 3}},
        {"schedule": {"trigger": None, "cron": "0 6 * * *", "evaluation": {"window": "2h", "interval": "5m"}}},
        {"sla": {"deadline": "10:00", "expectedDuration": "1h"}},
    ],
    ids=["job", "evaluation", "sla"],
)
def test_a_change_of_something_else_forgets_nothing(change: dict[str, Any]) -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    world.pipeline(gold(**cron() | change))
    assert pass_at(world, "2026-03-03 06:10") == ["SCHEDULE_MISSED 2026-03-03"]


def test_an_outage_of_the_watchdog_is_made_up_for_within_a_day() -> None:
    world = watched_since("2026-03-02 12:00", **cron("0 */6 * * *"))
    assert pass_at(world, "2026-03-05 07:00") == [
        f"SCHEDULE_MISSED {date}" for date in ("2026-03-04T12", "2026-03-04T18", "2026-03-05T00", "2026-03-05T06")
    ]


@pytest.mark.parametrize(("at", "found"), [("11:59", "SCHEDULE_MISSED 2026-03-04T12"), ("12:00", None)])
def test_a_fire_is_looked_for_for_a_day(at: str, found: str | None) -> None:
    world = watched_since("2026-03-02 12:00", **cron("0 12,15 * * *"))
    missed = [found] if found else []
    assert pass_at(world, f"2026-03-05 {at}") == [*missed, "SCHEDULE_MISSED 2026-03-04T15"]


def test_excluded_dates_and_dry_runs_are_not_missed() -> None:
    world = watched_since("2026-03-02 12:00", **cron(exclude={"dates": ["2026-03-03"]}))
    world.pipeline(gold(pipeline={"id": "dry"}, dryRun=True, schedule={"cron": "0 6 * * *"}))
    assert pass_at(world, "2026-03-03 06:30") == []
    assert pass_at(world, "2026-03-03 06:35") == []


def test_what_was_due_during_a_dry_run_is_the_past_when_it_ends() -> None:
    schedule = {"schedule": {"cron": "0 6 * * *"}}
    world = watched_since("2026-03-01 12:00", **schedule)
    world.pipeline(gold(dryRun=True, **schedule))
    assert pass_at(world, "2026-03-02 12:00") == []
    world.pipeline(gold(**schedule))
    assert pass_at(world, "2026-03-03 05:00") == []
    assert pass_at(world, "2026-03-03 06:10") == ["SCHEDULE_MISSED 2026-03-03"]


def test_fires_are_those_of_the_pipelines_zone() -> None:
    world = watched_since("2026-03-02 12:00", **cron("30 23 * * *", timezone="America/New_York"))
    assert pass_at(world, "2026-03-03 04:40") == ["SCHEDULE_MISSED 2026-03-02"]


def test_a_fire_is_looked_at_once() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    tick(world, "2026-03-03 06:00")
    assert pass_at(world, "2026-03-03 06:10") == []
    run = world.run("gold", "2026-03-03", schedule_id="cron")
    assert run is not None
    world.control.delete(run.key)
    assert pass_at(world, "2026-03-03 06:15") == []


def test_a_fire_that_could_not_be_told_is_looked_at_again() -> None:
    world = watched_since("2026-03-02 12:00", **cron())
    world.calls.fail["events:PutEvents"] = TransientError("no bus")
    with pytest.raises(TransientError, match="missed-schedules"):
        pass_at(world, "2026-03-03 06:10")
    world.calls.fail.clear()
    assert pass_at(world, "2026-03-03 06:15") == ["SCHEDULE_MISSED 2026-03-03"]


def test_a_fire_that_waits_for_its_time_is_not_passed_over_for_later_ones() -> None:
    world = watched_since("2026-03-03 05:00", **cron("0 6-8 * * *", time="07:30"))
    assert pass_at(world, "2026-03-03 07:15") == []
    assert pass_at(world, "2026-03-03 07:40") == ["SCHEDULE_MISSED 2026-03-03T06", "SCHEDULE_MISSED 2026-03-03T07"]
    assert pass_at(world, "2026-03-03 08:10") == ["SCHEDULE_MISSED 2026-03-03T08"]


def test_an_hourly_cron_is_missed_hour_by_hour() -> None:
    world = watched_since("2026-03-03 05:45", **cron("15 * * * *"))
    tick(world, "2026-03-03 06:15")
    assert pass_at(world, "2026-03-03 07:25") == ["SCHEDULE_MISSED 2026-03-03T07"]


def test_the_marker_is_renewed_and_keeps_what_it_says() -> None:
    world = watched_since("2026-03-02 12:00")
    key = rows.pk("gold"), rows.SINCE_MARKER
    before = world.control.rows()[key]
    pass_at(world, "2026-03-10 12:00")
    assert world.control.rows()[key] == before
    pass_at(world, "2026-03-18 12:00")
    renewed = world.control.rows()[key]
    assert renewed["data"] == before["data"]
    assert renewed["ttl"] == before["ttl"] + timedelta(days=16).total_seconds()


# Ticks that Scheduler skips when the clock is put forward


def test_a_fire_that_the_clock_skipped_is_started_when_the_clock_is_put_forward() -> None:
    world = watched_since("2026-03-28 12:00", **cron("30 2 * * *", timezone="Europe/Berlin"))
    tick(world, "2026-03-28 01:30")
    assert pass_at(world, "2026-03-29 00:58") == []
    pass_at(world, "2026-03-29 01:00")
    run = world.run("gold", "2026-03-29", schedule_id="cron")
    assert run is not None
    assert (run.cause, run.attempt) == ("tick:2026-03-29T01:00:00.000Z", 0)
    assert run.is_launched
    pass_at(world, "2026-03-29 01:05")
    assert len(world.executions.inputs) == 2
    assert world.bus.events == []


def test_an_hour_that_never_was_is_not_started_in_place_of_the_next() -> None:
    world = watched_since("2026-03-29 00:15", **cron("30 * * * *", timezone="Europe/Berlin"))
    tick(world, "2026-03-29 00:30")
    assert pass_at(world, "2026-03-29 01:05") == []
    assert len(world.executions.inputs) == 1


def test_a_skipped_fire_of_an_hour_without_another_is_started() -> None:
    world = watched_since("2026-03-28 15:00", **cron("30 2,14 * * *", timezone="Europe/Berlin"))
    pass_at(world, "2026-03-29 01:00")
    assert world.run("gold", "2026-03-29T03", schedule_id="cron") is not None


def test_a_skipped_fire_of_the_past_is_not_started_by_a_fresh_deployment() -> None:
    world = watched_since("2026-03-29 01:05", **cron("30 2 * * *", timezone="Europe/Berlin"))
    assert world.executions.inputs == {}


def test_a_skipped_fire_of_an_excluded_date_is_not_started() -> None:
    schedule = cron("30 2 * * *", timezone="Europe/Berlin", exclude={"dates": ["2026-03-29"]})
    world = watched_since("2026-03-28 12:00", **schedule)
    pass_at(world, "2026-03-29 01:05")
    assert world.run("gold", "2026-03-29", schedule_id="cron") is None


def test_when_the_clock_is_put_back_the_cron_was_due_once() -> None:
    world = watched_since("2026-10-24 12:00", **cron("30 2 * * *", timezone="Europe/Berlin"))
    tick(world, "2026-10-25 00:30")
    assert pass_at(world, "2026-10-25 01:45") == []


# Check 3, missed include dates


def listed(*days: str, **schedule: Any) -> dict[str, Any]:
    """A pipeline that runs at eight on listed dates."""
    return {"schedule": {"trigger": None, "include": {"dates": list(days)}, "time": "08:00", **schedule}}


def test_a_listed_date_without_a_run_is_missed_ten_minutes_after_its_time() -> None:
    world = watched_since("2026-03-02 12:00", **listed("2026-03-03", "2026-03-31"))
    assert pass_at(world, "2026-03-03 08:09") == []
    assert pass_at(world, "2026-03-03 08:10") == ["IRREGULAR_SCHEDULE_MISSED 2026-03-03"]
    assert pass_at(world, "2026-03-03 08:15") == []
    assert "stream-router" in str(world.bus.the("IRREGULAR_SCHEDULE_MISSED").detail["actionHint"])


def test_a_listed_date_with_a_run_is_not_missed() -> None:
    world = watched_since("2026-03-02 12:00", **listed("2026-03-03"))
    tick(world, "2026-03-03 08:00", mode="include")
    assert pass_at(world, "2026-03-03 08:30") == []


def test_without_a_time_a_listed_date_is_missed_when_its_day_is_over() -> None:
    include = {"include": {"dates": ["2026-03-03"]}, "timezone": "Asia/Tokyo"}
    world = watched_since("2026-03-02 12:00", schedule=include)
    assert pass_at(world, "2026-03-03 15:09") == []
    assert pass_at(world, "2026-03-03 15:10") == ["IRREGULAR_SCHEDULE_MISSED 2026-03-03"]
    assert "sensor" in str(world.bus.the("IRREGULAR_SCHEDULE_MISSED").detail["actionHint"])


def test_an_hourly_run_of_a_listed_day_counts_for_the_day() -> None:
    schedule = {"include": {"dates": ["2026-03-03"]}, "trigger": gold()["schedule"]["trigger"] | {"deadline": ":50"}}
    world = watched_since("2026-03-02 12:00", schedule=schedule)
    world.now = utc("2026-03-03 07:00")
    world.deliver(world.write_sensor("gold", "orders", **READY, hour=6))
    assert "IRREGULAR_SCHEDULE_MISSED 2026-03-03" not in pass_at(world, "2026-03-04 00:10")


def test_only_the_last_three_listed_dates_are_looked_at_and_none_that_is_excluded() -> None:
    days = ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-20")
    world = watched_since("2026-03-02 12:00", **listed(*days, exclude={"dates": ["2026-03-05"]}))
    assert pass_at(world, "2026-03-06 09:00") == [
        "IRREGULAR_SCHEDULE_MISSED 2026-03-04",
        "IRREGULAR_SCHEDULE_MISSED 2026-03-06",
    ]


def test_a_listed_date_before_the_deployment_is_not_missed() -> None:
    world = watched_since("2026-03-03 08:30", **listed("2026-03-02", "2026-03-03"))
    assert pass_at(world, "2026-03-03 08:35") == []


GAP: dict[str, Any] = {"timezone": "America/New_York", "time": "02:30"}


@pytest.mark.parametrize("first", ["2026-03-08 07:00", "2026-03-08 07:30", "2026-03-09 06:50"])
def test_a_listed_time_that_the_clock_skipped_is_started_when_the_clock_is_put_forward(first: str) -> None:
    world = watched_since("2026-03-07 12:00", **listed("2026-03-08", **GAP))
    assert pass_at(world, "2026-03-08 06:59") == []
    assert pass_at(world, first) == []
    run = world.run("gold", "2026-03-08")
    assert run is not None
    assert (run.cause, run.attempt, run.is_launched) == ("tick:2026-03-08T07:00:00.000Z", 0, True)
    assert pass_at(world, "2026-03-09 06:55") == []
    assert len(world.executions.inputs) == 1


def test_a_skipped_time_of_a_listed_date_is_missed_when_it_was_not_started_within_a_day() -> None:
    world = watched_since("2026-03-07 12:00", **listed("2026-03-08", **GAP))
    assert pass_at(world, "2026-03-09 07:00") == ["IRREGULAR_SCHEDULE_MISSED 2026-03-08"]
    assert world.executions.inputs == {}


@pytest.mark.parametrize(
    ("days", "more"),
    [
        (["2026-03-09"], {}),
        (["2026-03-08"], {"exclude": {"dates": ["2026-03-08"]}}),
        (["2026-03-08"], {"trigger": gold()["schedule"]["trigger"]}),
    ],
    ids=["not listed", "excluded", "a trigger condition"],
)
def test_a_skipped_time_that_would_have_been_no_tick_starts_nothing(days: list[str], more: dict[str, Any]) -> None:
    world = watched_since("2026-03-07 12:00", **listed(*days, **GAP, **more))
    pass_at(world, "2026-03-08 07:00")
    assert world.executions.inputs == {}


def test_a_skipped_time_of_the_past_is_not_started_by_a_fresh_deployment() -> None:
    assert watched_since("2026-03-08 07:05", **listed("2026-03-08", **GAP)).executions.inputs == {}


def test_a_missed_date_is_not_told_again_when_that_is_forgotten() -> None:
    world = watched_since("2026-03-02 12:00", **listed("2026-03-03"))
    pass_at(world, "2026-03-03 08:10")
    world.control.delete((rows.pk("gold"), rows.alert_marker("IRREGULAR_SCHEDULE_MISSED", "stream", "2026-03-03")))
    assert pass_at(world, "2026-04-03 08:10") == []


# Check 6, trigger deadlines


def with_deadline(deadline: str = "09:00", **more: Any) -> dict[str, Any]:
    trigger = gold()["schedule"]["trigger"] | {"deadline": deadline, **more}
    return {"schedule": {"trigger": trigger}}


def test_a_date_without_its_sensor_expires_at_the_deadline() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline())
    assert pass_at(world, "2026-03-04 09:00") == []
    assert pass_at(world, "2026-03-04 09:05") == ["SENSOR_DEADLINE_EXPIRED 2026-03-03"]
    run = world.run("gold", "2026-03-03")
    assert run is not None
    assert (run.attempt, run.status, run.reason) == (-1, "FAILED_FINAL", "deadline")
    event = world.bus.the("SENSOR_DEADLINE_EXPIRED")
    assert (event.detail["deadline"], event.detail["deadlineAt"]) == ("09:00", "2026-03-04T09:00:00.000Z")
    assert pass_at(world, "2026-03-04 09:10") == []


def test_a_date_that_was_started_does_not_expire() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline())
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert pass_at(world, "2026-03-04 09:05") == []


def test_the_sensor_that_comes_after_the_deadline_starts_nothing_but_a_request_does() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline())
    pass_at(world, "2026-03-04 09:05")
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert world.executions.inputs == {}
    world.deliver(world.request("gold", "2026-03-03", requestedAt=rfc3339(world.now)))
    assert len(world.executions.inputs) == 1
    assert pass_at(world, "2026-03-04 09:15") == []


def test_a_deadline_before_the_deployment_expires_nothing() -> None:
    world = watched_since("2026-03-04 09:30", **with_deadline())
    assert pass_at(world, "2026-03-04 09:35") == []
    assert world.run("gold", "2026-03-03") is None


def test_a_deadline_at_the_end_of_the_day_is_not_overlooked() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline("23:58"))
    assert pass_at(world, "2026-03-04 23:57") == []
    assert pass_at(world, "2026-03-05 00:02") == ["SENSOR_DEADLINE_EXPIRED 2026-03-03"]


@pytest.mark.parametrize(("at", "found"), [("01:57", ["SENSOR_DEADLINE_EXPIRED 2026-03-03"]), ("01:58", [])])
def test_a_deadline_of_a_date_that_is_not_looked_at_any_more_is_looked_for_for_two_hours(
    at: str, found: list[str]
) -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline("23:58"))
    assert pass_at(world, f"2026-03-05 {at}") == found


def test_an_excluded_date_that_is_not_looked_at_any_more_does_not_expire() -> None:
    sections = with_deadline("23:58")
    sections["schedule"]["exclude"] = {"dates": ["2026-03-03"]}
    world = watched_since("2026-03-03 06:00", **sections)
    assert pass_at(world, "2026-03-05 00:02") == []


def test_a_deadline_days_after_the_date_is_not_overlooked() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline("09:00", dayOffset=5))
    assert pass_at(world, "2026-03-08 08:55") == []
    assert pass_at(world, "2026-03-08 09:02") == ["SENSOR_DEADLINE_EXPIRED 2026-03-03"]


def test_an_hourly_deadline_expires_its_hour() -> None:
    world = watched_since("2026-03-03 06:30", **with_deadline(":20"))
    assert pass_at(world, "2026-03-03 07:25") == ["SENSOR_DEADLINE_EXPIRED 2026-03-03T06"]


def test_the_hours_of_a_day_whose_data_is_due_together_expire_together() -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "09:00"}
    world = watched_since("2026-03-03 20:10", schedule={"cron": "0 20-23 * * *", "trigger": trigger})
    tick(world, "2026-03-03 22:00")
    found = pass_at(world, "2026-03-04 09:02")
    assert [each for each in found if each.startswith("SENSOR")] == [
        f"SENSOR_DEADLINE_EXPIRED 2026-03-03T{hour}" for hour in (23, 21, 20)
    ]


def test_a_date_that_nothing_is_expected_of_does_not_expire() -> None:
    trigger = gold()["schedule"]["trigger"] | {"deadline": "09:00"}
    world = watched_since("2026-03-03 06:00", schedule={"include": {"dates": ["2026-03-05"]}, "trigger": trigger})
    assert pass_at(world, "2026-03-04 09:05") == []


def test_excluded_dates_and_dry_runs_do_not_expire() -> None:
    sections = with_deadline()
    sections["schedule"]["exclude"] = {"dates": ["2026-03-03"]}
    world = watched_since("2026-03-03 06:00", **sections)
    world.pipeline(gold(pipeline={"id": "dry"}, dryRun=True, **with_deadline()))
    assert pass_at(world, "2026-03-04 09:05") == []


def test_an_expiry_that_was_not_told_is_told_by_the_next_pass() -> None:
    world = watched_since("2026-03-03 06:00", **with_deadline())
    world.calls.fail["events:PutEvents"] = TransientError("no bus")
    with pytest.raises(TransientError, match="trigger-deadlines"):
        pass_at(world, "2026-03-04 09:05")
    world.calls.fail.clear()
    assert pass_at(world, "2026-03-04 09:10") == ["SENSOR_DEADLINE_EXPIRED 2026-03-03"]
