"""A pipeline goes live, and gets another schedule: what happened before that is not done again."""

from __future__ import annotations

from tests.fakes.day import Day
from tests.fakes.gold import gold

MONDAY, TUESDAY, WEDNESDAY = "2026-03-02", "2026-03-03", "2026-03-04"
LIVE = gold(postRun=None)


def data(day: Day, date: str, *, count: int = 1200) -> None:
    """The data of a date is there, and says so."""
    day.sensor("rates", x=1)
    day.sensor(f"orders#{date}", state="ready", count=count)


def test_removing_dry_run_starts_nothing_that_was_observed() -> None:
    # Gold is new, and only observed. On Monday and on Tuesday its data comes.
    day = Day(f"{MONDAY} 05:50", LIVE | {"dryRun": True})
    day.until("06:00")
    data(day, MONDAY)
    assert day.until("06:30") == ["06:00 DRY_RUN_WOULD_TRIGGER", "06:00 DRY_RUN_COMPLETED"]
    day.until(f"{TUESDAY} 06:00")
    data(day, TUESDAY)
    assert day.until("06:30") == ["06:00 DRY_RUN_WOULD_TRIGGER", "06:00 DRY_RUN_COMPLETED"]

    # It would have done right, so dryRun is removed. The watchdog comes by for the rest of the day, and
    # finds two dates with data and without a run. They were observed, not lost.
    day.until("10:02")
    day.deploy(LIVE)
    assert day.until("23:55") == []
    assert day.executions.inputs == {}

    # Wednesday is the first day that counts.
    day.until(f"{WEDNESDAY} 06:00")
    data(day, WEDNESDAY)
    assert day.until("06:30") == ["06:00 VALIDATION_PASSED", "06:00 JOB_TRIGGERED"]
    assert len(day.jobs.jobs) == 1


def test_removing_dry_run_starts_nothing_that_was_held_back() -> None:
    # On Tuesday the data of a dry run comes, and there is too little of it: nothing would have been started.
    day = Day(f"{TUESDAY} 05:50", LIVE | {"dryRun": True})
    day.until("06:00")
    data(day, TUESDAY, count=3)
    assert day.until("10:02") == []

    # Gold goes live. Nobody evaluates at ten what was written at six.
    day.deploy(LIVE)
    assert day.until("10:30") == []
    assert day.executions.inputs == {}

    # When the data of the day comes in full at eleven, that is a write like any other. The job runs.
    day.until("11:00")
    data(day, TUESDAY)
    assert day.until("11:05") == ["11:00 VALIDATION_PASSED", "11:00 JOB_TRIGGERED"]


def test_a_start_that_is_lost_after_the_change_is_made_good() -> None:
    # Gold goes live on Monday evening.
    day = Day(f"{MONDAY} 05:50", LIVE | {"dryRun": True})
    day.until("20:02")
    day.deploy(LIVE)
    day.until(f"{TUESDAY} 05:58")

    # On Tuesday the stream record of its sensor is lost. The watchdog starts the run.
    day.streams_work = False
    data(day, TUESDAY)
    assert day.until("06:02") == ["06:00 TRIGGER_RECOVERED", "06:00 VALIDATION_PASSED", "06:00 JOB_TRIGGERED"]


def test_adding_a_cron_runs_no_date_again() -> None:
    # Data starts gold at six, and by seven the date is complete.
    day = Day(f"{TUESDAY} 05:50", LIVE)
    day.until("06:00")
    data(day, TUESDAY)
    day.until("06:30")
    day.jobs.end("SUCCEEDED")
    assert "06:31 JOB_COMPLETED" in day.until("08:02")

    # At eight it gets a cron as well, which fires at nine. The date has run, so neither the watchdog nor
    # the tick starts it again, and nobody misses it.
    day.deploy(gold(postRun=None, schedule={"cron": "0 9 * * *"}))
    assert day.until("10:00") == []
    assert len(day.jobs.jobs) == 1

    # At ten the data of the date is written once more. Interlock does not run a date twice by itself when
    # its schedule is another one: it tells, and says how to run it.
    data(day, TUESDAY, count=1300)
    assert day.until("10:30") == ["10:00 LATE_DATA_ARRIVAL"]
    assert day.bus.the("LATE_DATA_ARRIVAL").detail["actionHint"] == (
        "write RERUN_REQUEST#cron#2026-03-03 to run the date again"
    )

    # On Wednesday the cron comes first, and starts the run.
    day.until(f"{WEDNESDAY} 09:00")
    assert day.the_run(WEDNESDAY).cause == "tick:2026-03-04T09:00:00.000Z"
