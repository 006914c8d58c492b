"""The watchdog itself failed: one check is down, the others do their work, and people are told."""

from __future__ import annotations

from collections.abc import Iterator

from interlock_runtime.core import rows
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.rows import KIND, Kind, Row
from tests.fakes.day import Day
from tests.fakes.gold import DATE, gold

DOCUMENT = gold(schedule={"trigger": None, "cron": "0 6 * * *"}, sla={"deadline": "08:00", "expectedDuration": "30m"})


def test_one_check_failed_and_the_others_did_their_work() -> None:
    # A pipeline that was to start at six, and did not: Scheduler is down.
    day = Day("2026-03-03 05:55", DOCUMENT)
    day.eventbridge_works = False

    # DynamoDB cannot list what is running, either. The check for stale runs cannot be made.
    def of_kind(kind: Kind) -> Iterator[Row]:
        if kind == Kind.RUNNING:
            raise TransientError("the index is throttled")
        return listed(kind)

    listed = day.control.of_kind
    day.control.of_kind = of_kind  # type: ignore[method-assign]

    # The watchdog says which check it could not make, once an hour. All the others are made: the
    # missed schedule is told at ten past, and the breach, whose bell never rang, when it is due.
    assert day.until("06:10") == ["06:00 WATCHDOG_DEGRADED", "06:10 SCHEDULE_MISSED"]
    assert day.until("08:00") == ["07:00 WATCHDOG_DEGRADED", "08:00 SLA_BREACH", "08:00 WATCHDOG_DEGRADED"]

    # Every one of those passes ended in an error, so that the alarm on the function rings as well.
    assert len(day.degraded) == 25
    assert day.degraded[0] == (
        "1 of the watchdog's 9 checks failed (stale-runs): stale-runs: TransientError: the index is throttled"
    )

    # The index is back, and the watchdog is quiet. What had been told is not told again.
    day.control.of_kind = listed  # type: ignore[method-assign]
    assert day.until("12:00") == []
    assert len(day.degraded) == 25


def test_a_pipeline_that_nobody_can_read_hides_none_of_the_others() -> None:
    # Somebody has written rubbish in place of a pipeline's document.
    day = Day("2026-03-03 05:55", DOCUMENT)
    day.eventbridge_works = False
    day.control.write({"PK": rows.pk("rubbish"), "SK": rows.CONFIG, "config": "{}", KIND: str(Kind.CONFIG)})

    # The watchdog names it, and watches over the other one.
    assert day.until("06:10") == ["06:00 WATCHDOG_DEGRADED", "06:10 SCHEDULE_MISSED"]
    assert day.bus.the("WATCHDOG_DEGRADED").detail["pipelines"] == ["rubbish"]
    assert day.bus.the("SCHEDULE_MISSED").pipeline_id == "gold"


def test_the_watchdog_was_away_for_hours() -> None:
    # Nobody passes by from six to nine: no tick, no bell, no watchdog.
    day = Day("2026-03-03 05:55", DOCUMENT)
    day.eventbridge_works = False
    day.keep_the_watchdog_away(until="09:00")

    # At nine it comes, and tells what it finds, late but not never.
    assert set(day.until("09:00")) == {"09:00 SCHEDULE_MISSED", "09:00 SLA_BREACH"}
    assert day.bus.the("SCHEDULE_MISSED").date == DATE
    assert day.until("12:00") == []
