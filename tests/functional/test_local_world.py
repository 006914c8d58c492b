"""What is wrong in a stack is told when it is run here, and what goes wrong in it ends where the stack says."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.attributes import encode_item
from interlock_tf.local.agenda import Agenda
from interlock_tf.local.recorder import Recorder
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.terraform_json import Configuration, StackError
from interlock_tf.local.timeline import Kind
from interlock_tf.local.world import World
from interlock_tf.testing import Scenario

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 24, 15, tzinfo=UTC)

Change = Callable[[dict[str, Any]], None]
Run = Callable[[Change | None], World]


@pytest.fixture(scope="module")
def stack() -> Path:
    return stack_of_pipelines([ROOT / "pipelines" / "fx-rates.yaml"])


@pytest.fixture
def run(stack: Path, tmp_path: Path) -> Run:
    """Run the stack with its resources changed."""

    def world(change: Change | None = None) -> World:
        document = deepcopy(json.loads((stack / "cdk.tf.json").read_text()))
        if change is not None:
            change(document["resource"])
        (tmp_path / "assets").symlink_to(stack / "assets")
        (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
        return World(Configuration.read(tmp_path), agenda=Agenda(START))

    return world


def test_a_stack_whose_names_have_an_end_lives_too() -> None:
    story = Scenario.of_pipelines(
        ROOT / "pipelines",
        calendars=ROOT / "calendars",
        pipeline="fx-rates",
        start="2026-11-24T15:00",
        name_suffix="eu",
    )
    story.sensor("feed-primary", healthy=True)
    story.sensor("fx-published", rates=41)
    story.expect("JOB_COMPLETED")
    assert story.world.control_table == "dev-interlock-control-eu"


def write_sensor(world: World) -> None:
    row = {"PK": "PIPELINE#fx-rates", "SK": "SENSOR#fx-published", "data": {"rates": 41}}
    world.answer("dynamodb", "PutItem", {"TableName": world.control_table, "Item": encode_item(row)})


def with_an_idle_watchdog(resources: dict[str, Any]) -> None:
    resources["aws_cloudwatch_event_rule"]["interlock_watchdog_rule"]["state"] = "DISABLED"


@pytest.mark.parametrize(("change", "silent"), [(None, False), (with_an_idle_watchdog, True)])
def test_a_watchdog_that_does_not_run_sets_off_its_alarm(change: Change | None, silent: bool, tmp_path: Path) -> None:
    stack = stack_of_pipelines([ROOT / "pipelines" / "fx-rates.yaml"], extended_alarms=True)
    document = json.loads((stack / "cdk.tf.json").read_text())
    if change is not None:
        change(document["resource"])
    (tmp_path / "assets").symlink_to(stack / "assets")
    (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
    world = World(Configuration.read(tmp_path), agenda=Agenda(START))
    recorder = Recorder(world)
    world.run_until(START + timedelta(hours=1))
    told = [entry.what for entry in recorder.entries if entry.kind is Kind.ALARM]
    assert [each for each in told if each.startswith("ALARM") and each.endswith("watchdog-silent")] == (
        ["ALARM dev-interlock-watchdog-silent"] if silent else []
    )
    why = next((entry.why for entry in recorder.entries if entry.what.endswith("watchdog-silent")), None)
    assert why == ("Invocations of dev-interlock-watchdog did not reach 1: nothing was measured" if silent else None)


def without_variable(resources: dict[str, Any]) -> None:
    del resources["aws_lambda_function"]["interlock_event_sink"]["environment"]["variables"]["EVENTS_TABLE"]


def with_wrong_handler(resources: dict[str, Any]) -> None:
    resources["aws_lambda_function"]["interlock_watchdog"]["handler"] = "interlock_runtime.handlers.watchdog.main"


def with_another_zip(resources: dict[str, Any]) -> None:
    resources["aws_lambda_function"]["interlock_watchdog"]["source_code_hash"] = "bm90IHRoaXMgb25l"


def with_unknown_type(resources: dict[str, Any]) -> None:
    resources["aws_kinesis_stream"] = {"one": {"name": "x"}}


def with_target_of_nothing(resources: dict[str, Any]) -> None:
    resources["aws_cloudwatch_event_target"]["interlock_watchdog_target"]["rule"] = "dev-interlock-watchdogs"


def with_pattern(rule: str, pattern: Any) -> Change:
    def change(resources: dict[str, Any]) -> None:
        resources["aws_cloudwatch_event_rule"][f"interlock_{rule}_rule"]["event_pattern"] = json.dumps(pattern)

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_variable, r"aws_lambda_function\.interlock_event_sink: .*EVENTS_TABLE is missing"),
        (with_wrong_handler, r"aws_lambda_function\.interlock_watchdog: .*no function 'main'"),
        (with_another_zip, r"interlock_watchdog: .*not the zip that source_code_hash tells of"),
        (with_unknown_type, "aws_kinesis_stream"),
        (with_target_of_nothing, "there is no rule dev-interlock-watchdogs"),
        (
            with_pattern("all_events", {"source": ["nope"]}),
            r"aws_cloudwatch_event_rule\.interlock_all_events_rule: .*dev-interlock-events .*nope",
        ),
    ],
)
def test_a_mistake_in_the_stack_is_told_at_once(run: Run, change: Change, told: str) -> None:
    with pytest.raises(StackError, match=told):
        run(change)


@pytest.mark.refusals
def test_a_record_that_no_retry_helps_ends_in_the_queue_rings_the_alarm_and_is_stored_as_an_event(run: Run) -> None:
    def change(resources: dict[str, Any]) -> None:
        router = resources["aws_lambda_function"]["interlock_stream_router"]
        router["environment"]["variables"]["STATE_MACHINE_ARN"] = (
            "arn:aws:states:us-east-1:123456789012:stateMachine:no"
        )

    world = run(change)
    recorder = Recorder(world)
    write_sensor(world)
    world.run_until(START + timedelta(minutes=6))
    (letters,) = (queue for queue in world.queues.by_arn.values() if queue.name == "dev-interlock-sr-control-dlq")
    assert [json.loads(each.body)["requestContext"]["approximateInvokeCount"] for each in letters.messages] == [4]
    alarms = [entry.what for entry in recorder.entries if entry.kind is Kind.ALARM]
    assert "ALARM dev-interlock-dlq-sr_control-depth" in alarms
    stored = {row["eventType"]["S"] for row in world.tables.rows("dev-interlock-events") if "eventType" in row}
    assert "INFRA_ALARM" in stored


def test_a_function_that_lets_nobody_in_gets_nothing_and_the_event_is_kept(run: Run) -> None:
    def change(resources: dict[str, Any]) -> None:
        del resources["aws_lambda_permission"]["interlock_watchdog_permission"]

    world = run(change)
    recorder = Recorder(world)
    world.run_until(START + timedelta(minutes=5))
    (watchdog,) = (each for each in world.functions.by_arn.values() if each.name == "dev-interlock-watchdog")
    assert watchdog.invocations == 0
    (undelivered,) = (entry for entry in recorder.entries if entry.kind is Kind.FAILURE)
    assert "does not let" in undelivered.why
    (letters,) = (queue for queue in world.queues.by_arn.values() if queue.name == "dev-interlock-events-dlq")
    assert [json.loads(each.body)["detail-type"] for each in letters.messages] == ["Scheduled Event"]


def test_rows_whose_time_has_come_are_deleted(run: Run) -> None:
    world = run(None)
    for name, ttl in (("past", START), ("future", START + timedelta(hours=2))):
        row = {"PK": "PIPELINE#fx-rates", "SK": f"MARKER#{name}", "ttl": int(ttl.timestamp())}
        world.answer("dynamodb", "PutItem", {"TableName": world.control_table, "Item": encode_item(row)})
    world.run_until(START + timedelta(hours=1, minutes=1))
    kept = {row["SK"]["S"] for row in world.tables.rows(world.control_table)}
    assert "MARKER#past" not in kept
    assert "MARKER#future" in kept


def test_an_execution_that_takes_too_long_ends_and_its_run_is_closed(run: Run) -> None:
    def change(resources: dict[str, Any]) -> None:
        machine = resources["aws_sfn_state_machine"]["interlock_state_machine"]
        machine["definition"] = machine["definition"].replace('"TimeoutSeconds": 14400', '"TimeoutSeconds": 300')

    world = run(change)
    recorder = Recorder(world)
    write_sensor(world)
    world.run_until(START + timedelta(minutes=6))
    events = [entry.what for entry in recorder.entries if entry.kind is Kind.EVENT]
    assert "SFN_TIMEOUT" in events
