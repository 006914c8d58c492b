"""What the documentation tells people to write into the tables means to Interlock what it says."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from interlock_runtime.core import rows
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.numbers import plain
from interlock_runtime.core.rules import choose, evaluate
from interlock_tf.pipelines import StoredPipeline, load_pipelines
from tests.fakes.aws import create_table, simulated_aws
from tests.fakes.world import World

ROOT = Path(__file__).resolve().parents[2]
DATE = ExecutionDate(date(2026, 11, 24))
NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)


@pytest.fixture
def tables() -> Iterator[None]:
    """The two tables that outside processes write."""
    with simulated_aws() as clients:
        for name in ("dev-interlock-control", "prod-interlock-control", "dev-interlock-joblog"):
            create_table(clients, name)
        yield


@cache
def gold_revenue() -> StoredPipeline:
    """The sample that the documentation's examples are about."""
    loaded = load_pipelines(
        pipelines_path=ROOT / "pipelines", calendars_path=ROOT / "calendars", environment="dev", today=DATE.day
    )
    return next(each for each in loaded if each.id == "gold-revenue")


def example(name: str) -> dict[str, Any]:
    """The names that an example defines."""
    return runpy.run_path(str(ROOT / "docs/examples" / name))


def run_put_item(page: str) -> None:
    """Do what the first ``aws dynamodb put-item`` of a page does."""
    command = re.search(r"^aws dynamodb put-item .*?^\}'$", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert command
    words = shlex.split(command[0])
    options = dict(zip(words[3::2], words[4::2], strict=True))
    boto3.client("dynamodb").put_item(TableName=options["--table-name"], Item=json.loads(options["--item"]))


def written(table: str) -> dict[str, Any]:
    """The one row of a table."""
    (row,) = boto3.resource("dynamodb").Table(table).scan()["Items"]
    return row


def rules_that_pass(row: dict[str, Any]) -> set[tuple[str, str | None]]:
    """The rules of gold-revenue that hold when this sensor is all there is."""
    rules = gold_revenue().pipeline.validation.rules
    by_key = {str(rows.sensor_key(row["SK"])): plain(row)}
    sensors = {rule.key: choose(rule.key, DATE, rows=by_key) for rule in rules}
    return {
        (result.rule.key, result.rule.field)
        for result in evaluate(rules, sensors=sensors, now=NOW).results
        if result.passed
    }


@pytest.mark.usefixtures("tables")
def test_the_sensor_written_by_the_command_line_meets_its_rules() -> None:
    run_put_item("README.md")
    assert rules_that_pass(written("dev-interlock-control")) == {
        ("orders-loaded", "status"),
        ("orders-loaded", "row_count"),
    }


@pytest.mark.usefixtures("tables")
def test_the_sensor_written_by_python_meets_its_rules() -> None:
    example("write_sensor.py")["orders_loaded"]("2026-11-24", 48210)
    assert rules_that_pass(written("dev-interlock-control")) == {
        ("orders-loaded", "status"),
        ("orders-loaded", "row_count"),
    }


@pytest.mark.usefixtures("tables")
def test_a_sensor_of_another_day_meets_none() -> None:
    example("write_sensor.py")["orders_loaded"]("2026-11-23", 48210)
    assert rules_that_pass(written("dev-interlock-control")) == set()


@pytest.mark.usefixtures("tables")
def test_the_documented_rerun_request_starts_a_date_that_never_ran() -> None:
    run_put_item("docs/operations.md")
    world = World(NOW)
    world.pipeline(json.loads(gold_revenue().config))
    world.deliver(world.write(world.control, written("prod-interlock-control")))
    run = world.run("gold-revenue", "2026-11-24", schedule_id="cron")
    assert run
    assert (run.attempt, run.reason) == (0, "manual")
    assert "RERUN_REJECTED" not in world.bus.types


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(("error", "event"), [(None, "success"), ("no rows", "fail")])
def test_a_job_that_reports_its_own_end_is_understood(error: str | None, event: str) -> None:
    example("report_job.py")["report"]("fx-rates", "stream", "2026-11-24", "fx-rates-token", error=error)
    entry = Entry.of_row(written("dev-interlock-joblog"))
    assert entry
    assert (entry.event, entry.run_id, entry.error, entry.key.date) == (event, "fx-rates-token", error, "2026-11-24")


def documented_deadlines() -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page asks sla-monitor, and the answer that it shows."""
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    found = re.search(
        r"^ +--payload '(?P<asked>\{.*\})' .*?^```json\n(?P<answer>.*?)^```", page, re.DOTALL | re.MULTILINE
    )
    assert found
    return json.loads(found["asked"]), json.loads(found["answer"])


def test_the_documented_question_about_a_date_has_the_documented_answer() -> None:
    world = World(NOW)
    world.pipeline(json.loads(gold_revenue().config))
    asked, answer = documented_deadlines()
    assert world.sla(**asked) == answer
    assert world.bus.types == []


def test_reconcile_tells_of_a_breach_that_is_too_old_for_the_watchdog_once() -> None:
    world = World(NOW)
    world.pipeline(json.loads(gold_revenue().config))
    world.advance(days=5)
    asked = {**documented_deadlines()[0], "mode": "reconcile"}
    for _ in range(2):
        assert world.sla(**asked) == {"status": "reconciled"}
        assert world.bus.types == ["SLA_BREACH"]
