"""``evaluate``: do the constraints of a run hold, and if not, is there time left to ask again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from interlock_runtime.control import runs
from interlock_runtime.control.ports import Metric, Ports
from interlock_runtime.control.task import SUPERSEDED, Task
from interlock_runtime.core import baselines, sensors
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import PermanentError
from interlock_runtime.core.rules import Verdict, evaluate
from interlock_runtime.core.run import Run
from interlock_runtime.core.sensors import Sensors

#: How many bytes of results the answer holds at most. The state machine carries it on in a state of 256 KiB
#: at most, and an execution that exceeds them fails without having been caught.
_RESULTS_BYTES = 100_000


def handle(ports: Ports, task: Task, *, now: datetime) -> dict[str, Any]:
    """Evaluate first: a pass wins over the deadline.

    Raises:
        ConfigError: the pipeline's configuration cannot be read.
        PermanentError: the pipeline has none.
    """
    date = ExecutionDate.parse(task.key.date)
    config, found = ports.configs.get_with(
        task.pipeline_id,
        [task.trigger_key],
        now,
        more=lambda config: sensors.keys_of(config.pipeline, _rule_keys(config), date),
    )
    if config is None:
        raise PermanentError(f"pipeline {task.pipeline_id!r} has no configuration")
    run = task.current(found.pop(task.trigger_key, None))
    if run is None or not run.is_running:
        return _answer(SUPERSEDED)
    rules, rule_keys = config.pipeline.validation, _rule_keys(config)
    seen = sensors.chosen(rule_keys, date, found)
    verdict = evaluate(rules.rules, mode=rules.trigger, sensors=seen, now=now)
    ports.metrics.count(Metric.RULES_EVALUATED, len(verdict.results))
    if verdict.passed:
        _passed(ports, config, run, seen, verdict, now=now)
        return _answer("passed", verdict)
    ports.log.info("constraints do not hold yet", attempt=run.attempt, reasons=verdict.reasons)
    window = timedelta(seconds=task.seconds("evaluationWindowSeconds"))
    used_up = now - task.instant("executionStartTime") >= window
    return _answer("exhausted" if used_up else "not_ready", verdict)


def _passed(ports: Ports, config: Config, run: Run, seen: Sensors, verdict: Verdict, *, now: datetime) -> None:
    post_run = config.pipeline.post_run
    # Once the job is about to start, what it relies upon is settled: a task that comes twice, late,
    # must not replace the baseline by data that came afterwards.
    if post_run is not None and post_run.rules and run.intent is None:
        row = baselines.row_of(run.pipeline_id, run.run_key, run.attempt, post_run=post_run, sensors=seen, now=now)
        try:
            ports.control.put(row)
        except PermanentError as error:
            ports.log.error("the baseline could not be recorded", problem=str(error))
    message = f"every constraint of {run.pipeline_id} for {run.date} holds"
    ports.bus.publish([runs.event_of(run, "VALIDATION_PASSED", message, verdict.describe())], now=now)


def _rule_keys(config: Config) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*sensors.validation_keys(config.pipeline), *sensors.post_run_keys(config.pipeline))))


def _answer(status: str, verdict: Verdict | None = None) -> dict[str, Any]:
    results = [result.describe() for result in verdict.results] if verdict else []
    return {"status": status, "results": results if _bytes(results) <= _RESULTS_BYTES else _first(results)}


def _first(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many results as there is room for, those that failed first."""
    kept, room = [], _RESULTS_BYTES
    for result in sorted(results, key=lambda result: bool(result["passed"])):
        room -= _bytes(result)
        if room < 0:
            break
        kept.append(result)
    return kept


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
