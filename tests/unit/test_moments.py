"""The timeline as people read it, and its numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from interlock_runtime.core.events import EVENT_TYPES
from interlock_tf.local.moments import Moment, Tone, folded, moments, words
from interlock_tf.local.tally import Tally, figures, sentence, tallies
from interlock_tf.local.timeline import Entry, Kind
from tests.fakes.timelines import entry, pipeline, run

GOLD = {"gold": pipeline()}
CLICKS = {"clicks": pipeline("clicks", hourly=True)}


def told(entries: list[Entry], zone: str = "UTC") -> list[str]:
    return [f"{each.at:%H:%M} {each.what}: {each.why}" for each in moments(entries, GOLD, ZoneInfo(zone))]


def test_a_start_and_an_end_are_one_moment_each() -> None:
    assert told(run("08:00", "08:10")) == [
        "08:00 job starts: attempt 0: glue gold-etl",
        "08:10 job completed: after 10m",
    ]


def test_a_failure_says_of_which_kind_it_is() -> None:
    *_, failed = moments(run("08:00", "08:10", outcome="fail, TRANSIENT"), GOLD, UTC)
    assert (failed.what, failed.why, failed.tone) == (
        "job failed",
        "TRANSIENT after 10m: a worker was lost",
        Tone.WARNING,
    )


def test_a_job_whose_end_nobody_saw_is_told_nevertheless() -> None:
    entries = [each for each in run("08:00", "08:10") if each.what != "JOB_COMPLETED"]
    assert told(entries)[-1] == "08:10 job ends: success: glue gold-etl"


def test_a_verdict_that_differs_only_in_its_numbers_is_told_once() -> None:
    about = {"date": "2026-03-03", "attempt": 0}
    entries = [
        entry("08:00", Kind.EVALUATION, "not ready", "refunds are 7h5m old", **about),
        entry("08:05", Kind.EVALUATION, "not ready", "refunds are 7h10m old", **about),
        entry("08:10", Kind.EVALUATION, "not ready", "refunds are missing", **about),
        entry("08:15", Kind.EVALUATION, "not ready", "refunds are 7h20m old", **about),
    ]
    assert [each.partition(" ")[0] for each in told(entries)] == ["08:00", "08:10", "08:15"]


def test_an_evaluation_that_passes_without_a_start_is_told() -> None:
    passed = entry("08:00", Kind.EVALUATION, "passed", "every rule holds", date="2026-03-03", attempt=0)
    assert told([passed]) == ["08:00 evaluation passed: every rule holds"]


def test_instants_in_texts_become_times_of_the_zone() -> None:
    late = entry("08:00", Kind.EVENT, "SLA_WARNING", "due at 2026-03-03T08:30:00.000Z, not 2026-03-03T23:30:05.000Z")
    assert told([late], "Europe/Berlin") == ["08:00 SLA warning: due at 09:30, not 2026-03-04 00:30:05"]


def test_a_sensor_is_told_without_what_says_only_when_it_was_written() -> None:
    written = {"rows": 3, "date": "2026-03-03", "updatedAt": "2026-03-03T08:00:00Z"}
    older = {"updatedAt": "2026-03-03T07:00:00Z", "healthy": False}
    entries = [entry("08:00", Kind.SENSOR, "orders", "", **each) for each in (written, older, {})]
    assert [each.why for each in moments(entries, GOLD, UTC)] == ["rows 3", "updatedAt 07:00, healthy false", "written"]


def test_failures_and_alarms_are_critical_and_ordinary_runs_are_left_out() -> None:
    entries = [
        entry("08:00", Kind.FAILURE, "orchestrator", "KeyError: x", pipeline=None),
        entry("08:01", Kind.ALARM, "ALARM errors", "one", pipeline=None),
        entry("08:02", Kind.ALARM, "OK errors", "none", pipeline=None),
        entry("08:03", Kind.RUN, "timed_out", "attempt 0"),
    ]
    tones = [Tone.CRITICAL, Tone.CRITICAL, Tone.GOOD, Tone.CRITICAL]
    assert [each.tone for each in moments(entries, GOLD, UTC)] == tones


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_has_words(name: str) -> None:
    assert words(name)
    assert "_" not in words(name)


def hour(number: int, **more: str) -> list[Entry]:
    date = f"2026-03-03T{number:02}"
    about = {"pipeline": "clicks", "date": date, **more}
    after = f"{number + 1:02}"
    return [
        entry(f"{after}:04", Kind.SENSOR, f"orders#{date}", "", pipeline="clicks"),
        *run(f"{after}:05", f"{after}:15", **about),  # type: ignore[arg-type]
        entry(f"{after}:15", Kind.EVENT, "SLA_MET", "in time", **about),  # type: ignore[arg-type]
    ]


def folded_hours(entries: list[Entry]) -> list[Moment]:
    return folded(moments(entries, CLICKS, UTC), CLICKS)


def test_hours_as_they_should_be_are_one_moment() -> None:
    (streak,) = folded_hours([*chain.from_iterable(hour(number) for number in (3, 4, 5))])
    assert streak.what == "3 quiet hours"
    assert streak.why.startswith("2026-03-03T03 to 2026-03-03T05: ")
    assert streak.why.endswith("3 of 3 deadlines met")
    assert streak.at == datetime(2026, 3, 3, 4, 4, tzinfo=UTC)
    assert streak.until == datetime(2026, 3, 3, 6, 15, tzinfo=UTC)


def test_an_hour_with_a_retry_an_alert_or_a_wait_is_told_in_full() -> None:
    about = {"pipeline": "clicks", "date": "2026-03-03T04"}
    for extra in (
        run("05:20", "05:30", attempt=1, **about),
        [entry("05:50", Kind.EVENT, "POST_RUN_DRIFT", "moved", **about)],  # type: ignore[arg-type]
        [entry("05:04", Kind.EVALUATION, "not ready", "not yet", attempt=0, **about)],  # type: ignore[arg-type]
        [entry("05:40", Kind.REQUEST, "rerun", "please", **about)],  # type: ignore[arg-type]
    ):
        told = folded_hours([*hour(3), *hour(4), *extra, *hour(5)])
        assert [each.what for each in told if "quiet" in each.what] == ["a quiet hour", "a quiet hour"]
        assert len(told) > 5


def test_hours_with_a_gap_between_them_are_two_moments_and_an_unfinished_one_is_none() -> None:
    unfinished = [each for each in hour(8) if "JOB_COMPLETED" not in each.what]
    told = folded_hours([*hour(3), *hour(5), *hour(6), *unfinished])
    assert [each.what for each in told][:2] == ["a quiet hour", "2 quiet hours"]
    assert len(told) > 2


def test_daily_pipelines_are_never_folded() -> None:
    entries = run("08:00", "08:10")
    assert len(folded(moments(entries, GOLD, UTC), GOLD)) == 2


def test_the_numbers_are_those_of_what_happened() -> None:
    about = {"date": "2026-03-03"}
    entries = [
        entry("08:00", Kind.EVALUATION, "not ready", "no refunds", attempt=0, **about),
        *run("08:10", "08:20", outcome="fail, TRANSIENT"),
        *run("08:20", "08:30", attempt=1),
        entry("08:30", Kind.EVENT, "SLA_MET", **about),
        entry("09:00", Kind.EVENT, "RERUN_REJECTED", **about),
        entry("10:00", Kind.EVENT, "SLA_BREACH", date="2026-03-02"),
        entry("10:00", Kind.EVENT, "SCHEDULE_MISSED", date="2026-03-02"),
        entry("11:00", Kind.EVALUATION, "not ready", "nothing", date="2026-03-02", attempt=0),
        entry("12:00", Kind.EVALUATION, "exhausted", "nothing", date="2026-03-02", attempt=0),
        entry("13:00", Kind.EVENT, "DRY_RUN_WOULD_TRIGGER", **about),
        entry("13:00", Kind.EVENT, "JOB_FAILED", pipeline="another"),
    ]
    (gold,) = tallies(entries, ["gold"]).values()
    assert gold == Tally(
        runs=2,
        repeated=1,
        jobs=2,
        failed=1,
        held=1,
        prevented=1,
        refused=1,
        missed=1,
        met=1,
        breached=1,
        warnings=2,
        criticals=2,
        rehearsed=1,
    )
    assert sentence(gold + Tally(runs=1)).startswith("3 runs · 2 jobs, 1 failed · 1 held back · 1 never started · ")
    assert sentence(Tally()) == "nothing happened"
    assert [figure.number for figure in figures(gold)] == ["1", "2", "2", "2", "1/2", "4"]
