"""A run that uses a secret, from its sensor to its end: everything that it leaves behind is looked through."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from interlock_runtime.core.errors import InterlockError
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.job_peers import ACCESS_TOKEN, PEERS, Peer
from tests.fakes.job_services import Disturbed, services
from tests.fakes.web_server import Received, Reply, WebServer
from tests.fakes.world import World

VALUE = 's3cr3t "quoted" \\ + ä/%'
SECRETS = {"gold/plain": VALUE, "gold/api#token": ACCESS_TOKEN}
FRAGMENTS = ("s3cr3t", "5up3r", "quoted")

#: Where a job of each type takes a secret, and a state in which it has failed.
GIVEN: dict[str, tuple[str, str]] = {
    "glue": ("arguments", "FAILED"),
    "emr": ("arguments", "FAILED"),
    "emr-serverless": ("arguments", "FAILED"),
    "step-function": ("input", "FAILED"),
    "lambda": ("payload", "FAILED"),
    "lambda-event": ("payload", "FAILED"),
    "airflow": ("body", "failed"),
    "airflow-3": ("body", "failed"),
    "databricks": ("arguments", "TERMINATED/FAILED"),
    "databricks-submit": ("headers", "TERMINATED/FAILED"),
    "http": ("body", "500"),
}


def started(job: dict[str, Any], client: Disturbed) -> World:
    """A world in which a run of ``gold`` with this job is about to trigger."""
    world = World()
    world.job_ports = replace(world.job_ports, services=services(client=client, secrets=SECRETS))
    world.pipeline(gold(job=job))
    world.deliver(world.write_sensor("gold", "orders", **READY))
    return world


def left_behind(world: World, *answers: Any) -> str:
    """Rows, stream records, events, log lines and the state machine's data, as one text."""
    tables = (world.control, world.joblog, world.rerun)
    events = [event.payload(datetime(2026, 3, 3, tzinfo=UTC)) for event in world.bus.events]
    rows = [row for table in tables for row in table.rows().values()]
    streams = [record for table in tables for record in table.stream]
    return "\n".join(map(str, [*rows, *streams, *events, world.log.lines, *map(json.dumps, answers)]))


def run_to_the_end(world: World) -> list[Any]:
    """Trigger and check the run's job, then let the router do what follows; what the tasks answered."""
    run = world.run("gold", DATE)
    assert run is not None
    try:
        answers = [world.task("trigger", run)]
    except InterlockError as error:
        answers = [world.task("trigger-exhausted", run, error={"Error": type(error).__name__, "Cause": str(error)})]
    else:
        job = {name: answers[0][name] for name in ("jobType", "runId", "metadata", "triggeredAt")}
        answers.append(world.task("check-job", run, **job, config={"jobPollWindowSeconds": 600}))
    world.pump()
    return answers


@pytest.mark.parametrize("kind", PEERS)
@pytest.mark.parametrize("ending", ["well", "badly"])
def test_a_run_leaves_no_secret_behind(kind: str, ending: str, client: Disturbed) -> None:
    with PEERS[kind](client) as peer:
        field, failed = GIVEN[kind]
        config = peer.document["config"]
        given = {**(config.get(field) or {}), "X-Key": "${secret:gold/plain}"} if field != "arguments" else None
        config[field] = given or {"--key": "${secret:gold/plain}"}
        world = started(peer.document, client)
        answers = _ended(world, peer, failed) if ending == "badly" else run_to_the_end(world)
    text = left_behind(world, *answers)
    assert "JOB_TRIGGERED" in text
    assert not [fragment for fragment in FRAGMENTS if fragment in text]


def _ended(world: World, peer: Peer, state: str) -> list[Any]:
    """Run to the end with a job that fails, as soon as its service can say so."""
    if peer.document["type"] in ("http", "lambda"):
        peer.turn(state)
        return run_to_the_end(world)
    run = world.run("gold", DATE)
    assert run is not None
    answer = world.task("trigger", run)
    peer.turn(state)
    return [answer, *run_to_the_end(world)]


@pytest.mark.parametrize("status", [200, 302, 401, 422, 500])
@pytest.mark.parametrize("kind", ["http", "airflow", "databricks"])
def test_a_service_that_repeats_a_secret_does_not_spread_it(kind: str, status: int, client: Disturbed) -> None:
    def echo(received: Received) -> Reply:
        return Reply(status, received.body + repr(received.headers).encode(), {"X-Echo": "s3cr3t"})

    given = {"headers": {"X-Key": "${secret:gold/plain}"}, "body": {"key": "${secret:gold/plain}"}}
    with WebServer(echo) as server:
        config = {
            "http": {"url": server.url},
            "airflow": {"url": server.url, "dagId": "gold"},
            "databricks": {"workspaceUrl": server.url},
        }[kind]
        world = started({"type": kind, "config": config | given}, client)
        answers = run_to_the_end(world)
    text = left_behind(world, *answers)
    assert not [fragment for fragment in FRAGMENTS if fragment in text]
    if status >= 400:
        assert "***" in text
