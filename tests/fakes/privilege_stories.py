"""Days in which every role does everything that it is for, in the stack with everything on.

They are told for the calls that are made in them; what comes of these is what other tests are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ReadTimeoutError

from interlock_runtime.core.attributes import encode_item
from interlock_runtime.core.rows import KIND, Kind
from interlock_tf.testing import Scenario

#: A pipeline with a deadline, and logs in a group of its own; its job is that of the sample ``glue``.
DAILY: Mapping[str, Any] = {
    "pipeline": {"id": "daily"},
    "schedule": {
        "trigger": {"key": "landed", "check": "exists"},
        "evaluation": {"window": "2h", "interval": "5m"},
    },
    "sla": {"deadline": "12:00", "dayOffset": 0, "expectedDuration": "15m"},
    "validation": {"rules": [{"key": "checked", "check": "exists"}]},
    "postRun": {"rules": [{"key": "landed", "check": "exists"}]},
    "job": {
        "type": "glue",
        "config": {"jobName": "${environment}-orders", "arguments": {"--continuous-log-logGroup": "/team/glue"}},
        "maxRetries": 1,
        "jobPollWindowSeconds": 3600,
        "jobCheckIntervalSeconds": 60,
    },
}

#: Those of the maximal sample that a sensor starts.
STARTED_BY_SENSORS = ("airflow", "command", "databricks", "emr", "emr-serverless", "lambda", "step-function")

Story = Callable[[Path], Scenario]


def every_job(stack: Path) -> Scenario:
    """Every job type starts, is asked about and ends; two starts get no answer, so that the services are searched."""
    story = Scenario(stack, start="2026-11-23T04:58")  # two minutes before the cron of glue, on a Monday
    _lose(story, "emr", "AddJobFlowSteps")
    _lose(story, "glue", "StartJobRun")
    story.sensor("checked", pipeline="daily")
    for kind in (*STARTED_BY_SENSORS, "glue", "daily"):
        story.sensor("landed", pipeline=kind, rows=1)
    story.advance(minutes=40)
    for kind in (*STARTED_BY_SENSORS, "glue", "daily"):
        story.expect("JOB_COMPLETED", pipeline=kind)
    story.sensor("landed", pipeline="daily", rows=2)
    story.job_fails(pipeline="daily")
    story.rerun("there is more", pipeline="daily")
    story.advance(minutes=5)
    story.expect("RERUN_ACCEPTED", pipeline="daily")
    story.expect("JOB_FAILED", pipeline="daily")
    return story


def a_deadline_passed(stack: Path) -> Scenario:
    """A run waits for a check that is never made: the bells of its deadline ring, and Lambda refuses the last."""
    story = Scenario(stack, start="2026-11-24T11:25", pipeline="daily")
    story.sensor("landed", rows=1)
    story.at("11:46")
    story.expect("SLA_WARNING")
    story.world.scheduler.refusal = lambda *_: "too many requests"
    story.at("12:06")
    story.expect("SLA_BREACH")  # by the watchdog
    return story


def a_cron_that_lambda_refused(stack: Path) -> Scenario:
    """Lambda refuses a tick, which becomes a dead letter."""
    story = Scenario(stack, start="2026-11-23T04:58")
    story.world.scheduler.refusal = lambda *_: "too many requests"
    story.advance(minutes=3)
    return story


def streams_lost(stack: Path) -> Scenario:
    """The streams deliver nothing, so that the watchdog does what the router did not."""
    story = Scenario(stack, start="2026-11-24T06:00", pipeline="daily")
    with _without_streams(story):
        story.sensor("checked")
        story.sensor("landed", rows=1, date="2026-11-24", updatedAt="2026-11-24T06:00:00Z")
        story.advance(minutes=6)
        story.expect("TRIGGER_RECOVERED")
        story.expect("JOB_TRIGGERED")
        story.job_fails()
        story.advance(minutes=20)
        story.expect("JOB_FAILED")
        story.advance(minutes=40)
        row = {"PK": "PIPELINE#daily", "SK": "RERUN_REQUEST#stream#2026-11-24", "reason": "once more"}
        _put(story, "control", row | {KIND: str(Kind.REQUEST)})
        story.advance(minutes=20)
        story.expect("RERUN_REJECTED")
    return story


def the_router_failed(stack: Path) -> Scenario:
    """The router cannot do anything, so that records of both streams become dead letters."""
    story = Scenario(stack, start="2026-11-24T06:00", pipeline="daily")

    def observe(function: str | None, *_: Any) -> None:
        if function is not None and function.endswith("stream-router"):
            raise ReadTimeoutError(endpoint_url="the story")

    story.world.observers.append(observe)
    story.sensor("landed", rows=1)
    _put(story, "joblog", {"PK": "PIPELINE#daily", "SK": "JOB#stream#2026-11-24#1", "event": "fail"})
    story.advance(minutes=10)
    return story


def an_execution_vanished(stack: Path) -> Scenario:
    """An execution ends, and nobody is told: the watchdog asks Step Functions about it."""
    story = Scenario(stack, start="2026-11-24T06:00", pipeline="daily")
    for rule in story.world.bus.rules.values():
        rule.enabled = rule.pattern is None or "aws.states" not in rule.pattern.get("source", ())
    story.sensor("landed", rows=1)
    (execution,) = story.world.executions.by_arn
    story.world.answer("stepfunctions", "StopExecution", {"executionArn": execution})
    story.advance(hours=5)
    story.expect("SFN_TIMEOUT")
    return story


def _put(story: Scenario, table: str, row: Mapping[str, Any]) -> None:
    """Write a row as somebody outside would."""
    name = story.world.configuration.outputs()[f"{table}_table_name"]
    story.world.answer("dynamodb", "PutItem", {"TableName": name, "Item": encode_item(row)})


def _lose(story: Scenario, service: str, operation: str) -> None:
    """Let the next call time out."""

    def observe(function: str | None, asked: str, called: str, _: Mapping[str, Any]) -> None:
        if function is not None and (asked, called) == (service, operation):
            story.world.observers.remove(observe)
            raise ReadTimeoutError(endpoint_url="the story")

    story.world.observers.append(observe)


@contextmanager
def _without_streams(story: Scenario) -> Iterator[None]:
    shards = list(story.world.streams.shards)
    story.world.streams.shards.clear()
    try:
        yield
    finally:
        story.world.streams.shards.extend(shards)


#: All of them.
STORIES: tuple[Story, ...] = (
    every_job,
    a_deadline_passed,
    a_cron_that_lambda_refused,
    streams_lost,
    the_router_failed,
    an_execution_vanished,
)
