"""sla-monitor: deadlines, bells, verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.control import runs, sla, sla_alerts
from interlock_runtime.core import rows
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.instants import epoch_seconds, rfc3339
from interlock_runtime.core.rows import KIND, Status
from interlock_runtime.core.run import Reason, Run
from interlock_runtime.core.sla_deadlines import SlaDeadline
from interlock_runtime.handlers import stream_router
from tests.fakes.calls import Killed
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World

#: Due at ten on the day after, told half an hour before.
ABSOLUTE: dict[str, Any] = {"deadline": "10:00", "expectedDuration": "30m"}
BREACH = datetime(2026, 3, 4, 10, tzinfo=UTC)
WARNING = BREACH - timedelta(minutes=30)
#: Two hours after the first sensor, which comes at six.
RELATIVE: dict[str, Any] = {"maxDuration": "2h"}
RELATIVE_BREACH = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World()


def started(world: World, sla: dict[str, Any] | None = None, **sections: Any) -> Run:
    """A run of ``gold`` that its sensor has just started."""
    world.pipeline(gold(sla=ABSOLUTE if sla is None else sla, **sections))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    return the_run(world)


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def scheduled(world: World, sla: dict[str, Any] | None = None, **sections: Any) -> Run:
    """A started run whose bells are with Scheduler."""
    run = started(world, sla, **sections)
    assert world.sla("schedule", run) == {"status": "scheduled"}
    return run


def complete(world: World, run: Run) -> Run:
    made = runs.finish(world.ports, run, status=Status.COMPLETED, reason=None, kind=None, now=world.now)
    assert made.run is not None
    return made.run


def fail(world: World, run: Run, reason: Reason = Reason.FAIL) -> Run:
    made = runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=reason, kind=None, now=world.now)
    assert made.run is not None
    return made.run


def rerun(world: World, run: Run, *, reason: str = "manual") -> Run:
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    made = runs.again(world.ports, config, run, cause=f"request:{reason}", reason=reason, now=world.now)
    assert made.run is not None
    return made.run


def message(world: World, moment: str, clock: str = "sla") -> dict[str, Any]:
    """The message of a bell that Scheduler holds."""
    found = [entry.message for entry in world.schedules.entries.values()]
    (message,) = [dict(each) for each in found if (each["moment"], each["clock"]) == (moment, clock)]
    return message


# calculate


def test_both_deadlines_are_answered_and_nothing_is_done(world: World) -> None:
    world.pipeline(gold(sla=ABSOLUTE | RELATIVE))
    answer = world.sla("calculate", pipelineId="gold", date=DATE, sensorArrivalAt="2026-03-03T06:00:00Z")
    assert answer == {
        "absolute": {"warningAt": "2026-03-04T09:30:00.000Z", "breachAt": "2026-03-04T10:00:00.000Z"},
        "relative": {"warningAt": "2026-03-03T07:30:00.000Z", "breachAt": "2026-03-03T08:00:00.000Z"},
    }
    assert world.schedules.entries == {}
    assert world.bus.events == []


def test_without_a_given_arrival_the_one_on_record_counts(world: World) -> None:
    started(world, RELATIVE)
    world.advance(hours=5)
    answer = world.sla("calculate", pipelineId="gold", date=DATE)
    assert answer["relative"] == {"warningAt": "2026-03-03T07:30:00.000Z", "breachAt": "2026-03-03T08:00:00.000Z"}


def test_a_deadline_that_the_date_does_not_have_is_null(world: World) -> None:
    world.pipeline(gold(sla=RELATIVE))
    assert world.sla("calculate", pipelineId="gold", date=DATE) == {"absolute": None, "relative": None}


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({"pipelineId": "silver", "date": DATE}, "there is no pipeline 'silver'"),
        ({"date": DATE}, "there is no pipeline None"),
        ({"pipelineId": "gold", "date": "yesterday"}, "date: 'yesterday' is not an execution date"),
        ({"pipelineId": "gold", "date": f"{DATE}T10"}, "gold is daily, and 2026-03-03T10 is not"),
        ({"pipelineId": "gold", "date": DATE, "sensorArrivalAt": "soon"}, "sensorArrivalAt: 'soon' is not"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(world: World, event: dict[str, Any], what: str) -> None:
    world.pipeline(gold(sla=ABSOLUTE))
    with pytest.raises(PermanentError, match=what):
        world.sla("calculate", **event)


def test_an_unknown_mode_is_refused_by_name(world: World) -> None:
    with pytest.raises(PermanentError, match="'shedule' is no mode of sla-monitor; known are calculate, schedule"):
        world.sla("shedule")


# schedule


def test_a_run_that_begins_gets_a_bell_for_warning_and_breach(world: World) -> None:
    scheduled(world)
    assert world.schedules.instants() == [WARNING, BREACH]
    assert message(world, "breach") == {
        "mode": "fire-alert",
        "pipelineId": "gold",
        "scheduleId": "stream",
        "date": DATE,
        "clock": "sla",
        "moment": "breach",
        "deadline": "10:00",
        "warningAt": rfc3339(WARNING),
        "breachAt": rfc3339(BREACH),
        "critical": False,
        "arrivedAt": None,
    }


def test_both_clocks_have_bells_of_their_own(world: World) -> None:
    scheduled(world, ABSOLUTE | RELATIVE)
    assert world.schedules.instants() == [RELATIVE_BREACH - timedelta(minutes=30), RELATIVE_BREACH, WARNING, BREACH]


def test_scheduling_twice_makes_no_second_bell_and_no_second_call(world: World) -> None:
    run = scheduled(world)
    before = dict(world.schedules.entries)
    world.calls.reset()
    world.sla("schedule", run)
    assert world.schedules.entries == before
    assert "scheduler:CreateSchedule" not in world.calls.made


def test_an_entry_that_exists_is_fine(world: World) -> None:
    run = scheduled(world)
    before = dict(world.schedules.entries)
    world.control.delete((rows.pk("gold"), rows.entries_marker("sla", "stream", DATE)))
    world.sla("schedule", run)
    assert world.schedules.entries == before


def test_a_warning_that_is_past_is_skipped(world: World) -> None:
    run = started(world)
    world.now = WARNING
    world.sla("schedule", run)
    assert world.schedules.instants() == [BREACH]
    assert world.bus.events == []


def test_the_breach_of_a_run_that_begins_too_late_is_told_at_once(world: World) -> None:
    run = started(world)
    world.now = BREACH
    world.sla("schedule", run)
    assert world.schedules.entries == {}
    breach = world.bus.the("SLA_BREACH")
    assert breach.detail["status"] == "RUNNING"
    assert breach.attempt is None


def test_without_room_for_a_warning_only_the_breach_is_told(world: World) -> None:
    scheduled(world, {"maxDuration": "2h", "expectedDuration": "0s"})
    assert world.schedules.instants() == [RELATIVE_BREACH]


def test_a_superseded_execution_schedules_nothing(world: World) -> None:
    old = started(world)
    rerun(world, fail(world, old))
    assert world.sla("schedule", old) == {"status": "superseded"}
    assert world.schedules.entries == {}


def test_an_arrival_after_the_run_began_by_a_tick_is_found_on_record(world: World) -> None:
    world.pipeline(gold(sla=RELATIVE, schedule={"cron": "0 6 * * *"}))
    tick = {"mode": "cron", "pipelineId": "gold", "scheduledAt": rfc3339(world.now)}
    stream_router.handle(tick, world.ports, clock=world.clock)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    run = world.run("gold", DATE, schedule_id="cron")
    assert run is not None
    assert run.arrival is None
    world.sla("schedule", run)
    assert RELATIVE_BREACH in world.schedules.instants()


def test_a_pipeline_that_was_removed_gets_no_bells(world: World) -> None:
    run = started(world)
    world.control.delete((rows.pk("gold"), rows.CONFIG))
    world.ports.configs.forget()
    assert world.sla("schedule", run) == {"status": "scheduled"}
    assert world.schedules.entries == {}


def test_a_deadline_that_was_moved_gets_new_bells_and_the_old_ones_fall_silent(world: World) -> None:
    run = scheduled(world)
    world.pipeline(gold(sla=ABSOLUTE | {"deadline": "12:00"}))
    world.sla("schedule", run)
    world.now = BREACH
    assert world.ring() == ["moot", "moot"]
    assert world.bus.events == []
    world.now = BREACH + timedelta(hours=2)
    assert world.ring() == ["late", "fired"]
    assert world.bus.types == ["SLA_BREACH"]


# fire-alert


def test_a_warning_says_what_the_run_is_doing(world: World) -> None:
    scheduled(world, ABSOLUTE | {"critical": True})
    world.now = WARNING
    assert world.ring() == ["fired"]
    warning = world.bus.the("SLA_WARNING")
    assert warning.message == "gold for 2026-03-03 is due at 2026-03-04T10:00:00.000Z, and its job has not been started"
    assert warning.detail == {
        "status": "RUNNING",
        "reason": None,
        "deadline": "10:00",
        "warningAt": rfc3339(WARNING),
        "breachAt": rfc3339(BREACH),
        "completedAt": None,
        "arrivedAt": None,
        "critical": True,
        "actionHint": "see what the run waits for: its constraints, or its job",
    }


def test_a_warning_is_told_once(world: World) -> None:
    scheduled(world)
    bell = message(world, "warning")
    world.now = WARNING
    world.sla(**bell)
    world.sla(**bell)
    assert world.bus.types == ["SLA_WARNING"]


def test_a_warning_that_comes_after_the_breach_is_not_told(world: World) -> None:
    scheduled(world)
    world.now = BREACH
    assert world.sla(**message(world, "warning")) == {"status": "late"}
    assert world.bus.events == []


def test_a_breach_is_told_once_whoever_rings(world: World) -> None:
    run = scheduled(world)
    bell = message(world, "breach")
    world.now = BREACH
    assert world.sla(**bell) == {"status": "fired"}
    assert world.sla(**bell) == {"status": "decided"}
    world.sla("reconcile", pipelineId="gold", date=DATE)
    world.sla("schedule", run)
    assert world.bus.types == ["SLA_BREACH"]
    assert (rows.pk("gold"), rows.alert_marker("SLA_BREACH", "stream", DATE)) in world.control.rows()


def test_a_date_that_nothing_started_breaches_too(world: World) -> None:
    world.pipeline(gold(sla=ABSOLUTE))
    world.sla("reconcile", pipelineId="gold", date=DATE)
    world.now = BREACH
    assert world.ring() == ["late", "fired"]
    breach = world.bus.the("SLA_BREACH")
    assert breach.message == "gold for 2026-03-03 was due at 2026-03-04T10:00:00.000Z, and has not been started"
    assert breach.detail["status"] == "NOT_STARTED"


def test_a_failed_run_breaches_and_says_that_it_failed(world: World) -> None:
    fail(world, scheduled(world))
    world.now = BREACH
    world.ring()
    breach = world.bus.the("SLA_BREACH")
    assert breach.message.endswith("and has failed: fail")
    assert (breach.detail["status"], breach.detail["reason"]) == ("FAILED_FINAL", "fail")


def test_a_date_that_expired_says_that_it_was_not_started(world: World) -> None:
    world.pipeline(gold(sla=ABSOLUTE))
    world.sla("reconcile", pipelineId="gold", date=DATE)
    config = world.ports.configs.get("gold", world.now)
    assert config is not None
    runs.expire(world.ports, config, DATE, now=world.now)
    world.now = BREACH
    world.ring()
    assert world.bus.the("SLA_BREACH").message.endswith("and was not started before the trigger deadline")


def test_a_completed_date_is_not_told_of(world: World) -> None:
    run = scheduled(world)
    complete(world, run)
    world.now = BREACH
    assert world.ring() == ["completed", "completed"]
    assert world.bus.events == []


def test_a_bell_that_rings_early_is_not_believed(world: World) -> None:
    scheduled(world)
    world.now = BREACH - timedelta(minutes=5)
    assert world.sla(**message(world, "breach")) == {"status": "early"}
    assert world.bus.events == []


@pytest.mark.parametrize(
    "sections",
    [
        {"dryRun": True},
        {"schedule": {"exclude": {"dates": [DATE]}}},
        {"sla": None},
        {"schedule": {"cron": "0 6 * * *"}},
    ],
    ids=["dry run", "excluded", "no SLA", "another schedule"],
)
def test_a_bell_is_moot_when_the_date_has_no_such_deadline_any_more(world: World, sections: dict[str, Any]) -> None:
    scheduled(world)
    world.pipeline(gold(**{"sla": ABSOLUTE} | sections))
    world.now = BREACH
    assert world.ring() == ["moot", "moot"]
    assert world.bus.events == []


def test_a_bell_of_a_date_that_is_not_expected_any_more_is_moot_unless_it_has_a_run(world: World) -> None:
    listed: dict[str, Any] = {"schedule": {"include": {"dates": [DATE]}}}
    world.pipeline(gold(sla=ABSOLUTE, **listed))
    world.sla("reconcile", pipelineId="gold", date=DATE)
    listed["schedule"]["include"]["dates"] = ["2026-04-01"]
    world.pipeline(gold(sla=ABSOLUTE, **listed))
    world.now = BREACH
    bell = message(world, "breach")
    assert world.ring() == ["moot", "moot"]
    world.deliver(world.write_sensor("gold", "orders", **READY))
    assert world.sla(**bell) == {"status": "fired"}


def test_a_removed_pipeline_rings_no_bell(world: World) -> None:
    scheduled(world)
    world.control.delete((rows.pk("gold"), rows.CONFIG))
    world.ports.configs.forget()
    world.now = BREACH
    assert world.ring() == ["moot", "moot"]


def test_a_bell_rings_by_its_message_when_the_configuration_cannot_be_read(world: World) -> None:
    scheduled(world)
    world.control.write({"PK": rows.pk("gold"), "SK": rows.CONFIG, "config": "{"})
    world.ports.configs.forget()
    world.now = BREACH
    assert world.ring() == ["late", "fired"]
    assert world.bus.the("SLA_BREACH").detail["breachAt"] == rfc3339(BREACH)
    assert "the bell rings by its message" in world.log.text("error")


@pytest.mark.parametrize("change", [{"breachAt": None}, {"clock": "lunar"}, {"moment": "noon"}, {"pipelineId": 7}])
def test_a_message_that_no_entry_carries_is_refused(world: World, change: dict[str, Any]) -> None:
    scheduled(world)
    with pytest.raises(PermanentError, match="a message to fire-alert has pipelineId"):
        world.sla(**message(world, "breach") | change)


# cancel


def test_a_run_that_completes_in_time_has_met_its_deadline(world: World) -> None:
    run = complete(world, scheduled(world))
    world.advance(minutes=1)
    assert world.sla("cancel", run) == {"status": "cancelled"}
    met = world.bus.the("SLA_MET")
    assert met.message == (
        "gold for 2026-03-03 was due at 2026-03-04T10:00:00.000Z, and was complete at 2026-03-03T06:00:00.000Z"
    )
    assert met.detail["completedAt"] == "2026-03-03T06:00:00.000Z"
    assert "actionHint" not in met.detail
    assert world.schedules.entries == {}


def test_a_run_that_completes_late_has_breached_even_if_no_bell_rang(world: World) -> None:
    run = scheduled(world)
    world.now = BREACH
    world.sla("cancel", complete(world, run))
    breach = world.bus.the("SLA_BREACH")
    assert breach.message.endswith("and was complete at 2026-03-04T10:00:00.000Z")
    assert breach.detail["actionHint"] == "tell whoever uses the data that it came late"


def test_after_a_breach_completion_is_no_news(world: World) -> None:
    run = scheduled(world)
    world.now = BREACH
    world.ring()
    world.advance(hours=1)
    assert world.sla("cancel", complete(world, run)) == {"status": "cancelled"}
    assert world.bus.types == ["SLA_BREACH"]


def test_a_run_that_failed_keeps_its_bells(world: World) -> None:
    run = fail(world, scheduled(world))
    assert world.sla("cancel", run) == {"status": "kept"}
    assert len(world.schedules.entries) == 2
    assert world.bus.events == []


def test_an_old_execution_may_not_cancel_the_bells_of_a_new_one(world: World) -> None:
    old = fail(world, scheduled(world))
    complete(world, rerun(world, old))
    assert world.sla("cancel", old) == {"status": "superseded"}
    assert len(world.schedules.entries) == 2


def test_a_retry_that_succeeds_in_time_meets_the_deadline_of_the_date(world: World) -> None:
    run = fail(world, scheduled(world))
    world.advance(hours=2)
    run = rerun(world, run)
    world.sla("schedule", run)
    world.advance(hours=1)
    world.sla("cancel", complete(world, run))
    assert world.bus.types == ["SLA_MET"]
    assert world.schedules.entries == {}


def test_a_retry_past_the_deadline_breaches_while_it_runs_and_not_again_when_it_ends(world: World) -> None:
    run = fail(world, scheduled(world))
    world.now = BREACH - timedelta(minutes=10)
    run = rerun(world, run)
    world.sla("schedule", run)
    world.advance(minutes=10)
    assert world.ring() == ["late", "fired"]
    assert world.bus.the("SLA_BREACH").detail["status"] == "RUNNING"
    world.advance(minutes=10)
    world.sla("cancel", complete(world, run))
    assert world.bus.types == ["SLA_BREACH"]


# Verdicts


@pytest.mark.parametrize("days", [0, 200])
def test_nothing_follows_a_verdict_however_late_a_rerun_comes(world: World, days: int) -> None:
    run = complete(world, scheduled(world, ABSOLUTE | RELATIVE))
    world.sla("cancel", run)
    world.now = BREACH + timedelta(days=days)
    again = rerun(world, run, reason="data-drift")
    world.sla("schedule", again)
    world.ring()
    world.sla("reconcile", pipelineId="gold", date=DATE)
    world.sla("cancel", complete(world, again))
    assert world.bus.types == ["SLA_MET"]
    assert world.schedules.entries == {}


def test_each_clock_has_a_verdict_of_its_own(world: World) -> None:
    run = scheduled(world, ABSOLUTE | RELATIVE)
    world.now = RELATIVE_BREACH
    assert world.ring() == ["late", "fired"]
    world.advance(hours=1)
    world.sla("cancel", complete(world, run))
    assert world.bus.types == ["RELATIVE_SLA_BREACH", "SLA_MET"]
    assert world.bus.the("RELATIVE_SLA_BREACH").detail["arrivedAt"] == "2026-03-03T06:00:00.000Z"
    assert world.bus.the("RELATIVE_SLA_BREACH").detail["deadline"] == "2h"


def test_a_relative_deadline_that_is_met_is_no_news(world: World) -> None:
    run = complete(world, scheduled(world, RELATIVE))
    world.sla("cancel", run)
    assert world.bus.events == []
    verdict = world.control.rows()[rows.pk("gold"), rows.verdict_marker("relative", "stream", DATE)]
    assert verdict["data"]["event"] == "RELATIVE_SLA_MET"


def test_a_verdict_is_kept_as_long_as_the_trigger_row(world: World) -> None:
    run = complete(world, scheduled(world))
    world.sla("cancel", run)
    verdict = world.control.rows()[rows.pk("gold"), rows.verdict_marker("sla", "stream", DATE)]
    assert verdict["ttl"] == epoch_seconds(world.now + timedelta(days=400))
    assert KIND not in verdict


def test_a_verdict_that_was_reached_but_not_told_is_told_by_whoever_comes_next(world: World) -> None:
    run = scheduled(world)
    bell = message(world, "breach")
    world.now = BREACH
    world.calls.reset()
    world.calls.kill_after = 2  # the rows were read, the verdict was put
    with pytest.raises(Killed):
        world.sla(**bell)
    assert world.bus.events == []
    world.calls.reset()
    world.advance(minutes=5)
    world.sla("cancel", complete(world, run))
    breach = world.bus.the("SLA_BREACH")
    assert breach.detail["status"] == "RUNNING"
    assert world.bus.types == ["SLA_BREACH"]


def test_a_breach_and_a_completion_that_race_reach_one_verdict(world: World) -> None:
    run = scheduled(world)
    bell = message(world, "breach")
    world.now = BREACH - timedelta(milliseconds=1)
    complete(world, run)
    read_before_the_verdict = world.control.rows()
    deadline = SlaDeadline.of_message(bell)
    world.now = BREACH
    sla_alerts.breach(world.sla_ports, deadline, run, now=world.now)
    sla.attend(world.sla_ports, deadline, read_before_the_verdict, now=world.now)
    assert world.bus.types == ["SLA_BREACH"]


# reconcile


def test_reconcile_fires_what_should_have_fired(world: World) -> None:
    started(world)
    world.now = BREACH + timedelta(hours=1)
    world.sla("reconcile", pipelineId="gold", date=DATE)
    assert world.bus.types == ["SLA_BREACH"]


def test_reconcile_makes_good_a_lost_cancellation(world: World) -> None:
    complete(world, scheduled(world))
    world.now = BREACH + timedelta(hours=1)
    world.sla("reconcile", pipelineId="gold", date=DATE)
    assert world.bus.types == ["SLA_MET"]


@pytest.mark.parametrize(
    "sections",
    [
        {"dryRun": True},
        {"schedule": {"exclude": {"dates": [DATE]}}},
        {"schedule": {"include": {"dates": ["2026-04-01"]}}},
    ],
    ids=["dry run", "excluded", "not expected"],
)
def test_reconcile_leaves_dates_alone_that_nobody_waits_for(world: World, sections: dict[str, Any]) -> None:
    world.pipeline(gold(sla=ABSOLUTE, **sections))
    world.now = BREACH
    world.sla("reconcile", pipelineId="gold", date=DATE)
    assert world.bus.events == []
    assert world.schedules.entries == {}


# A rerun that begins before the execution has asked for the verdict


def completed_and_asked(world: World, sla: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A run that has completed after an hour, and the record of a request for a rerun."""
    run = scheduled(world, sla)
    world.advance(hours=1)
    complete(world, run)
    world.bus.events.clear()
    return run, world.request("gold", DATE, requestedAt=rfc3339(world.now))


