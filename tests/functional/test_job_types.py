"""Every job type against the service behind it: started, polled to each end, never started twice."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Outcome, Running, Services, Succeeded
from tests.fakes.job_peers import ACCESS_TOKEN, PEERS, Peer, of
from tests.fakes.job_services import TOKEN, Disturbed, VirtualTime, job_of, run_context, services

TRANSIENT, TIMEOUT, PERMANENT = Category.TRANSIENT, Category.TIMEOUT, Category.PERMANENT
STILL, WELL = Running(), Succeeded()


@dataclass(frozen=True)
class Row:
    """What is true of a job type.

    ``states`` are those that its service may report, with the category where it means a failure.
    ``start`` and ``search`` and ``poll`` are the AWS calls that it makes to start, to look for an
    earlier start, and to poll; a type that speaks HTTP has none.
    """

    states: dict[str, Outcome | Category]
    start: str = ""
    search: str = ""
    poll: str = ""


AIRFLOW_STATES = {"queued": STILL, "running": STILL, "restarting": STILL, "success": WELL, "failed": TRANSIENT}

TABLE: dict[str, Row] = {
    "glue": Row(
        states={
            "STARTING": STILL,
            "RUNNING": STILL,
            "STOPPING": STILL,
            "WAITING": STILL,
            "SUCCEEDED": WELL,
            "FAILED": TRANSIENT,
            "STOPPED": TRANSIENT,
            "ERROR": TRANSIENT,
            "TIMEOUT": TIMEOUT,
        },
        start="StartJobRun",
        search="GetJobRuns",
        poll="GetJobRun",
    ),
    "emr": Row(
        states={
            "PENDING": STILL,
            "RUNNING": STILL,
            "CANCEL_PENDING": STILL,
            "COMPLETED": WELL,
            "FAILED": TRANSIENT,
            "CANCELLED": TRANSIENT,
            "INTERRUPTED": TRANSIENT,
        },
        start="AddJobFlowSteps",
        search="ListSteps",
        poll="DescribeStep",
    ),
    "emr-serverless": Row(
        states={
            "SUBMITTED": STILL,
            "QUEUED": STILL,
            "RUNNING": STILL,
            "CANCELLING": STILL,
            "SUCCESS": WELL,
            "FAILED": TRANSIENT,
            "CANCELLED": TRANSIENT,
        },
        start="StartJobRun",
        poll="GetJobRun",
    ),
    "step-function": Row(
        states={
            "RUNNING": STILL,
            "PENDING_REDRIVE": STILL,
            "SUCCEEDED": WELL,
            "FAILED": TRANSIENT,
            "ABORTED": TRANSIENT,
            "TIMED_OUT": TIMEOUT,
        },
        start="StartExecution",
        poll="DescribeExecution",
    ),
    "airflow": Row(states=AIRFLOW_STATES),
    "airflow-3": Row(states=AIRFLOW_STATES),
    "databricks": Row(
        states={
            "PENDING": STILL,
            "QUEUED": STILL,
            "BLOCKED": STILL,
            "RUNNING": STILL,
            "TERMINATING": STILL,
            "WAITING_FOR_RETRY": STILL,
            "TERMINATED/SUCCESS": WELL,
            "TERMINATED/FAILED": TRANSIENT,
            "TERMINATED/TIMEDOUT": TRANSIENT,
            "TERMINATED/CANCELED": TRANSIENT,
            "TERMINATED": TRANSIENT,
            "SKIPPED": PERMANENT,
            "INTERNAL_ERROR/FAILED": TRANSIENT,
        },
    ),
    "databricks-submit": Row(states={"RUNNING": STILL, "TERMINATED/SUCCESS": WELL, "TERMINATED/FAILED": TRANSIENT}),
    "http": Row(
        states={
            "200": WELL,
            "204": WELL,
            "302": WELL,
            "400": PERMANENT,
            "401": PERMANENT,
            "404": PERMANENT,
            "408": TRANSIENT,
            "409": PERMANENT,
            "429": TRANSIENT,
            "500": TRANSIENT,
            "503": TRANSIENT,
        },
    ),
    "lambda": Row(states={"SUCCEEDED": WELL, "FAILED": TRANSIENT}, start="Invoke"),
    "lambda-event": Row(states={}, start="Invoke"),
}

POLLED = ("glue", "emr", "emr-serverless", "step-function", "airflow", "airflow-3", "databricks", "databricks-submit")
ENDED_AT_ONCE = ("http", "lambda")
OVER_HTTP = ("airflow", "airflow-3", "databricks", "databricks-submit", "http")
ON_AWS = ("glue", "emr", "emr-serverless", "step-function", "lambda")


def in_each_state_of(kinds: Sequence[str]) -> Any:
    """Run a test for each state that these services may report, with what it means."""
    rows = [(kind, state, expected) for kind in kinds for state, expected in TABLE[kind].states.items()]
    ids = [f"{kind}-{state}" for kind, state, _ in rows]
    return pytest.mark.parametrize(("peer", "state", "expected"), rows, ids=ids, indirect=["peer"])


def requests_to(peer: Peer) -> int:
    """How many starts and polls a service has been asked for, refused ones included."""
    server = getattr(peer, "server", None)
    return len(server.received) if server else len(peer.client.calls)


def refuse_next(peer: Peer, times: int, *, status: int, code: str, polls: bool = False) -> None:
    """Let a service answer with an error."""
    if peer.name in OVER_HTTP:
        peer.server.refuse_next = [status] * times
    else:
        row = TABLE[peer.name]
        for _ in range(times):
            peer.client.refuse(row.poll if polls else row.start, code, status=status)


def well(peer: Peer) -> str:
    """The state in which a service says that a job ended well."""
    return next(state for state, outcome in TABLE[peer.name].states.items() if outcome == WELL)


def test_the_table_has_every_type_that_a_service_is_behind() -> None:
    assert set(TABLE) == set(PEERS)
    assert {name.removesuffix("-3").removesuffix("-submit").removesuffix("-event") for name in TABLE} == (
        set(registry.MODULES) - {"command"}
    )


@of(*POLLED)
def test_a_started_job_is_known_to_its_service_and_can_be_found_again(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    assert peer.jobs() == 1
    assert started.ended is None
    assert started.run_id
    assert ACCESS_TOKEN not in json.dumps(dict(started.metadata))
    stored = json.loads(json.dumps(dict(started.metadata)))
    assert isinstance(registry.status(peer.job, stored, run_context(), world), Running | Succeeded)


@in_each_state_of(POLLED)
def test_a_poll_tells_how_the_job_is_doing(
    peer: Peer, world: Services, state: str, expected: Outcome | Category
) -> None:
    started = registry.start(peer.job, run_context(), world)
    peer.turn(state)
    outcome = registry.status(peer.job, started.metadata, run_context(), world)
    if isinstance(expected, Category):
        assert isinstance(outcome, Failed)
        assert outcome.category is expected
        assert state.partition("/")[0] in outcome.message
    else:
        assert outcome == expected


@in_each_state_of(ENDED_AT_ONCE)
def test_a_job_that_ends_with_its_start_tells_how(
    peer: Peer, world: Services, state: str, expected: Outcome | Category
) -> None:
    peer.turn(state)
    ended = registry.start(peer.job, run_context(), world).ended
    if isinstance(expected, Category):
        assert isinstance(ended, Failed)
        assert ended.category is expected
        assert "test" in ended.message
    else:
        assert ended == expected


@of(*POLLED, "http")
@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_job_whose_start_was_not_recorded_is_not_started_again(peer: Peer, world: Services, ended: bool) -> None:
    forgotten = registry.start(peer.job, run_context(), world)
    if ended and not isinstance(forgotten.ended, Succeeded):
        peer.turn(well(peer))
    started = registry.start(peer.job, run_context(previous_intent=True), world)
    assert peer.jobs() == 1
    assert started == forgotten


@of(*POLLED, "http")
def test_a_start_whose_answer_was_lost_is_not_repeated_but_found(peer: Peer, world: Services) -> None:
    peer.lose_next_answer()
    with pytest.raises(TransientError):
        registry.start(peer.job, run_context(), world)
    assert peer.jobs() == 1
    started = registry.start(peer.job, run_context(previous_intent=True), world)
    assert peer.jobs() == 1
    if started.ended is None:
        assert isinstance(registry.status(peer.job, started.metadata, run_context(), world), Running | Succeeded)


@of(*POLLED)
def test_another_attempt_is_another_job(peer: Peer, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    registry.start(peer.job, run_context(token="gold-cron-2026-03-03-1-mmabc999", attempt=1), world)
    assert peer.jobs() == 2


@of(*(kind for kind in POLLED if TABLE[kind].search))
def test_nothing_is_searched_for_without_an_earlier_intent(peer: Peer, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    assert len(peer.client.calls) == 1


@of(*(kind for kind in POLLED if TABLE[kind].search))
def test_an_earlier_intent_that_led_to_nothing_starts_the_job(peer: Peer, world: Services) -> None:
    registry.start(peer.job, run_context(token="gold-cron-2026-03-02-0-mmaaa000"), world)
    registry.start(peer.job, run_context(previous_intent=True), world)
    assert peer.jobs() == 2


@of(*POLLED)
def test_a_start_that_is_throttled_is_tried_once_and_may_be_tried_again(peer: Peer, world: Services) -> None:
    refuse_next(peer, 1, status=429, code="ThrottlingException")
    with pytest.raises(TransientError):
        registry.start(peer.job, run_context(), world)
    assert requests_to(peer) == 1
    assert peer.jobs() == 0
    registry.start(peer.job, run_context(previous_intent=True), world)
    assert peer.jobs() == 1


@of(*ON_AWS)
def test_a_start_without_the_right_to_it_is_tried_again_when_the_right_has_come(peer: Peer, world: Services) -> None:
    refuse_next(peer, 1, status=403, code="AccessDeniedException")
    with pytest.raises(TransientError):
        registry.start(peer.job, run_context(), world)
    assert requests_to(peer) == 1
    registry.start(peer.job, run_context(previous_intent=True), world)
    assert peer.jobs() == 1


@of("airflow", "databricks")
def test_a_start_that_a_web_service_forbids_is_refused_for_good(peer: Peer, world: Services) -> None:
    refuse_next(peer, 1, status=403, code="AccessDeniedException")
    with pytest.raises(PermanentError):
        registry.start(peer.job, run_context(), world)
    assert requests_to(peer) == 1


@of(*OVER_HTTP)
def test_a_private_host_that_is_not_allowed_hears_nothing(peer: Peer, client: Disturbed) -> None:
    world = services(client=client, secrets=peer.secrets, allowed_private_hosts=("other.example",))
    with pytest.raises(PermanentError, match=r"127\.0\.0\.1 is loopback"):
        registry.start(peer.job, run_context(), world)
    assert requests_to(peer) == 0


@of(*POLLED)
@pytest.mark.parametrize("failures", [2, 3])
def test_a_poll_is_tried_three_times_with_pauses(peer: Peer, client: Disturbed, failures: int) -> None:
    time = VirtualTime()
    world = services(client=client, secrets=peer.secrets, timing=time.timing())
    started = registry.start(peer.job, run_context(), world)
    refuse_next(peer, failures, status=503, code="ServiceUnavailable", polls=True)
    before = requests_to(peer)
    if failures < 3:
        assert isinstance(registry.status(peer.job, started.metadata, run_context(), world), Running | Succeeded)
    else:
        with pytest.raises(TransientError):
            registry.status(peer.job, started.metadata, run_context(), world)
    assert requests_to(peer) == before + 3
    assert time.pauses == [0.75, 1.5]


@of("airflow", "databricks")
def test_a_poll_that_is_refused_is_not_repeated(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    refuse_next(peer, 1, status=403, code="AccessDeniedException", polls=True)
    before = requests_to(peer)
    with pytest.raises(PermanentError):
        registry.status(peer.job, started.metadata, run_context(), world)
    assert requests_to(peer) == before + 1


@of("airflow", "airflow-3", "databricks", "databricks-submit")
def test_polls_send_the_same_headers_as_the_start(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    registry.status(peer.job, started.metadata, run_context(), world)
    sent = [received.headers["authorization"] for received in peer.server.received]
    assert sent == [f"Bearer {ACCESS_TOKEN}"] * 2


@of("glue", "emr", "emr-serverless", "step-function", "airflow")
def test_a_deployment_in_the_middle_of_a_run_does_not_lose_the_job(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    moved = replace(peer.job, config=replace(peer.job.config, **dict.fromkeys(started.metadata["address"], "v1")))
    assert isinstance(registry.status(moved, started.metadata, run_context(), world), Running | Succeeded)


@of("glue", "emr", "emr-serverless", "step-function", "airflow", "databricks")
def test_a_poll_reads_no_secret_that_only_the_start_needs(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    needy = {"input" if peer.name == "step-function" else "body" if peer.name == "airflow" else "arguments"}
    config = replace(peer.job.config, **{name: {"--key": "${secret:gone}"} for name in needy})
    outcome = registry.status(replace(peer.job, config=config), started.metadata, run_context(), world)
    assert isinstance(outcome, Running | Succeeded)


@of("airflow")
def test_a_run_whose_pipeline_changed_its_type_cannot_be_asked_about(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    with pytest.raises(PermanentError, match=r"started as type 'airflow'.*now has job.type 'glue'"):
        registry.status(job_of("glue", jobName="gold-etl"), started.metadata, run_context(), world)


@of("lambda", "lambda-event")
def test_a_function_is_told_the_run_each_time_it_is_invoked(peer: Peer, world: Services) -> None:
    for previous_intent in (False, True):
        registry.start(peer.job, run_context(previous_intent=previous_intent), world)
    expected = {"interlockRun": TOKEN, "day": "2026-03-03"}
    assert peer.events == [expected, expected]


@of("lambda-event")
def test_an_asynchronous_function_runs_until_the_job_log_says_otherwise(peer: Peer, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    assert started.ended is None
    assert registry.status(peer.job, started.metadata, run_context(), world) == STILL


@of(*ON_AWS)
def test_the_page_about_jobs_names_the_rights_that_a_type_takes(peer: Peer, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    started = registry.start(peer.job, run_context(previous_intent=True), world)
    if started.ended is None:
        peer.turn(well(peer))
        registry.status(peer.job, started.metadata, run_context(), world)
    page = (Path(__file__).resolve().parents[2] / "docs/jobs.md").read_text("utf-8")
    permissions = re.search(rf"^## {peer.name}$.*?^\*\*Permissions:\*\*(.*?)^$", page, re.DOTALL | re.MULTILINE)
    assert permissions
    told = set(re.findall(r"`([a-z-]+:[A-Z][A-Za-z]+)`", permissions[1]))
    assert told - {"iam:PassRole"} == peer.client.actions
