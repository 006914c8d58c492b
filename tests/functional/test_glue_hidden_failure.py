"""Glue's SUCCEEDED, verified in the run's log streams, and trusted where they cannot be read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Outcome, Services, Succeeded
from tests.fakes.aws import simulated_aws
from tests.fakes.job_peers import GluePeer
from tests.fakes.job_services import Disturbed, VirtualTime, job_of, run_context, services

GROUP = "/aws-glue/jobs/logs-v2"
INSIGHT = {
    "Event": "GlueExceptionAnalysisJobFailed",
    "Timestamp": 1772532000000,
    "Failure Reason": "An error occurred while calling o93.save. Access Denied\n\tat org.apache",
    "Stack Trace": [{"Declaring Class": "gold.py", "Line Number": 41}],
}
QUIET = [
    "26/03/03 10:00:00 INFO GlueContext: started",
    "26/03/03 10:00:01 WARN Client: ERRORS=0 in errors.log",
    "ERROR at the beginning of a line is none of the driver's levels",
]


@pytest.fixture
def glue() -> Iterator[GluePeer]:
    with simulated_aws(), GluePeer(Disturbed()) as peer:
        yield peer


def log(peer: GluePeer, suffix: str, *messages: str, group: str = GROUP) -> None:
    """Put messages into a stream of the latest run."""
    logs = peer.client("logs")
    stream = peer.runs()[-1].job_run_id + suffix
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = time.time_ns() // 1_000_000  # CloudWatch refuses what is far from now
    for start in range(0, len(messages), 10_000):
        events = [{"timestamp": now, "message": message} for message in messages[start : start + 10_000]]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    peer.client.calls.clear()


def succeeded(peer: GluePeer, world: Services, **run: object) -> Outcome:
    """What a poll says of the latest run, which Glue reports as SUCCEEDED; ``run`` changes what it reports."""
    peer.turn("SUCCEEDED")
    found = peer.runs()[-1]
    described = found.as_dict() | run
    found.as_dict = lambda: described
    metadata = {"type": "glue", "address": {}, "runId": found.job_run_id}
    return registry.status(peer.job, metadata, run_context(), world)


@pytest.fixture
def world(glue: GluePeer) -> Services:
    found = services(client=glue.client)
    registry.start(glue.job, run_context(), found)
    return found


@pytest.mark.parametrize("beginning", ["", "26/03/03 10:00:02 ERROR [main] GlueExceptionAnalysisListener: "])
def test_job_insights_tell_of_a_failure_with_its_reason(glue: GluePeer, world: Services, beginning: str) -> None:
    log(glue, "-job-insights-rca-driver", "starting up", beginning + json.dumps(INSIGHT))
    outcome = succeeded(glue, world)
    assert outcome == Failed(
        "Glue reports SUCCEEDED, but the driver's log says otherwise: "
        "An error occurred while calling o93.save. Access Denied at org.apache",
        Category.TRANSIENT,
    )


@pytest.mark.parametrize("told", ["GlueExceptionAnalysisJobFailed {", 'x {"Event": "GlueExceptionAnalysisJobFailed"}'])
def test_an_insight_without_a_readable_reason_is_told_as_it_is(glue: GluePeer, world: Services, told: str) -> None:
    log(glue, "-job-insights-rca-driver", told)
    outcome = succeeded(glue, world)
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith(told)


@pytest.mark.parametrize("level", ["ERROR", "FATAL"])
def test_an_error_in_the_drivers_log_tells_of_a_failure(glue: GluePeer, world: Services, level: str) -> None:
    line = f"26/03/03 10:00:02 {level} ProcessLauncher: the job swallowed this"
    log(glue, "", *QUIET, line)
    outcome = succeeded(glue, world)
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith(line)


def test_a_quiet_log_is_a_success(glue: GluePeer, world: Services) -> None:
    log(glue, "", *QUIET)
    log(glue, "-job-insights-rca-driver", "an executor was lost", json.dumps(INSIGHT | {"Event": "TaskFailed"}))
    assert succeeded(glue, world) == Succeeded()
    assert [name for name in glue.client.operations() if name == "FilterLogEvents"] == ["FilterLogEvents"] * 2


def test_the_log_of_another_run_is_not_read(glue: GluePeer, world: Services) -> None:
    log(glue, "", "26/03/03 10:00:02 ERROR this run failed")
    registry.start(glue.job, run_context(token="gold-cron-2026-03-03-1-mmabc999"), world)
    assert succeeded(glue, world) == Succeeded()


@pytest.mark.parametrize(
    ("reported", "arguments", "group"),
    [
        ("", {}, GROUP),
        ("/aws-glue/jobs", {}, GROUP),
        ("/aws-glue/jobs/", {}, GROUP),
        ("/aws-glue/jobs/logs-v2-secured", {}, "/aws-glue/jobs/logs-v2-secured"),
        ("/aws-glue/jobs-role-secured", {}, "/aws-glue/jobs-role-secured/logs-v2"),
        ("/aws-glue/jobs-role-secured", {}, "/aws-glue/jobs-role-secured"),
        ("/aws-glue/jobs", {"--continuous-log-logGroup": "/gold/glue"}, "/gold/glue"),
    ],
)
def test_the_runs_own_log_group_is_read(
    glue: GluePeer, world: Services, reported: str, arguments: dict[str, str], group: str
) -> None:
    log(glue, "", "26/03/03 10:00:02 ERROR swallowed", group=group)
    outcome = succeeded(glue, world, LogGroupName=reported, Arguments=arguments)
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("ERROR swallowed")


def test_a_failure_on_a_later_page_is_found(glue: GluePeer, world: Services) -> None:
    lines = [f"line {number} with no ERRORs in it" for number in range(10_500)]
    log(glue, "", *lines, "10:00:02 ERROR swallowed")
    assert isinstance(succeeded(glue, world), Failed)
    assert glue.client.operations().count("FilterLogEvents") == 3


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InvalidParameterException"])
def test_glue_is_trusted_when_its_logs_cannot_be_read(glue: GluePeer, world: Services, code: str) -> None:
    log(glue, "", "26/03/03 10:00:02 ERROR nobody may read this")
    for _ in range(2):
        glue.client.refuse("FilterLogEvents", code)
    assert succeeded(glue, world) == Succeeded()


def test_glue_is_trusted_when_it_has_no_logs(glue: GluePeer, world: Services) -> None:
    assert succeeded(glue, world) == Succeeded()


def test_logs_that_take_too_long_are_given_up(glue: GluePeer) -> None:
    clock = VirtualTime()
    world = services(client=glue.client, timing=clock.timing())
    registry.start(glue.job, run_context(), world)
    log(glue, "", "26/03/03 10:00:02 ERROR too late")
    glue.client("logs").meta.events.register("before-call", lambda **_: clock.sleep(25))
    assert succeeded(glue, world) == Succeeded()
    assert glue.client.operations().count("FilterLogEvents") == 1


def test_a_run_that_failed_openly_is_not_looked_up(glue: GluePeer, world: Services) -> None:
    log(glue, "", "26/03/03 10:00:02 ERROR known anyway")
    glue.turn("FAILED")
    metadata = {"type": "glue", "address": {}, "runId": glue.runs()[-1].job_run_id}
    assert registry.status(glue.job, metadata, run_context(), world) == Failed(
        "the run is FAILED: FAILED because of the test", Category.TRANSIENT
    )
    assert "FilterLogEvents" not in glue.client.operations()


def test_a_job_of_another_name_is_not_needed_to_ask(glue: GluePeer, world: Services) -> None:
    glue.turn("RUNNING")
    metadata = {"type": "glue", "address": {"job_name": "gold-etl"}, "runId": glue.runs()[-1].job_run_id}
    registry.status(job_of("glue", jobName="renamed"), metadata, run_context(), world)
    assert glue.client.calls[-1][1]["JobName"] == "gold-etl"


def test_a_service_that_repeats_a_secret_when_it_is_polled_does_not_spread_it(glue: GluePeer) -> None:
    """Only the start fills the arguments in; the run's error message repeats them at a poll."""
    config = glue.document["config"] | {"arguments": {"--password": "${secret:gold/plain}"}}
    job = job_of("glue", **config)
    value = "s3cr3t value"
    started = registry.start(job, run_context(), services(client=glue.client, secrets={"gold/plain": value}))
    glue.turn("SUCCEEDED")
    log(glue, "", f"2026-03-03 ERROR access denied for password {value}")
    for secrets, told in (({"gold/plain": value}, "***"), ({}, "left out")):
        world = services(client=glue.client, secrets=secrets)
        outcome = registry.status(job, started.metadata, run_context(), world)
        assert isinstance(outcome, Failed)
        assert told in outcome.message
        assert "s3cr3t" not in outcome.message
