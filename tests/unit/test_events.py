"""The table of events, and the shape of one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from interlock_runtime.core.events import ALERT_EVENTS, EVENT_TYPES, Event

NOW = datetime(2026, 3, 3, 10, 0, 0, 123456, tzinfo=UTC)

#: As the specification lists them.
SPECIFIED = """
    VALIDATION_PASSED VALIDATION_EXHAUSTED JOB_TRIGGERED JOB_COMPLETED JOB_FAILED RETRY_EXHAUSTED JOB_POLL_EXHAUSTED
    INFRA_FAILURE INFRA_ALARM SFN_TIMEOUT SCHEDULE_MISSED IRREGULAR_SCHEDULE_MISSED SENSOR_DEADLINE_EXPIRED
    PIPELINE_EXCLUDED TRIGGER_RECOVERED LATE_DATA_ARRIVAL RERUN_ACCEPTED RERUN_REJECTED BASELINE_CAPTURE_FAILED
    POST_RUN_BASELINE_CAPTURED POST_RUN_PASSED POST_RUN_FAILED POST_RUN_DRIFT POST_RUN_DRIFT_INFLIGHT
    POST_RUN_SENSOR_MISSING DATA_DRIFT SLA_WARNING SLA_BREACH SLA_MET RELATIVE_SLA_WARNING RELATIVE_SLA_BREACH
    WATCHDOG_DEGRADED DRY_RUN_WOULD_TRIGGER DRY_RUN_LATE_DATA DRY_RUN_SLA_PROJECTION DRY_RUN_DRIFT DRY_RUN_COMPLETED
    DRY_RUN_WOULD_RERUN DRY_RUN_RERUN_REJECTED DRY_RUN_WOULD_RETRY DRY_RUN_RETRY_EXHAUSTED
"""
NAMES = SPECIFIED.split()
QUIET = {"VALIDATION_PASSED", "JOB_TRIGGERED", "POST_RUN_BASELINE_CAPTURED", "POST_RUN_PASSED", "INFRA_ALARM"}


def event(**changes: object) -> Event:
    values = {
        "type": "SLA_BREACH",
        "pipeline_id": "gold",
        "schedule_id": "cron",
        "date": "2026-03-03",
        "message": "The deadline passed.",
    }
    return Event(**values | changes)  # type: ignore[arg-type]


def test_the_table_lists_every_event_once_and_nothing_else() -> None:
    assert sorted(EVENT_TYPES) == sorted(NAMES)
    assert all(name == row.name and row.meaning for name, row in EVENT_TYPES.items())


def test_all_events_are_routed_to_slack_but_four_and_the_alarm_that_has_its_own_rule() -> None:
    assert set(EVENT_TYPES) - set(ALERT_EVENTS) == QUIET


def test_alerts_about_absences_and_deadlines_are_marked_as_sent() -> None:
    named = {"SCHEDULE_MISSED", "IRREGULAR_SCHEDULE_MISSED", "SENSOR_DEADLINE_EXPIRED", "POST_RUN_SENSOR_MISSING"}
    families = {name for name in NAMES if name.startswith(("SLA_", "RELATIVE_SLA_"))}
    assert {name for name, row in EVENT_TYPES.items() if row.marked} == named | families | {"PIPELINE_EXCLUDED"}


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="'SLA_MISSED' is not an event type"):
        event(type="SLA_MISSED")


def test_the_dedupe_key_tells_apart_what_happened_twice_and_joins_what_is_told_twice() -> None:
    assert event().dedupe_key == event(message="told again", detail={"deadline": "08:00"}).dedupe_key
    different = [
        event(),
        event(type="SLA_WARNING"),
        event(pipeline_id="silver"),
        event(schedule_id="stream"),
        event(date="2026-03-04"),
        event(attempt=0),
        event(attempt=1),
        event(cause="tick"),
    ]
    assert len({each.dedupe_key for each in different}) == len(different)
    assert event(attempt=1, cause="tick").dedupe_key == "SLA_BREACH|gold|cron|2026-03-03|1|tick"


def test_the_payload_has_every_key_and_its_detail_is_plain() -> None:
    payload = event(attempt=0, detail={"count": Decimal(2**53 + 1)}).payload(NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert payload == {
        "pipelineId": "gold",
        "scheduleId": "cron",
        "date": "2026-03-03",
        "message": "The deadline passed.",
        "timestamp": "2026-03-03T10:00:00.123Z",
        "detail": {"count": 2**53 + 1},
        "attempt": 0,
        "correlationId": "gold/cron/2026-03-03",
        "dedupeKey": "SLA_BREACH|gold|cron|2026-03-03|0|",
    }
    assert event(correlation_id="abc").payload(NOW)["correlationId"] == "abc"


def test_an_entry_is_what_put_events_takes() -> None:
    entry = event().entry(bus="interlock", now=NOW)
    assert {key: entry[key] for key in ("Source", "DetailType", "EventBusName", "Time")} == {
        "Source": "interlock",
        "DetailType": "SLA_BREACH",
        "EventBusName": "interlock",
        "Time": NOW,
    }
    assert json.loads(entry["Detail"]) == event().payload(NOW)
