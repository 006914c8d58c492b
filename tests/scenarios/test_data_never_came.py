"""Data never came: it is missed, warned of and breached, each exactly once and in time."""

from __future__ import annotations

from tests.fakes.day import Day
from tests.fakes.gold import gold

SLA = {"deadline": "10:00", "dayOffset": 0, "expectedDuration": "45m"}

#: The books are closed on the last day of the month, when their sensor says so; expected by seven.
MONTH_END = gold(
    schedule={"include": {"dates": ["2026-03-31", "2026-04-30"]}, "time": "07:00"},
    sla=SLA,
)
DATE = "2026-03-31"


def test_the_sensor_never_came() -> None:
    # It is the last day of the month, early in the morning. Nobody expects anything yet.
    day = Day("2026-03-31 06:00", MONTH_END)
    assert day.until("07:09") == []

    # At seven the books should have been closed. Ten minutes of grace later, nothing has started.
    assert day.until("07:15") == ["07:10 IRREGULAR_SCHEDULE_MISSED"]

    # Three quarters of an hour is what the job takes. From now on it can hardly be done in time.
    assert day.until("09:20") == ["09:15 SLA_WARNING"]

    # At ten it is certain. The bell rings on the minute, not when the watchdog comes by.
    assert day.until("10:00") == ["10:00 SLA_BREACH"]
    breach = day.bus.the("SLA_BREACH")
    assert breach.message == "gold for 2026-03-31 was due at 2026-03-31T10:00:00.000Z, and has not been started"
    assert breach.detail["status"] == "NOT_STARTED"

    # For the rest of the day, and the next one, nobody says it again.
    assert day.until("2026-04-01 23:55") == []


def test_the_sensor_came_hours_late() -> None:
    # Once more nothing comes, and everybody has been told by ten.
    day = Day("2026-03-31 06:00", MONTH_END)
    assert day.until("10:30") == ["07:10 IRREGULAR_SCHEDULE_MISSED", "09:15 SLA_WARNING", "10:00 SLA_BREACH"]

    # At half past ten the data is there after all. The run starts at once.
    day.sensor("rates", x=1)
    day.sensor("orders", state="ready", count=1200, date=DATE)
    assert day.until("10:31") == ["10:30 VALIDATION_PASSED", "10:30 JOB_TRIGGERED"]

    # The job does its work. That it is done is told; about the deadline, everything has been said.
    day.until("11:00")
    day.jobs.end("SUCCEEDED")
    told = day.until("12:00")
    assert "11:01 JOB_COMPLETED" in told
    assert not [each for each in told if "SLA" in each]


def test_the_tick_never_came() -> None:
    # A pipeline that a cron starts at six, and a Scheduler that has stopped ticking.
    day = Day("2026-03-03 05:50", gold(schedule={"trigger": None, "cron": "0 6 * * *"}, sla=SLA))
    day.eventbridge_works = False
    assert day.until("06:09") == []

    # Ten minutes past six the watchdog misses the run.
    assert day.until("06:15") == ["06:10 SCHEDULE_MISSED"]
    assert day.bus.the("SCHEDULE_MISSED").detail["cron"] == "0 6 * * *"

    # The bells are Scheduler's, too, so none rings. The watchdog tells the breach with its next pass.
    assert day.until("10:10") == ["10:00 SLA_BREACH"]

    # Scheduler is mended overnight. The next day is a day like any other.
    day.eventbridge_works = True
    day.sensor("rates", x=1)
    day.sensor("orders", state="ready", count=1200)
    told = day.until("2026-03-04 06:05")
    assert told == ["06:00 VALIDATION_PASSED", "06:00 JOB_TRIGGERED"]


def test_the_record_of_the_sensor_never_came() -> None:
    # The sensor is written at seven, and its stream record is lost.
    day = Day("2026-03-03 06:55", gold(sla=SLA, postRun=None))
    day.streams_work = False
    day.until("07:00")
    day.sensor("rates", x=1)
    day.sensor("orders", state="ready", count=1200, date="2026-03-03")

    # The next pass finds the sensor without a run, looks again to be sure, and makes the start good.
    assert day.until("07:05") == ["07:05 TRIGGER_RECOVERED", "07:05 VALIDATION_PASSED", "07:05 JOB_TRIGGERED"]

    # The job takes an hour, and nobody has to know that anything went wrong on the way.
    day.streams_work = True
    day.until("08:00")
    day.jobs.end("SUCCEEDED")
    assert set(day.until("08:10")) == {"08:01 JOB_COMPLETED", "08:01 SLA_MET"}
    assert day.until("12:00") == []
