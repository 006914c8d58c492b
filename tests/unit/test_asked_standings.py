"""How a date stands, what it waits for and why, from rows as the runtime itself writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.core import rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.names import SlaClock
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason
from interlock_tf.installation import facts
from interlock_tf.installation.facts import Facts
from interlock_tf.installation.reasons import reasons
from interlock_tf.installation.standings import Standing, State
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.pipelines import pipeline
from tests.fakes.world import START, World


class Told:
    """One pipeline in a world, and how its date stands there."""

    def __init__(self, **sections: Any) -> None:
        self.world = World(START)
        self.document = gold(**sections)
        self.pipeline = pipeline(**self.document)
        self.world.pipeline(self.document)

    def sensor(self, key: str, **fields: Any) -> None:
        self.world.deliver(self.world.write_sensor("gold", key, **fields))

    def change(self, **attributes: Any) -> None:
        """Have the trigger row say something else."""
        key = (rows.pk("gold"), rows.trigger(self.pipeline.schedule_id, DATE))
        row = {**self.world.control.rows()[key], **attributes}
        self.world.control.write({name: value for name, value in row.items() if value is not None})

    def standing(self, date: str = DATE) -> Standing:
        stored = self.world.control.rows()
        found = Facts.of(self.pipeline, ExecutionDate.parse(date), stored)
        wanted = facts.keys(self.pipeline, ExecutionDate.parse(date))
        assert (
            Facts.of(self.pipeline, ExecutionDate.parse(date), {k: stored[k] for k in wanted & stored.keys()}) == found
        )
        return Standing.of(found, self.world.now)

    def why(self, date: str = DATE) -> tuple[str, ...]:
        return reasons(self.standing(date), (), ())


def started(**sections: Any) -> Told:
    told = Told(**sections)
    told.sensor("orders", **READY)
    return told


class TestBeforeARun:
    def test_a_missing_sensor_is_waited_for_since_the_date_began(self) -> None:
        standing = Told().standing()
        assert (standing.state, standing.waits_for) == (State.NO_RUN, ("sensor orders is missing",))
        assert standing.since == datetime(2026, 3, 3, tzinfo=UTC)

    def test_a_condition_that_is_not_met_says_what_was_observed(self) -> None:
        told = Told()
        told.sensor("orders", state="loading", date=DATE)
        (wait,) = told.standing().waits_for
        assert wait == "sensor orders: state is 'loading', but must be equal to 'ready'"

    def test_a_sensor_of_another_date_is_named_as_such(self) -> None:
        told = started()
        (wait,) = told.standing("2026-03-04").waits_for
        assert wait == "sensor orders is missing for 2026-03-04: the one that exists is of 2026-03-03"

    def test_a_sensor_that_does_not_say_its_date_does_not_start_every_date(self) -> None:
        told = Told()
        told.world.write_sensor("gold", "orders", state="ready")
        (wait,) = told.standing().waits_for
        assert wait == "a write of sensor orders: the one that is there does not say of which date it is"

    def test_a_start_that_was_lost_is_told(self) -> None:
        told = Told()
        told.world.write_sensor("gold", "orders", **READY)
        (wait,) = told.standing().waits_for
        assert wait.startswith("a start: sensor orders: state is 'ready'")
        assert wait.endswith("and there is no run yet")

    def test_after_the_trigger_deadline_only_a_request_starts_it(self) -> None:
        trigger = {"key": "orders", "check": "exists", "deadline": "06:00", "dayOffset": 0}
        told = Told(schedule={"trigger": trigger})
        assert told.standing().waits_for == ("sensor orders is missing",)
        assert [each.outcome for each in told.standing().due] == ["open"]
        told.world.advance(minutes=1)
        assert told.standing().waits_for == ("a rerun request: the trigger deadline was 2026-03-03 06:00 UTC",)
        assert [each.outcome for each in told.standing().due] == ["missed"]

    @pytest.mark.parametrize(
        ("cron", "wait"),
        [
            ("0 7 * * *", "cron, at 2026-03-03 07:00 UTC"),
            ("0 5 * * *", "a start: cron was due at 2026-03-03 05:00 UTC, and there is no run"),
            ("0 5 * * 1", "a rerun request: 2026-03-03 is not a day of its cron"),
        ],
    )
    def test_a_cron_is_waited_for(self, cron: str, wait: str) -> None:
        assert Told(schedule={"cron": cron, "trigger": None}).standing().waits_for == (wait,)

    def test_what_was_due_before_anybody_watched_is_not_missed(self) -> None:
        sla = {"deadline": "05:30", "dayOffset": 0, "expectedDuration": "10m"}
        told = Told(schedule={"cron": "0 5 * * *", "trigger": None}, sla=sla)
        assert [each.outcome for each in told.standing().due] == ["missed"]
        told.world.watchdog()  # notes since when it has watched: now
        (wait,) = told.standing().waits_for
        assert wait == "a rerun request: cron was due at 2026-03-03 05:00 UTC, before it was watched"
        assert [each.outcome for each in told.standing().due] == ["off"]

    def test_the_deadline_of_a_start_that_was_due_before_anybody_watched_is_off(self) -> None:
        sla = {"deadline": "09:00", "dayOffset": 0, "expectedDuration": "10m"}
        told = Told(schedule={"cron": "0 5 * * *", "trigger": None}, sla=sla)
        assert [each.outcome for each in told.standing().due] == ["open"]
        told.world.watchdog()  # notes since when it has watched: now
        assert [each.outcome for each in told.standing().due] == ["off"]

    def test_a_listed_date_is_waited_for(self) -> None:
        schedule = {"include": {"dates": ["2026-03-03", "2026-03-05"]}, "time": "07:30", "trigger": None}
        told = Told(schedule=schedule)
        assert told.standing().waits_for == ("schedule.time, at 2026-03-03 07:30 UTC",)
        assert told.standing("2026-03-04").waits_for == (
            "a rerun request: 2026-03-04 is not listed in schedule.include",
        )

    def test_an_excluded_date_waits_for_nothing(self) -> None:
        told = Told(schedule={"exclude": {"dates": [DATE]}}, sla={"deadline": "06:30", "expectedDuration": "10m"})
        assert (told.standing().state, told.standing().waits_for) == (State.EXCLUDED, ())
        assert told.why() == ("no run is started by itself: 2026-03-03 is a date excluded by schedule.exclude",)
        assert [each.outcome for each in told.standing().due] == ["off"]

    def test_a_date_that_ran_under_another_schedule_is_not_missed(self) -> None:
        sla = {"deadline": "05:30", "dayOffset": 0, "expectedDuration": "10m"}
        told = Told(schedule={"cron": "0 5 * * *", "trigger": None}, sla=sla)
        row = {"status": "COMPLETED", "attempt": 0, "startedAt": rfc3339(START), "completedAt": rfc3339(START)}
        told.world.control.write({"PK": rows.pk("gold"), "SK": rows.trigger("stream", DATE), **row})
        (wait,) = told.standing().waits_for
        assert wait == "a rerun request: the date ran under schedule stream, which the pipeline had before: COMPLETED"
        assert [each.outcome for each in told.standing().due] == ["off"]

    def test_a_request_that_is_not_decided_is_told_first(self) -> None:
        told = Told()
        told.world.request("gold", DATE, reason="correction", requestedAt=rfc3339(START))
        assert told.standing().waits_for[0] == "the decision about a rerun request (correction)"

    def test_an_expired_date_says_so(self) -> None:
        told = Told()
        row = {"status": "FAILED_FINAL", "attempt": -1, "reason": "deadline", "completedAt": rfc3339(START)}
        key = {"PK": rows.pk("gold"), "SK": rows.trigger("stream", DATE)}
        told.world.control.write({**key, **row, "startedAt": rfc3339(START)})
        assert told.standing().state is State.EXPIRED
        assert told.why() == ("nothing started it before its trigger deadline; a rerun request still does",)


class TestDryRun:
    def test_nothing_is_started_and_the_observation_is_told(self) -> None:
        told = Told(dryRun=True)
        assert told.why() == ("no job is started: the pipeline is a dry run", "sensor orders is missing")
        told.sensor("rates", updatedAt=rfc3339(START))
        told.sensor("orders", **READY)
        assert (told.standing().state, told.standing().since) == (State.OBSERVED, START)
        assert "its job would have been started at 2026-03-03 06:00 UTC" in told.why()

    def test_an_observation_waits_for_its_rules(self) -> None:
        told = Told(dryRun=True)
        told.sensor("orders", **READY)
        assert told.standing().waits_for == ("sensor rates is missing",)


class TestARun:
    def test_it_waits_for_its_constraints_and_looks_again(self) -> None:
        told = started()
        told.world.advance(minutes=12)
        standing = told.standing()
        assert (standing.state, standing.since) == (State.WAITING, START)
        assert standing.waits_for == ("sensor rates is missing",)
        assert standing.next_look is not None
        assert standing.next_look.at == START + timedelta(minutes=15)
        assert standing.next_look.until == START + timedelta(hours=1)
        assert told.why()[:2] == (
            "attempt 0 was started at 2026-03-03 06:00 UTC by the write of a sensor",
            "the job is not started before all of its constraints hold",
        )

    def test_when_all_hold_it_waits_for_the_next_look(self) -> None:
        told = started()
        told.sensor("rates", rate=1)
        assert told.standing().waits_for == ("the next look: every constraint holds",)

    def test_one_that_was_not_launched_is_about_to_be(self) -> None:
        told = started()
        told.change(executionArn=None)
        assert told.standing().state is State.STARTING

    def test_a_job_is_waited_for_by_its_name(self) -> None:
        told = started()
        at = START + timedelta(minutes=20)
        told.change(intent={"token": "t", "at": rfc3339(at)})
        assert told.standing().waits_for == ("its job, which is being started",)
        job = {"status": "started", "jobType": "glue", "runId": "jr_1", "triggeredAt": rfc3339(at)}
        told.change(intent={"token": "t", "at": rfc3339(at), "job": job}, runId="jr_1")
        told.world.advance(minutes=30, seconds=10)
        standing = told.standing()
        assert (standing.state, standing.since, standing.waits_for) == (State.JOB, at, ("its glue job jr_1",))
        assert standing.next_look is not None
        assert standing.next_look.at == at + timedelta(minutes=11)
        told.change(intent={"token": "t", "at": rfc3339(at), "job": {**job, "status": "success"}})
        assert told.standing().waits_for == ("its execution to end: its glue job jr_1 has ended (success)",)

    def test_one_that_should_have_ended_says_so(self) -> None:
        told = started()
        told.world.advance(hours=6)
        assert any(why.startswith("it should have ended by 2026-03-03 10:30 UTC") for why in told.why())

    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            (Reason.VALIDATION_EXHAUSTED, "its constraints did not hold within the evaluation window"),
            (Reason.TRIGGER_EXHAUSTED, "its job could not be started; the next write of sensor orders tries again"),
            (Reason.JOB_POLL_EXHAUSTED, "its job jr_1 was still running when the poll window closed"),
            (Reason.INFRA_FAILURE, "its execution was broken by the infrastructure"),
            (Reason.SFN_TIMEOUT, "its execution ran into the time-out"),
            (Reason.FAIL, "its job failed"),
            (Reason.TIMEOUT, "its job timed out"),
        ],
    )
    def test_a_failure_says_what_went_wrong(self, reason: Reason, words: str) -> None:
        told = started()
        told.change(status="FAILED_FINAL", reason=str(reason), runId="jr_1", completedAt=rfc3339(START))
        assert (told.standing().state, told.standing().waits_for) == (State.FAILED, ())
        assert told.why()[1].startswith(words)

    def test_a_job_that_may_still_live_is_named(self) -> None:
        told = started()
        told.change(status="FAILED_FINAL", reason="sfn-timeout", completedAt=rfc3339(START), runId="jr_1")
        assert told.why()[1] == "its execution ran into the time-out"
        told.change(intent={"token": "t", "at": rfc3339(START)})
        assert told.why()[1] == "its execution ran into the time-out; its job jr_1 may still live"

    def test_a_failure_that_nobody_decided_about_waits_for_that(self) -> None:
        told = started()
        told.change(status="FAILED_FINAL", reason="fail", interlockKind="UNDECIDED", completedAt=rfc3339(START))
        assert told.standing().waits_for == ("the decision about a retry",)

    def test_a_failure_that_is_not_retried_names_the_budget(self) -> None:
        told = started()
        told.change(status="FAILED_FINAL", reason="fail", interlockKind=None, completedAt=rfc3339(START))
        assert told.why()[2] == "it is not retried: 0 of maxRetries 1 used"

    def test_a_completed_run_waits_for_post_run_sensors(self) -> None:
        told = started()
        told.change(status="COMPLETED", interlockKind="POSTRUN", completedAt=rfc3339(START))
        assert told.standing().waits_for == ("a post-run sensor, until 2026-03-03 08:00 UTC",)
        assert told.why()[1] == "its job succeeded, and the date was complete at 2026-03-03 06:00 UTC"

    def test_a_row_that_cannot_be_read_says_so(self) -> None:
        told = started()
        told.change(status="WHAT")
        standing = told.standing()
        assert standing.state is State.UNREADABLE
        assert "is not as Interlock writes it" in standing.waits_for[0]


SLA: dict[str, Any] = {"deadline": "08:00", "dayOffset": 0, "expectedDuration": "30m", "maxDuration": "1h"}


class TestDeadlines:
    def outcomes(self, told: Told) -> dict[str, str]:
        return {each.what: each.outcome for each in told.standing().due}

    def test_they_come_near_and_are_missed(self) -> None:
        told = started(sla=SLA)
        assert self.outcomes(told) == {"relative": "open", "sla": "open"}
        told.world.advance(minutes=45)
        assert self.outcomes(told) == {"relative": "warned", "sla": "open"}
        nearest = told.standing().next_due
        assert nearest is not None
        assert (nearest.what, nearest.at) == ("relative", START + timedelta(hours=1))
        told.world.advance(hours=2)
        assert self.outcomes(told) == {"relative": "missed", "sla": "missed"}
        assert told.standing().next_due is None

    def test_a_run_that_was_complete_in_time_has_met_them(self) -> None:
        told = started(sla=SLA)
        told.change(status=str(Status.COMPLETED), completedAt=rfc3339(START + timedelta(minutes=90)))
        told.world.advance(hours=5)
        assert self.outcomes(told) == {"relative": "missed", "sla": "met"}

    @pytest.mark.parametrize(("clock", "event"), [("sla", "SLA_BREACH"), ("relative", "RELATIVE_SLA_MET")])
    def test_a_verdict_on_record_stands(self, clock: SlaClock, event: str) -> None:
        told = started(sla=SLA)
        key = {"PK": rows.pk("gold"), "SK": rows.verdict_marker(clock, "stream", DATE)}
        told.world.control.write({**key, "data": {"event": event}})
        assert self.outcomes(told)[clock] == ("met" if event.endswith("MET") else "missed")

    def test_the_zone_is_that_of_the_deadline(self) -> None:
        told = started(sla=SLA | {"timezone": "Asia/Tokyo"})
        assert {each.what: each.zone.key for each in told.standing().due} == {"relative": "UTC", "sla": "Asia/Tokyo"}

    def test_a_day_that_nobody_asked_for_has_none(self) -> None:
        told = Told(schedule={"cron": "0 5 * * 1", "trigger": None}, sla=SLA)
        assert self.outcomes(told) == {"sla": "off"}


def test_everything_is_json() -> None:
    told = started(sla=SLA)
    described = told.standing().describe()
    assert described["state"] == "waiting"
    assert described["nextLook"] == {
        "at": "2026-03-03T06:05:00.000Z",
        "what": "the constraints",
        "until": "2026-03-03T07:00:00.000Z",
        "isEstimate": True,
    }
    assert described["deadlines"][0]["timezone"] == "UTC"