def test_the_verdict_is_that_of_the_completed_attempt_however_soon_a_rerun_begins(world: World) -> None:
    run, record = completed_and_asked(world, ABSOLUTE | RELATIVE)
    assert world.deliver(record) == []
    assert the_run(world).attempt == 1
    met = world.bus.the("SLA_MET")
    assert met.detail["completedAt"] == rfc3339(run.started_at + timedelta(hours=1))
    assert world.sla("cancel", run) == {"status": "superseded"}
    world.now = BREACH + timedelta(minutes=1)
    world.ring()
    world.watchdog()
    assert not {kind for kind in world.bus.types if kind.endswith("_BREACH")}


def test_a_completion_after_the_deadline_is_a_breach_before_the_rerun_begins(world: World) -> None:
    run = scheduled(world)
    world.now = BREACH + timedelta(minutes=1)
    complete(world, run)
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))
    assert the_run(world).attempt == 1
    assert world.bus.the("SLA_BREACH").detail["status"] == "COMPLETED"


def test_a_rerun_of_a_failed_attempt_reaches_no_verdict(world: World) -> None:
    fail(world, scheduled(world))
    world.deliver(world.request("gold", DATE, requestedAt=rfc3339(world.now)))
    assert the_run(world).attempt == 1
    assert not {"SLA_MET", "SLA_BREACH"} & set(world.bus.types)


