"""What the commands say in the course of a day, of the emitted stack with its real functions."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.errors import ConfigError
from interlock_tf.commands import events, explain, rerun, sensor, status
from interlock_tf.installation.explain_text import explain_parts
from interlock_tf.installation.explanation import explain as explained_date
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.testing import Scenario
from tests.fakes.asked import asked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PIPELINES, CALENDARS = ROOT / "pipelines", ROOT / "calendars"

Ask = Callable[..., Any]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Give a command about a story; what it prints, read from its JSON."""

    def given(story: Scenario, command: Any, *words: str, code: int = 0, **more: Any) -> Any:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        arguments = parser.parse_args([*words, "--env", "dev", "--json"])
        assert command.answer(asked(story.world), arguments, **more) == code
        out = capsys.readouterr().out
        return [json.loads(line) for line in out.splitlines()] if command is events else json.loads(out)

    return given


def begin(start: str = "2026-11-24T07:50", pipeline: str = "gold-revenue") -> Scenario:
    return Scenario.of_pipelines(PIPELINES, calendars=CALENDARS, pipeline=pipeline, start=start)


def the(found: Any, pipeline: str) -> Any:
    return next(each for each in found["pipelines"] if each["pipeline"] == pipeline)


def test_a_morning_of_gold_revenue(ask: Ask) -> None:
    story = begin()
    before = the(ask(story, status), "gold-revenue")
    assert before["last"] is None
    assert before["waitsFor"] == ["cron, at 2026-11-24 08:00 EST"]
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.at("08:12")  # looked at 08:00, 08:05 and 08:10
    waiting = ask(story, explain, "gold-revenue")
    assert (waiting["state"], waiting["waitsFor"]) == ("waiting", ["sensor refunds-loaded is missing"])
    estimate = waiting["nextLook"]["at"]
    ask(story, sensor, "put", "gold-revenue", "refunds-loaded", "--updated-at", "now")
    story.at("08:16")
    story.expect("VALIDATION_PASSED")
    running = the(ask(story, status, "gold-revenue"), "gold-revenue")["last"]
    assert (running["state"], running["attempt"]) == ("job", 0)
    # The estimate was right: the job was started when the constraints were looked at next.
    assert running["since"][:16] == estimate[:16]
    assert running["runId"] in running["waitsFor"][0]
    story.at("09:00")
    done = ask(story, explain, "gold-revenue")
    assert (done["state"], done["waitsFor"]) == ("completed", [])
    assert [(each["what"], each["outcome"]) for each in done["deadlines"]] == [("sla", "met")]
    assert [each["event"] for each in done["jobLog"]] == ["success"]
    assert done["rerunRequest"]["check"] == "circuit breaker"
    told = [each["type"] for each in ask(story, events, "gold-revenue")]
    assert set(told[:2]) == {"VALIDATION_PASSED", "JOB_TRIGGERED"}  # no time passes between them here
    assert set(told[2:]) == {"JOB_COMPLETED", "SLA_MET"}


def test_a_rerun_is_followed_to_its_answer(ask: Ask) -> None:
    story = begin()
    story.sensor("orders-loaded", status="complete", row_count=1200)
    story.sensor("refunds-loaded", updatedAt="2026-11-24T13:00:00Z")
    story.at("09:00")
    story.expect("JOB_COMPLETED")

    def sleep(seconds: float) -> None:
        story.advance(seconds=seconds)

    words = ("gold-revenue", "2026-11-24", "--reason", "correction", "--by", "me", "--wait")
    refused = ask(story, rerun, *words, code=1, sleep=sleep)
    assert refused["doubt"]["check"] == "circuit breaker"
    assert refused["answer"]["event"] == "RERUN_REJECTED"
    assert refused["answer"]["why"] == refused["doubt"]["why"]
    ask(story, sensor, "put", "gold-revenue", "refunds-loaded", "--updated-at", "now")
    accepted = ask(story, rerun, *words, sleep=sleep)
    assert (accepted["doubt"], accepted["answer"]["event"], accepted["answer"]["attempt"]) == (
        None,
        "RERUN_ACCEPTED",
        1,
    )
    again = ask(story, explain, "gold-revenue", "2026-11-24")
    assert (again["attempt"], again["cause"]) == (1, accepted["cause"])
    assert [each["reason"] for each in again["reruns"]] == ["correction"]
    story.advance(hours=1)
    parts = map(str, explain_parts(explained_date(asked(story.world), "gold-revenue", "2026-11-24")))
    (state,) = (part for part in parts if part.startswith("State:"))
    assert state.startswith("State: completed, attempt 1, since 2026-11-24 ")
    with pytest.raises(ConfigError, match="the budget is spent: 1 of maxManualReruns 1 used"):
        ask(story, rerun, *words)


def test_a_dry_run_answers_by_its_events(ask: Ask) -> None:
    story = begin("2026-11-24T20:00", "inventory-snapshot")
    words = ("inventory-snapshot", "2026-11-24", "--reason", "try", "--by", "me", "--wait")
    answer = ask(story, rerun, *words, sleep=lambda seconds: story.advance(seconds=seconds))["answer"]
    assert answer["event"] == "DRY_RUN_WOULD_RERUN"


