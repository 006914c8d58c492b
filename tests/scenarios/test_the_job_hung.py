"""The job hung: it is watched for as long as it may take, given up, told of, and run again by hand."""

from __future__ import annotations

from tests.fakes.day import Day
from tests.fakes.gold import DATE, gold

SLA = {"deadline": "09:00", "dayOffset": 0, "expectedDuration": "30m", "critical": True}
DOCUMENT = gold(sla=SLA, postRun=None, job={"jobPollWindowSeconds": 7200, "jobCheckIntervalSeconds": 60})


def a_morning() -> Day:
    """Half past six. The data is there, the constraints hold, the job starts."""
    day = Day("2026-03-03 06:30", DOCUMENT)
    day.sensor("rates", x=1)
    day.sensor("orders", state="ready", count=1200, date=DATE)
    assert day.until("06:30") == ["06:30 VALIDATION_PASSED", "06:30 JOB_TRIGGERED"]
    return day


def test_the_job_hung_until_its_poll_window_closed() -> None:
    # Half past six, and the job has started.
    day = a_morning()

    # It takes its time. For two hours, Interlock asks it every minute, and has nothing to tell but that
    # the deadline comes near.
    assert day.until("08:29") == []

    # Half past eight: the warning is due, and the poll window closes. The job may still be alive, so
    # nobody starts another one; the alert names the run to look for.
    assert set(day.until("08:31")) == {"08:30 SLA_WARNING", "08:30 JOB_POLL_EXHAUSTED"}
    assert day.bus.the("JOB_POLL_EXHAUSTED").detail["runId"] == "jr_0"
    assert day.the_run(DATE).reason == "job-poll-exhausted"
    assert len(day.jobs.jobs) == 1

    # Nine: the deadline. The breach says that the run has failed, and that it was a critical one.
    assert day.until("09:15") == ["09:00 SLA_BREACH"]
    breach = day.bus.the("SLA_BREACH")
    assert breach.message.endswith("and has failed: job-poll-exhausted")
    assert breach.detail["critical"] is True

    # A quarter past nine: somebody has stopped the job, and asks for another run. It starts at once.
    day.jobs.end("STOPPED")
    day.ask_again(DATE, requestedBy="ada", reason="the job hung, and was stopped")
    assert day.until("09:16") == ["09:15 RERUN_ACCEPTED", "09:15 VALIDATION_PASSED", "09:15 JOB_TRIGGERED"]

    # This time it works. The date is complete; about its deadline, everything has been said.
    day.until("09:40")
    day.jobs.end("SUCCEEDED")
    assert day.until("12:00") == ["09:41 JOB_COMPLETED"]
    assert (day.the_run(DATE).attempt, day.the_run(DATE).status) == (1, "COMPLETED")
    assert day.schedules.entries == {} or min(day.schedules.instants()) > day.now


def test_the_job_ran_into_its_own_time_out_and_was_retried_past_the_deadline() -> None:
    # Half past six, and the job has started.
    day = a_morning()

    # Glue stops it at twenty to nine: that is a failure, and gold may try once more.
    day.until("08:25")
    day.jobs.end("TIMEOUT", message="exceeded the job's own limit")
    assert day.until("08:27") == ["08:26 JOB_FAILED", "08:26 VALIDATION_PASSED", "08:26 JOB_TRIGGERED"]

    # The second try is under way when the deadline comes: warned of, and breached.
    assert day.until("09:05") == ["08:30 SLA_WARNING", "09:00 SLA_BREACH"]
    assert day.bus.the("SLA_BREACH").detail["status"] == "RUNNING"

    # It ends well, and late. The verdict stands.
    day.jobs.end("SUCCEEDED")
    assert day.until("12:00") == ["09:06 JOB_COMPLETED"]


def test_the_execution_hung_and_nobody_was_told() -> None:
    # Half past six, and the job has started. It will take until the evening, and may.
    day = Day("2026-03-03 06:30", gold(sla=SLA, postRun=None, job={"jobPollWindowSeconds": 86400}))
    day.sensor("rates", x=1)
    day.sensor("orders", state="ready", count=1200, date=DATE)
    day.until("10:00")
    assert {event.type for event in day.bus.events} >= {"SLA_WARNING", "SLA_BREACH"}

    # At half past ten the execution itself runs into its time-out, and the message about that is lost.
    day.eventbridge_works = False
    assert day.until("10:55") == []
    assert day.the_run(DATE).is_running

    # Half an hour later the watchdog asks Step Functions, and ends the run.
    assert day.until("11:05") == ["11:05 SFN_TIMEOUT"]
    assert day.the_run(DATE).reason == "sfn-timeout"

    # By hand, the date can be run again.
    day.ask_again(DATE)
    assert "11:05 RERUN_ACCEPTED" in day.until("11:06")
