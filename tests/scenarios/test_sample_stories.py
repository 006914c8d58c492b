"""Days of the sample pipelines, from the emitted stack and the real zips."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock_tf.testing import Kind, Scenario

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

Begin = Callable[[str, str], Scenario]


def test_gold_revenue_starts_its_job_once_the_constraints_hold(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.at("07:55")
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.at("08:15")
    story.expect_nothing()  # the refunds are missing
    story.sensor("refunds-loaded", updatedAt="2026-11-24T13:10:00Z")
    story.at("08:21")  # the next look, five minutes after the last
    story.expect("VALIDATION_PASSED")
    story.expect("JOB_TRIGGERED")
    story.at("08:49")
    story.expect_nothing()
    story.at("08:51")  # half an hour, the expected duration
    story.expect("JOB_COMPLETED")
    story.expect("SLA_MET")
    story.at("23:59")
    story.expect_nothing()


def test_gold_revenue_is_tried_again_after_a_failure_that_may_pass(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.sensor("refunds-loaded", updatedAt="2026-11-24T12:10:00Z")
    story.at("08:05")
    story.expect("JOB_TRIGGERED")
    story.job_fails(category="TRANSIENT")
    story.at("08:07")
    story.expect("JOB_FAILED")
    story.expect("JOB_TRIGGERED")
    story.job_succeeds()
    story.at("08:10")
    story.expect("JOB_COMPLETED")


def test_a_failure_that_no_repetition_mends_has_a_budget_of_its_own(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.sensor("refunds-loaded", updatedAt="2026-11-24T12:10:00Z")
    story.at("08:05")
    story.expect("JOB_TRIGGERED")
    story.job_fails(category="PERMANENT")  # Glue cannot say so: the job writes it into the job log
    story.at("08:10")
    story.expect("JOB_TRIGGERED")
    story.job_fails(category="PERMANENT")
    story.at("08:15")
    story.expect("RETRY_EXHAUSTED")


def test_gold_revenue_says_what_was_missing_when_the_window_is_used_up(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.sensor("orders-loaded", status="complete", row_count=999)
    story.at("10:06")
    story.expect("SLA_WARNING")
    ended = story.expect("VALIDATION_EXHAUSTED")
    assert "refunds-loaded is missing" in str(ended.detail)
    story.at("10:31")
    story.expect("SLA_BREACH", critical=True)
    story.advance(hours=6)
    story.expect_nothing()  # a verdict is a verdict


def test_gold_revenue_is_left_out_on_a_holiday(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-26T07:00")
    story.at("12:00")
    story.expect("PIPELINE_EXCLUDED")
    story.expect_nothing()


def test_a_rerun_without_newer_data_is_refused(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.sensor("refunds-loaded", updatedAt="2026-11-24T12:10:00Z")
    story.at("09:00")
    story.expect("JOB_COMPLETED")
    story.rerun("a correction")
    story.advance(minutes=1)
    story.expect("RERUN_REJECTED")


def test_clickstream_runs_for_the_hour_in_the_key_and_reruns_when_the_count_has_drifted(begin: Begin) -> None:
    story = begin("clickstream-hourly", "2026-11-24T11:05")
    story.sensor("clickstream-counts#2026-11-24T10", sensor_count=9000, duplicate_share=0.001)
    story.sensor("clickstream-landed#2026-11-24T10", status="complete", missing_partitions=0)
    started = story.expect("JOB_TRIGGERED")
    assert started.date == "2026-11-24T10"
    story.at("11:20")
    story.expect("JOB_COMPLETED")
    story.at("11:25")
    story.sensor("clickstream-counts#2026-11-24T10", sensor_count=9800, duplicate_share=0.001)
    story.expect("POST_RUN_DRIFT", previous=9000, current=9800)
    story.advance(minutes=1)
    story.expect("RERUN_ACCEPTED")
    story.expect("JOB_TRIGGERED")


def test_fx_rates_end_with_the_function_and_one_feed_is_enough(begin: Begin) -> None:
    story = begin("fx-rates", "2026-11-24T15:50")
    story.sensor("feed-primary", healthy=False, date="2026-11-24")
    story.sensor("feed-backup", updatedAt="2026-11-24T14:30:00Z", date="2026-11-24")
    story.at("16:00")
    story.sensor("fx-published", rates=41)
    story.expect("JOB_TRIGGERED")
    story.expect("JOB_COMPLETED")
    story.expect("SLA_MET")


def test_fx_rates_that_never_come_are_missed_at_the_deadline(begin: Begin) -> None:
    story = begin("fx-rates", "2026-11-24T15:50")
    story.at("17:40")
    story.expect("SENSOR_DEADLINE_EXPIRED")


def test_customer_360_is_polled_in_airflow(begin: Begin) -> None:
    story = begin("customer-360", "2026-11-24T04:00")
    for feed in ("crm-export", "billing-export"):
        story.sensor(feed, status="ok")
    story.at("04:31")
    story.expect("JOB_TRIGGERED")
    story.job_fails()
    story.at("04:33")
    story.expect("JOB_FAILED")
    story.expect("JOB_TRIGGERED")


def test_board_pack_is_expected_on_its_dates(begin: Begin) -> None:
    story = begin("board-pack", "2026-12-10T13:00")
    story.at("14:20")
    story.expect("IRREGULAR_SCHEDULE_MISSED")
    story.sensor("consolidation", open_items=0)
    story.sensor("figures-signed-off", status="final")
    story.expect("JOB_TRIGGERED")
    story.expect("JOB_COMPLETED")


def test_a_dry_run_starts_nothing(begin: Begin) -> None:
    story = begin("inventory-snapshot", "2026-11-24T22:00")
    story.sensor("stock-count", items=5000, date="2026-11-24")
    story.sensor("warehouses-closed", status="complete", warehouses=14, date="2026-11-24")
    story.expect("DRY_RUN_WOULD_TRIGGER")
    story.expect("DRY_RUN_COMPLETED")
    assert not [entry for entry in story.timeline if entry.kind in (Kind.JOB, Kind.RUN)]


def test_the_same_story_is_the_same_to_the_byte(begin: Begin) -> None:
    def told() -> list[object]:
        story = begin("gold-revenue", "2026-11-24T07:50")
        story.sensor("orders-loaded", status="complete", row_count=1200)
        story.job_fails()
        story.sensor("refunds-loaded", updatedAt="2026-11-24T12:10:00Z")
        story.at("12:00")
        rows = [story.world.tables.rows(name) for name in ("dev-interlock-events", "dev-interlock-control")]
        return [[entry.describe() for entry in story.timeline], rows]

    assert told() == told()


def test_an_expectation_that_is_not_met_shows_what_happened(begin: Begin) -> None:
    story = begin("gold-revenue", "2026-11-24T07:50")
    story.at("08:01")
    with pytest.raises(AssertionError, match=r"expected JOB_TRIGGERED(.|\n)*08:00:00 .* evaluation not ready"):
        story.expect("JOB_TRIGGERED")
    with pytest.raises(ValueError, match="no event 'JOB_TRIGERED'"):
        story.expect("JOB_TRIGERED")
    with pytest.raises(ValueError, match="has passed"):
        story.at("07:00")


def test_the_story_in_the_documentation_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told = runpy.run_path(str(ROOT / "docs/examples/scenario.py"))
    told["test_gold_revenue_waits_for_this_mornings_refunds"]()


def test_one_rule_that_is_enough_is_named_as_the_reason(begin: Begin) -> None:
    story = begin("fx-rates", "2026-11-24T15:50")
    story.sensor("feed-primary", healthy=False, date="2026-11-24")
    story.sensor("feed-backup", updatedAt="2026-11-24T14:30:00Z", date="2026-11-24")
    story.sensor("fx-published", rates=41)
    passed = next(entry for entry in story.timeline if entry.kind is Kind.EVALUATION)
    assert (passed.what, passed.detail["attempt"]) == ("passed", 0)
    assert passed.why.startswith("one rule is enough: sensor feed-backup: updatedAt is")
    assert "feed-primary" not in passed.why
