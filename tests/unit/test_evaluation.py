"""The orchestrator's ``evaluate``: passed, not ready, exhausted, superseded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.control.ports import Metric
from interlock_runtime.core.errors import ConfigError, PermanentError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import START, World

WINDOW = {"evaluationWindowSeconds": 3600}


@pytest.fixture
def world() -> World:
    world = World()
    world.pipeline(gold())
    world.deliver(world.write_sensor("gold", "orders", **READY))
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def evaluate(world: World, run: Run | None = None) -> dict[str, Any]:
    return world.task("evaluate", run or the_run(world), executionStartTime=rfc3339(START), config=WINDOW)


def baseline(world: World) -> Any:
    row = world.control.rows().get(("PIPELINE#gold", f"MARKER#baseline#stream#{DATE}#0"))
    return None if row is None else row["data"]["sensors"]


def test_when_every_constraint_holds_it_passes_and_takes_the_baseline(world: World) -> None:
    world.write_sensor("gold", "rates", x=1)
    answer = evaluate(world)
    assert answer["status"] == "passed"
    assert [result["passed"] for result in answer["results"]] == [True, True]
    assert world.bus.the("VALIDATION_PASSED").attempt == 0
    assert baseline(world) == {"orders": {"sensorKey": "orders", "fields": {"count": 1000}}}
    assert world.metrics.counts[Metric.RULES_EVALUATED] == 3


def test_when_one_does_not_it_is_not_ready_and_says_why(world: World) -> None:
    answer = evaluate(world)
    assert answer["status"] == "not_ready"
    assert [result["reason"] for result in answer["results"] if not result["passed"]] == ["sensor rates is missing"]
    assert world.bus.events == []
    assert baseline(world) is None


def test_the_results_of_hundreds_of_constraints_fit_into_the_state_the_failed_ones_first(world: World) -> None:
    rules = [{"key": "orders", "check": "gte", "field": "count", "value": number} for number in range(1000)]
    failing = {"key": "ä" * 100, "check": "equals", "field": "state", "value": "ready"}
    world.pipeline(gold(validation={"rules": [*rules, failing]}))
    results = evaluate(world)["results"]
    assert 50_000 < len(json.dumps(results, ensure_ascii=False).encode()) < 110_000
    assert [result["passed"] for result in results[:2]] == [False, True]


def test_any_lets_one_constraint_be_enough(world: World) -> None:
    world.pipeline(gold(validation=gold()["validation"] | {"trigger": "any"}))
    assert evaluate(world)["status"] == "passed"


def test_when_the_window_is_used_up_it_is_exhausted(world: World) -> None:
    world.advance(minutes=59, seconds=59)
    assert evaluate(world)["status"] == "not_ready"
    world.advance(seconds=1)
    assert evaluate(world)["status"] == "exhausted"


def test_a_pass_wins_over_the_deadline(world: World) -> None:
    world.advance(hours=5)
    world.write_sensor("gold", "rates", x=1)
    assert evaluate(world)["status"] == "passed"


def test_the_window_runs_from_the_executions_own_start(world: World) -> None:
    world.advance(hours=5)
    answer = world.task("evaluate", the_run(world), executionStartTime=rfc3339(world.now), config=WINDOW)
    assert answer["status"] == "not_ready"


def test_another_attempt_supersedes(world: World) -> None:
    old = the_run(world)
    world.advance(minutes=1)
    world.deliver(world.log_job("gold", DATE, "fail", attempt=0))
    assert evaluate(world, old) == {"status": "superseded", "results": []}


def test_an_ended_run_supersedes(world: World) -> None:
    run = the_run(world)
    runs.finish(world.ports, run, status=Status.FAILED_FINAL, reason=Reason.SFN_TIMEOUT, kind=None, now=world.now)
    assert evaluate(world, run)["status"] == "superseded"


def test_a_row_that_is_gone_supersedes(world: World) -> None:
    run = the_run(world)
    world.control.delete(run.key)
    assert evaluate(world, run)["status"] == "superseded"


def test_the_baseline_follows_the_last_pass_before_the_job(world: World) -> None:
    world.write_sensor("gold", "rates", x=1)
    evaluate(world)
    world.write_sensor("gold", "orders", **READY | {"count": 1200})
    evaluate(world)
    assert baseline(world)["orders"]["fields"] == {"count": 1200}
    runs.intend(world.ports, the_run(world), now=world.now)
    world.write_sensor("gold", "orders", **READY | {"count": 9999})
    evaluate(world)
    assert baseline(world)["orders"]["fields"] == {"count": 1200}


def test_only_the_drift_field_is_kept(world: World) -> None:
    world.write_sensor("gold", "orders", **READY | {"sample": "x" * 300_000})
    world.write_sensor("gold", "rates", x=1)
    evaluate(world)
    assert baseline(world)["orders"]["fields"] == {"count": 1000}


def test_a_missing_config_is_an_error(world: World) -> None:
    run = the_run(world)
    world.control.delete(("PIPELINE#gold", "CONFIG"))
    world.ports.configs.forget()
    with pytest.raises(PermanentError, match="no configuration"):
        evaluate(world, run)


def test_a_config_that_cannot_be_read_is_an_error_that_names_the_place(world: World) -> None:
    run = the_run(world)
    world.pipeline(gold(validation={"rules": [{"key": "a", "check": "near"}]}))
    with pytest.raises(ConfigError, match=r"validation\.rules\[0\]\.check"):
        evaluate(world, run)


@pytest.mark.parametrize("missing", ["pipelineId", "scheduleId", "date", "attempt", "executionId"])
def test_what_every_task_has_must_be_there(world: World, missing: str) -> None:
    with pytest.raises(PermanentError, match=missing):
        world.task("evaluate", the_run(world), **{missing: None})


@pytest.mark.parametrize(
    ("change", "named"),
    [({"executionStartTime": None}, "executionStartTime"), ({"config": {}}, "evaluationWindowSeconds")],
)
def test_what_the_mode_needs_must_be_there(world: World, change: dict[str, Any], named: str) -> None:
    with pytest.raises(PermanentError, match=named):
        world.task("evaluate", the_run(world), **{"executionStartTime": rfc3339(START), "config": WINDOW} | change)


@pytest.mark.parametrize("mode", ["", "Evaluate", "calculate", None, ["evaluate"]])
def test_an_unknown_mode_is_an_error(world: World, mode: Any) -> None:
    with pytest.raises(PermanentError, match="no mode of the orchestrator"):
        world.task(mode, the_run(world))