def test_a_rerun_after_the_verdict_tells_it_no_more(world: World) -> None:
    run, record = completed_and_asked(world, ABSOLUTE)
    world.sla("cancel", run)
    world.deliver(record)
    assert the_run(world).attempt == 1
    assert world.bus.types.count("SLA_MET") == 1


# What a run no longer has, or only its task knows


def test_a_pipeline_that_has_become_a_dry_run_gets_no_bells_and_no_verdict(world: World) -> None:
    run = started(world)
    world.pipeline(gold(sla=ABSOLUTE, dryRun=True))
    world.sla("schedule", run)
    assert world.schedules.entries == {}
    complete(world, run)
    world.sla("cancel", run)
    assert world.bus.events == []


def test_the_arrival_that_the_task_knows_counts_when_its_marker_is_gone(world: World) -> None:
    run = started(world, RELATIVE)
    world.control.delete(("PIPELINE#gold", rows.arrival_marker(DATE)))
    world.sla("schedule", run)
    assert RELATIVE_BREACH in world.schedules.instants()


def test_the_bell_of_a_relative_deadline_rings_on_a_date_that_nobody_expected(world: World) -> None:
    run = scheduled(world, RELATIVE)
    bell = message(world, "breach", "relative")
    world.control.delete(run.key)
    world.pipeline(gold(sla=RELATIVE, schedule={"include": {"dates": ["2026-04-01"]}}))
    world.now = RELATIVE_BREACH
    assert world.sla(**bell) == {"status": "fired"}
    assert world.bus.the("RELATIVE_SLA_BREACH").detail["status"] == "NOT_STARTED"