def test_a_failure_and_a_date_that_nothing_started_need_somebody(ask: Ask) -> None:
    story = begin()
    story.sensor("orders-loaded", status="complete", row_count=999)
    story.at("10:40")
    story.expect("VALIDATION_EXHAUSTED")
    failing = the(ask(story, status, "--failing"), "gold-revenue")
    assert (failing["last"]["state"], failing["last"]["reason"]) == ("failed", "validation-exhausted")
    why = ask(story, explain, "gold-revenue", "2026-11-24")["why"]
    told = "its constraints did not hold within the evaluation window: sensor orders-loaded: row_count is 999"
    assert why[1].startswith(told)
    expired = the(ask(story, status, "--failing"), "clickstream-hourly")
    assert expired["last"]["state"] == "expired"


def test_a_holiday_is_explained(ask: Ask) -> None:
    story = begin("2026-11-26T09:00")
    today = the(ask(story, status), "gold-revenue")
    assert today["excludedToday"].startswith("2026-11-26 is a date excluded by schedule.exclude")
    assert not today["failing"]
    found = ask(story, explain, "gold-revenue")
    assert found["date"] == "2026-11-26"
    assert found["state"] == "excluded"
    assert found["rerunRequest"]["check"] == "excluded"
    assert found["nextStart"] == {"at": "2026-11-27T13:00:00.000Z", "date": "2026-11-27"}


def test_what_has_drifted_is_shown_beside_what_the_attempt_saw(ask: Ask) -> None:
    story = begin("2026-11-24T11:05", "clickstream-hourly")
    key = "clickstream-counts#2026-11-24T10"
    story.sensor(key, sensor_count=9000, duplicate_share=0.001)
    story.sensor("clickstream-landed#2026-11-24T10", status="complete", missing_partitions=0)
    story.at("11:08")
    story.sensor(key, sensor_count=9800, duplicate_share=0.001)  # while the job is running
    found = ask(story, explain, "clickstream-hourly", "2026-11-24T10")
    assert found["state"] == "job"
    assert found["baseline"] == {"clickstream-counts": {"sensor_count": 9000}}
    assert [(each["sensorKey"], each["delta"]) for each in found["drift"]] == [(key, 800)]
    story.at("11:20")  # drift during the job is drift: the date runs again
    again = ask(story, explain, "clickstream-hourly", "2026-11-24T10")
    assert (again["attempt"], again["reason"], again["drift"]) == (1, "data-drift", [])
    assert {each["name"]: each["used"] for each in again["budgets"]}["maxDriftReruns"] == 1


def test_the_date_to_explain_is_the_one_that_is_overdue(ask: Ask) -> None:
    story = begin("2026-11-24T07:50")
    story.at("12:00")  # the run of the day has failed
    assert ask(story, explain, "gold-revenue")["date"] == "2026-11-24"
    overdue = begin("2026-11-24T09:00")  # nothing ran at 08:00: the installation was not there yet
    found = ask(overdue, explain, "gold-revenue")
    assert (found["date"], found["state"]) == ("2026-11-24", "no run")
    assert found["why"][0].startswith("it waits for a start: cron was due at 2026-11-24 08:00 EST")


def test_over_http_in_processes_of_their_own() -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anybody",
        "AWS_DEFAULT_REGION": "us-east-1",
        "INTERLOCK_ENV": "dev",
        "COLUMNS": "160",
    }
    command = [sys.executable, "-c", "import sys; from interlock_tf.cli import main; sys.exit(main())"]
    up = [*command, "local", "up", str(stack_of_pipelines([PIPELINES / "fx-rates.yaml"]))]
    with subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stderr is not None
            url = server.stderr.readline().split()[0]

            def run(*words: str, code: int = 0) -> str:
                given = [*command, *words, "--endpoint-url", url]
                done = subprocess.run(given, capture_output=True, text=True, env=environment, check=False, timeout=120)
                assert (done.returncode, done.stderr) == (code, "")
                return done.stdout

            assert "fx-rates" in run("status")
            today = datetime.now(UTC).date()
            day = str(today + timedelta(days=9 - today.weekday()))  # Wednesday of next week, whatever day it is now
            put = run("sensor", "put", "fx-rates", "fx-published", "rates=41", "--date", day, "--updated-at", "now")
            assert f"It is for {day}. It is read by:" in put
            answer = run("rerun", "fx-rates", day, "--reason", "try it", "--by", "me", "--wait", code=1)
            assert answer.endswith("RERUN_REJECTED: run in progress\n")
            found = json.loads(run("explain", "fx-rates", day, "--json"))
            assert (found["state"], found["attempt"]) == ("waiting", 0)
            (told,) = run("events", "fx-rates", "--json").splitlines()
            assert (json.loads(told)["type"], json.loads(told)["date"]) == ("RERUN_REJECTED", day)
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=20)
